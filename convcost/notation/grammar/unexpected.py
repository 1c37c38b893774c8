"""Faults of reading: what stands where something else was expected, in words, and what may correct it."""

from __future__ import annotations

import itertools

from convcost.notation.carets import visible
from convcost.notation.faults import Edit, Fault
from convcost.notation.grammar.tokens import ARROW, BAD, CROSS, DASH, END, GREATER, NUMBER, WORD, Token, tokens

_REPLACE = {
    "[": "(",
    "]": ")",
    "✕": "x",
    "✖": "x",
    "⨯": "x",
    "х": "x",
    "⋅": "x",
    "⟶": "->",
    "➔": "->",
    "➝": "->",
    "⇒": "->",
    "―": "-",
    "‐": "-",
    "‑": "-",
    "‒": "-",
    "`": "",
    "'": "",
    '"': "",
    "“": "",
    "”": "",
    "‘": "",
    "’": "",
}


def cleaned(text: str) -> str:
    """`text` with look-alikes replaced by what they look like and invisible characters taken out."""
    import unicodedata  # noqa: PLC0415 - only failures need it

    out = []
    for c in text.replace("&gt;", ">").replace("=>", "->"):
        if c in _REPLACE:
            out.append(_REPLACE[c])
        elif c.isascii():
            out.append(c)
        elif unicodedata.decimal(c, None) is not None:
            out.append(str(unicodedata.decimal(c)))
        elif unicodedata.category(c) != "Cf":
            compatible = unicodedata.normalize("NFKC", c)
            out.append(compatible if unicodedata.category(c) != "No" and compatible.isascii() else c)
    return "".join(out)


def character(c: str) -> str:
    """A character and its code point, as the messages name it: `'✕' (U+2715 MULTIPLICATION X)`."""
    import unicodedata  # noqa: PLC0415 - only failures need it

    name = unicodedata.name(c, "")
    code = f"U+{ord(c):04X}{' ' + name if name else ''}"
    if c.isprintable():
        return f"'{c}'" if c.isascii() else f"'{visible(c)}' ({code})"
    return f"invisible character {code}"


def found(text: str, token: Token) -> str:
    """What `token` is, in words."""
    word = text[token.start : token.end]
    return f"'{word if len(word) <= 24 else word[:20] + '…'}'"


def unexpected(text: str, token: Token, wanted: str, *, fixes: tuple[tuple[Edit, ...], ...] = ()) -> Fault:
    """The fault of meeting `token` where `wanted` should stand."""
    span = (token.start, token.end)
    cut = ((token.start, len(text), ""),)
    if token.kind == END:
        return Fault("C102", f"expected {wanted}, but the text ends here", span, fixes=fixes)
    clean: tuple[Edit, ...] = ((0, len(text), cleaned(text)),)
    if token.kind != BAD:
        return Fault("C103", f"unexpected {found(text, token)}: expected {wanted}", span, fixes=(*fixes, clean, cut))
    c = text[token.start]
    if c == ".":
        return Fault("C111", f"unexpected '.': sizes are whole numbers, expected {wanted}", span)
    if not c.isascii() and c.isnumeric():
        message = f"unexpected digit {character(c)}: numbers are written with the digits 0 to 9"
        return Fault("C111", message, span, fixes=(clean,))
    return Fault("C104", f"unexpected {character(c)}: expected {wanted}", span, fixes=(*fixes, clean, cut))


def not_a_number(text: str, token: Token, what: str) -> Fault:
    """The fault of meeting `token` where the number `what` should stand."""
    span = (token.start, token.end)
    if token.kind == DASH:
        return Fault("C111", f"{what}: expected a number, found '{text[token.start]}'", span, fixes=(((*span, ""),),))
    if token.kind == WORD:
        advice = "sizes are numbers; the batch is given with --batch" if what == "a size" else None
        if text.strip() == text[token.start : token.end]:
            advice = "a shape string begins with a tensor, as in 12x12x3,k5,c256; the name of a model ends in .onnx"
        return Fault(
            "C111",
            f"{what}: expected a number, found {found(text, token)}",
            span,
            advice=advice,
        )
    if token.kind == CROSS:
        return Fault(
            "C111", f"{what}: expected a number, found a second {found(text, token)}", span, fixes=(((*span, ""),),)
        )
    return unexpected(text, token, f"a number ({what})" if what != "a size" else "a number")


def glued(text: str, first: Token, following: list[Token]) -> Fault:
    """The fault of letters right after a number: `1e3`, `12_0`."""
    end = first.end
    for token in following:
        if token.start != end or token.kind not in (WORD, NUMBER):
            break
        end = token.end
    shown = text[first.start : min(end, first.start + 24)]
    return Fault("C111", f"'{shown}' is not a number: expected digits only", (first.start, end))


def bare(values: tuple[int, ...], end: int) -> Fault:
    """A tensor and nothing else: often the shell's doing."""
    kernel = "x".join(("3",) * (len(values) - 1) + (str(values[-1]), "8"))
    example = f"{'x'.join(str(v) for v in values)} -({kernel})->"
    return Fault(
        "C105",
        "expected a convolution after the tensor, such as -(3x3x3x8)->",
        (end, end),
        advice=f'put the whole string in quotes: "{example}"' if len(values) <= 4 else "put the whole string in quotes",
    )


def undoubled(text: str) -> tuple[Edit, ...]:
    """Edits that take out every dash right before another dash or an arrow."""
    all_tokens = tokens(text)
    return tuple(
        (a.start, a.end, "")
        for a, b in itertools.pairwise(all_tokens)
        if a.kind == DASH and b.kind in (DASH, ARROW, GREATER)
    )
