"""Codes of shape strings: their meanings stand with the notation; here an example and a remedy for each."""

from __future__ import annotations

from convcost.explaining.codes.entry import Code
from convcost.notation.codes import CODES

EXAMPLES: dict[str, tuple[str, str]] = {
    "C101": ("12x12x3 -(5x5x4x256)-> 8x8x256", "Write the tensor's channels as the third number, or give `g`."),
    "C102": ("12x12x3 -(5x5x3x256", "Finish the step: `)->`, and if you like the shape that comes out."),
    "C103": ("12x12x3 -(5x5x3x256)-> )", "Look at the caret: the message says what could stand there."),
    "C104": ("12x12x3 -(5x5x3x256)-> 8x8x256 ?", "Remove the character, or type it again."),
    "C105": ("12x12x3", "Quote the string, or use the form without quotes."),
    "C106": ("", "Split the chain, or write the network as an ONNX file."),
    "C107": ("", "Flatten the branches: a chain inside a branch needs no braces."),
    "C108": ("3x3x2 -{ (1x1x2x3) }-> 3x3x3", "Add a second branch, or take the braces away."),
    "C109": ("", "Write a tensor and a step."),
    "C110": ("", "Save the list as UTF-8."),
    "C111": ("12x12x3 -(5x5x3x1e3)->", "Write the number with digits only."),
    "C112": ("12x12x3 -(5x5x3x0)->", "Use a number from 1."),
    "C113": ("12x12x3 -(5x5x3x9223372036854775808)->", "Use a smaller number."),
    "C114": (
        "12x12x3 -(5x3x256)->",
        "Give the kernel the tensor's number of sizes, then two channel counts.",
    ),
    "C120": ("12x12x3 -(5x5x3x256 sam)->", "Use one of the words; the message offers the nearest."),
    "C121": ("12x12x3 -(relu s2)->", "Take the option away, or put it at the step that has it."),
    "C122": ("12x12x3 -(5x5x3x256 s2 s2)->", "Say it once."),
    "C123": ("12x12x3 -(5x5x3x256 op=1)->", "Keep one of the two."),
    "C124": ("12x12x6 -(shuffle)->", "Give what is missing."),
    "C131": ("12x12x3 -(5x5x1x256 g2)->", "Choose a number of groups that divides both channel counts."),
    "C132": ("12x12x3 -(5x5x3x256)-> 8x8x128", "Make the kernel's fourth number and the declared channels agree."),
    "C133": ("4x4x3 -(5x5x3x8)->", "Use `same`, a padding, or a smaller kernel."),
    "C134": ("8x8x3 -(maxpool 2x2 p2)->", "Make the padding smaller."),
    "C140": ("12x12x3 -(5x5x3x256)-> 100x100x256", "Correct the output, leave it out, or say stride and padding."),
    "C141": ("8x8x3 -(relu)-> 4x4x3", "Correct the output or leave it out."),
    "C142": ("8x8x2 -{ (1x1x2x3) | (3x3x2x3) }-> 8x8x6", "Give the branches the same sizes, as with `same`."),
    "C143": ("", "Look at the step that the message names, and at its sizes."),
    "C150": ("12x12x3 -(5x5x3x256)-> 4x4x256", "Write the stride to decide; the count is the same either way."),
    "C151": ("12x12x3 -(5x5x3x256)-> 12x12x256", "Write 8x8x256 for the article's arithmetic."),
    "C152": ("8x8x4 -(3x3x1x2)-> 6x6x8", "Write the total of output channels to silence it."),
}
"""Code to a string that raises it, and what to do. A string that is empty or too long to show is told in words."""

TOLD = {
    "C106": "A string of more than 65,536 bytes.",
    "C107": "Nine pairs of braces, one inside the other.",
    "C109": 'An empty string: convcost "".',
    "C110": "A list of strings, read with @list.txt, that holds the byte 0xff.",
    "C143": "An operator's own rule refuses what the notation's rules let through.",
}

NOTES = ("C150", "C151", "C152")


def entry(code: str) -> Code:
    """One code."""
    text, fix = EXAMPLES[code]
    return Code(
        code,
        CODES[code].removeprefix("Note: "),
        fix,
        TOLD.get(code, ""),
        f'convcost "{text}"' if text else "",
        "note" if code in NOTES else "error",
    )


BASE = Code(
    "C100",
    "A shape string is wrong in a way that has no code of its own.",
    "The message says how.",
    "Rare.",
)

NOTATION = (BASE, *(entry(code) for code in CODES))
