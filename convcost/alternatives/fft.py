"""Convolution as a product of spectra."""

from __future__ import annotations

from convcost.alternatives.fast import under
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """In tiles, and over the whole image."""
    return under(layer, "fft")


IDEA = Idea(
    name="fft",
    summary="the same layer as a product of spectra: its cost does not grow with the kernel",
    when="stride 1, dilation 1, a kernel larger than 1",
    becomes="the same layer: another algorithm",
    cost="in tiles of t: 4·t·(t/2+1)/(t-k+1)² multiplications for each output and input channel; transforms apart",
    keeps=("output shape", "receptive field", "parameters", "function"),
    loses="memory for the spectra",
    source="M. Mathieu, M. Henaff, Y. LeCun, arXiv:1312.5851; A. Lavin, S. Gray, arXiv:1509.09308, table 1",
    example="56x56x64 -(7x7x64x64 same)->",
    propose=propose,
)
