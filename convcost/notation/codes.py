"""Every code of the notation's diagnostics and notes, with what it means and what to do."""

from __future__ import annotations

CODES: dict[str, str] = {
    "C101": (
        "The kernel's third number is the input channels that each kernel reads. Equal to the tensor's channels: an "
        "ordinary convolution. 1: depthwise. Any other divisor means groups and needs `g`, so that a slip of typing "
        "does not become a grouped convolution."
    ),
    "C102": (
        "The text ends where something is still expected: a kernel, a closing parenthesis, an arrow. Every step is "
        "`-(` … `)->`; the arrow stands after the last step too, and the shape after it may be left out."
    ),
    "C103": (
        "Something stands where the grammar expects something else. A shape string is a tensor, then steps: "
        "`-(kernel options)->` and, if you like, the tensor that comes out. Spaces or one comma separate options."
    ),
    "C104": (
        "A character that no shape string contains. Look-alikes and invisible characters come along when text is "
        "pasted; the message names the code point. `x`, `X`, `×` and `*` stand between numbers; `-`, `–`, `—` and "
        "`−` are dashes; `->` and `→` are arrows."
    ),
    "C105": (
        "A tensor alone is no convolution. In a shell, an unquoted `-(` is a syntax error and an unquoted `->` "
        "redirects the output into a file, so that only the tensor arrives: put the string in quotes, or use the form "
        "that needs none, `12x12x3,k5,c256`."
    ),
    "C106": "A shape string is at most 65,536 bytes long. Split the chain, or write the network as an ONNX file.",
    "C107": "Branches may stand inside branches, at most 8 deep.",
    "C108": (
        "Between braces stand at least two branches: `-{ (a) | (b) }->` joins their outputs along channels, "
        "`-{ (a) + (b) }->` adds them. One pair of braces holds one of the two signs; `(id)` is the branch that "
        "does nothing, as in a residual."
    ),
    "C109": (
        "The shape string is empty. Write a tensor, channels last, and at least one step: "
        "`12x12x3 -(5x5x3x256)-> 8x8x256`, or without quotes `12x12x3,k5,c256`."
    ),
    "C110": "A list of shape strings is UTF-8 text, one string a line; a byte order mark at its start is fine.",
    "C111": (
        "A number is written with the digits 0 to 9 only: no sign, point, exponent, underscore, hexadecimal, and no "
        "digits of other scripts. Dimensions are numbers, not names; the batch is given with `--batch`."
    ),
    "C112": "Sizes, channels, strides, dilations and groups start at 1. Only padding and output padding may be 0.",
    "C113": (
        "A number is at most 9223372036854775807 (2^63-1), the largest dimension that ONNX can store. Counts have "
        "no limit."
    ),
    "C114": (
        "The number of dimensions does not fit. A tensor is `WxC`, `HxWxC` or `DxHxWxC`, or one number for a dense "
        "layer. A kernel has the same spatial sizes and then input channels (per group) and output channels: "
        "`5x5x3x256`; with `dw` the spatial sizes only. Options take one value, or one for each spatial dimension."
    ),
    "C120": (
        "An unknown word. Options of a convolution: s (stride), d (dilation), g (groups), p (pad), valid, same, "
        "same_upper, same_lower, full, T, op, bias, dw, sep, spatial. Steps: maxpool, avgpool, gap, relu, bn, fc, "
        "shuffle, flatten, id, up."
    ),
    "C121": "The option does not belong to this step, or takes no value.",
    "C122": "The same thing is said twice. Keep one of the two.",
    "C123": "Two options contradict each other, or one needs another that is not there. Keep one of them.",
    "C124": (
        "Something the step needs is missing or impossible here: `k` and `c` in the form without quotes, the groups "
        "of a shuffle, two spatial dimensions for `spatial`."
    ),
    "C131": "Groups divide the input channels and the output channels without remainder.",
    "C132": (
        "The declared output has other channels than the kernel makes. The kernel's fourth number is the total of "
        "output channels, or per group where the declared output or the division shows that."
    ),
    "C133": "The kernel, with its dilation, is larger than the padded input, or the padding of a transposed "
    "convolution cuts everything away: nothing would come out. Use `same`, a padding, or a smaller kernel.",
    "C134": (
        "Padding of a pooling window is smaller than the window; output padding is smaller than the stride or the "
        "dilation."
    ),
    "C140": (
        "The declared output does not follow from input, kernel and options. Nothing given, these are tried along "
        "each axis: stride 1 valid, same, full, symmetric padding; then strides 2, 3, … valid and same. With k' = "
        "d(k-1)+1: valid floor((i-k')/s)+1, same ceil(i/s), full floor((i+k'-2)/s)+1, transposed s(i-1)+op+k'-2p."
    ),
    "C141": "The declared output is not what the step gives. Correct it or leave it out.",
    "C142": (
        "Branches that are joined along channels end in the same spatial sizes; branches that are added end in the "
        "same shape. `same` keeps the sizes of a convolution or a pooling at stride 1."
    ),
    "C143": "An operator refuses the shapes of this string.",
    "C150": (
        "Note: the declared output is reached in more than one way. The nominal count is the same for all of them; "
        "memory, effective count and timing are those of the way taken. Give the stride to decide."
    ),
    "C151": (
        "Note: this string stands in the article that made the notation popular, while that article's arithmetic is "
        "for the output 8x8x256. It is read as written, with padding same."
    ),
    "C152": (
        "Note: the kernel's fourth number was read as output channels per channel or per group, not in all, because "
        "the declared output says so or because it cannot be a total."
    ),
}
"""Code to explanation, in Markdown."""
