"""What can be explained: the list for a reader who names nothing, the kinds of layers, and other words of reports."""

from __future__ import annotations

from collections.abc import Sequence

from convcost.explaining import codes, concepts
from convcost.explaining.saying import plural, say
from convcost.ops import all_keys
from convcost.ops.base import KINDS
from convcost.record import Explanation, Section


def explanation() -> Explanation:
    """The list."""
    own = sorted(name for domain, name in all_keys() if not domain)
    others = sorted({domain for domain, _ in all_keys() if domain})
    sections = [
        Section(
            title="A shape string",
            sentences=[say("One layer or a chain:", 'convcost explain "12x12x3 -(5x5x3x256)-> 8x8x256"')],
        ),
        Section(
            title="A model",
            sentences=[
                say("Its story:", "convcost explain model.onnx"),
                say("One of its layers:", "convcost explain model.onnx --layer conv1"),
            ],
        ),
        Section(
            title="A code",
            sentences=[say("What it means, what raises it, what to do:", "convcost explain C101")]
            + [say(f"{title}: {', '.join(names)}.") for title, names in codes.families()],
        ),
        Section(
            title="An operator",
            sentences=[
                say("What its rule counts:", "convcost explain Conv"),
                say(f"{plural(len(all_keys()), 'operators')}; of ONNX: {', '.join(own)}."),
                say(f"And of the domains {', '.join(others)}, as in com.microsoft:FusedConv."),
            ],
        ),
        words("A kind", "The word that a report calls a layer:", "depthwise", kinds()),
        words("A quantity", "What a figure of a report stands for:", "macs", concepts.quantities()),
        words("A convention", "How another tool counts:", "thop", concepts.conventions()),
        words("An idea", "Another way to do a layer:", "depthwise-separable", concepts.ideas()),
    ]
    return Explanation(of="what there is", topic="topics", sections=sections)


def words(title: str, lead: str, example: str, names: Sequence[str]) -> Section:
    """What some words are, one of them explained, and all of them."""
    return Section(
        title=title, sentences=[say(lead, f"convcost explain {example}"), say(f"There are {', '.join(names)}.")]
    )


def kinds() -> tuple[str, ...]:
    """Every kind of layer."""
    return (*(name for name, _ in KINDS), *TRAITS)


def names() -> tuple[str, ...]:
    """Every kind, and every other word of reports."""
    return (*kinds(), *concepts.names())


def word(text: str) -> Explanation | None:
    """Everything that a word of reports means."""
    sections = [*kind(text), *concepts.sections(text)] or concepts.related(text)
    return Explanation(of=" ".join(text.split()).lower(), topic="topics", sections=sections) if sections else None


def kind(word: str) -> list[Section]:
    """What a kind of layer is, with an example where a shape string can make one."""
    words = dict(KINDS) | TRAITS
    name = word.lower()
    if name not in words:
        return []
    said = [say(f"{words[name][:1].upper()}{words[name][1:]}.")]
    if name in EXAMPLES:
        said.append(say("Step by step:", f'convcost explain "{EXAMPLES[name]}"'))
    return [Section(title="Kind", sentences=said)]


TRAITS = {
    "valid": "no padding: only places where the kernel fits; k-1 elements are lost along an axis",
    "same": "so many zeros around that the output has the input's size, over the stride",
    "full": "k-1 zeros on each side: every place where the kernel touches the input",
    "strided": "the window moves several elements at a time",
    "dilated": "holes between the taps: k taps at dilation d reach over d(k-1)+1 elements",
    "multiplier": "a depthwise layer with several kernels for each channel",
    "flattened": "a depthwise layer whose kernel lies along one axis",
    "shuffled": "a grouped layer whose output channels are dealt out to all groups",
    "1d": "one spatial dimension, as of sound and text",
    "3d": "three spatial dimensions, as of volumes and films",
}
"""Words beside the kind, and what they mean."""

EXAMPLES = {
    "valid": "5x5x1 -(3x3x1x1 valid)-> 3x3x1",
    "same": "5x5x1 -(3x3x1x1 same)-> 5x5x1",
    "full": "5x5x1 -(3x3x1x1 full)-> 7x7x1",
    "strided": "9x9x1 -(3x3x1x1 s2)-> 4x4x1",
    "dilated": "9x9x1 -(3x3x1x1 d2)-> 5x5x1",
    "multiplier": "8x8x4 -(3x3 dw2)-> 6x6x8",
    "flattened": "8x8x4 -(3x1 dw)-> 6x8x4",
    "standard": "12x12x3 -(5x5x3x256)-> 8x8x256",
    "pointwise": "8x8x3 -(1x1x3x256)-> 8x8x256",
    "depthwise": "12x12x3 -(5x5 dw)-> 8x8x3",
    "grouped": "56x56x64 -(3x3x32x128 g2 same)-> 56x56x128",
    "pointwise_grouped": "28x28x240 -(1x1x80x60 g3)-> 28x28x60",
    "spatial": "5x5x1 -(3x1x1x1)-> 3x5x1",
    "transposed": "2x2x3 -(2x2x3x1 T s2)-> 4x4x1",
    "pool": "8x8x16 -(maxpool 2x2)-> 4x4x16",
    "norm": "8x8x16 -(bn)-> 8x8x16",
    "activation": "8x8x16 -(relu)-> 8x8x16",
    "matmul": "400 -(fc 10)-> 10",
}
