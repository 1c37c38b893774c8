"""Stacks of small kernels that together see as far as a large one."""

from __future__ import annotations

from convcost.alternatives.chain import Chain, start
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, need
from convcost.ops.windows import Window

DEEPEST = 8
WORDS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight")


def share(total: int, n: int, i: int) -> int:
    """Part i of `total` cut into n parts, the larger ones first."""
    return total // n + (i < total % n)


def stack(layer: ConvLayer, n: int, k: int, inner: int) -> Chain:
    """N steps of k along the layer's large axes, the stride in the last, `inner` channels between them."""
    rank = len(layer.kernel)
    one = (1,) * rank
    kernel = tuple(k if size > 1 else 1 for size in layer.kernel)
    dilations = tuple(d if size > 1 else 1 for d, size in zip(layer.dilations, layer.kernel, strict=True))
    chain = start(layer)
    for i in range(n):
        last = i == n - 1
        window = Window(
            kernel=kernel,
            strides=layer.strides if last else one,
            dilations=dilations,
            before=tuple(share(p, n, i) for p in layer.before),
            after=tuple(share(p, n, n - 1 - i) for p in layer.after),
        )
        chain = chain.conv(layer.m if last else inner, window, layer.group, bias=last and layer.bias)
    return chain


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """3×3 steps for 5×5, 7×7, …, 2×2 steps for 3×3, with min(C, M) channels between; with M as an extra."""
    need(layer.large, "a 1×1 kernel is the smallest there is")
    sizes = {layer.kernel[a] for a in layer.large}
    need(len(sizes) == 1, "its kernel has unlike sizes")
    (size,) = sizes
    need(size % 2, "its kernel is even: no stack of 3×3 covers it")
    k = 2 if size == 3 else 3
    n = (size - 1) // (k - 1)
    need(n <= DEEPEST, f"it would take {n} layers")
    name = f"{WORDS[n]} {'×'.join(str(k if size > 1 else 1) for size in layer.kernel)}"
    inner = min(layer.c, layer.m)
    forms = [Form(name, stack(layer, n, k, inner).text)]
    if inner != layer.m:
        forms.append(Form(f"{name}, {layer.m} channels between", stack(layer, n, k, layer.m).text, extra=True))
    return tuple(forms)


IDEA = Idea(
    name="stack of small kernels",
    summary="two 3×3 for a 5×5, three for a 7×7, two 2×2 for a 3×3; with an activation between, more is learnt",
    when="an odd kernel of 3 or more, the same along all its axes",
    becomes="I -(3×3×C×w)-> … -(3×3×w×M)-> O, n = (k-1)/2 steps, w = min(C, M)",
    cost="9n/k² of the standard layer for C = M: 18/25 for 5×5, 27/49 for 7×7; 8/9 for two 2×2",
    loses="large kernels that are not a product of small ones",
    source="K. Simonyan, A. Zisserman, arXiv:1409.1556, section 2.3; C. Szegedy et al., arXiv:1512.00567, section 3.1",
    example="17x17x64 -(5x5x64x64 same)->",
    propose=propose,
)
