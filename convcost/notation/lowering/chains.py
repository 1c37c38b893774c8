"""The syntax tree to an ir.Graph: chains and branches; the steps themselves are in `convolution` and `steps`."""

from __future__ import annotations

import msgspec

from convcost.ir import DType, Graph
from convcost.notation.faults import Fault
from convcost.notation.grammar.syntax import Branches, Conv, Link, Program, Shape
from convcost.notation.lowering.build import Builder, Flow, within_limit
from convcost.notation.lowering.convolution import convolution
from convcost.notation.lowering.printing import dims_text
from convcost.notation.lowering.steps import check_output, step

MAX_SPATIAL = 3


class Lowered(msgspec.Struct, frozen=True):
    """The graph, not yet resolved, and the canonical printing of the program."""

    graph: Graph
    canonical: str


def lower(program: Program, batch: int, dtype: DType) -> Lowered:
    """Give every step its numbers. Raises a Fault where they contradict each other."""
    b = Builder(program.text, batch, dtype)
    check_tensor(program.source)
    source = Flow("input", program.source.values, program.source)
    out, parts = chain(b, source, program.links, spelled=True)
    text = f"{dims_text(source.dims)} {parts}"
    return Lowered(b.graph(text, source, out), text)


def check_tensor(shape: Shape) -> None:
    """A tensor has at most three spatial dimensions and channels."""
    n = len(shape.numbers) - 1
    if n > MAX_SPATIAL:
        raise Fault("C114", f"the tensor has {n} spatial dimensions, at most {MAX_SPATIAL} are supported", shape.span)


def chain(b: Builder, source: Flow, links: tuple[Link, ...], *, spelled: bool) -> tuple[Flow, str]:
    """Lower steps one after the other; their canonical printing, with the shapes between them when `spelled`."""
    parts = []
    flow = source
    for index, link in enumerate(links):
        if link.output is not None:
            check_tensor(link.output)
        given = link.step
        if isinstance(given, Conv):
            flow, inside = convolution(b, flow, given, link.output)
        elif isinstance(given, Branches):
            flow, inside = branches(b, flow, given, link.output)
        else:
            flow, inside = step(b, flow, given, link.output)
        flow = Flow(flow.name, flow.dims, link.output)
        wrapped = inside if isinstance(given, Branches) else f"({inside})"
        if spelled:
            parts.append(f"-{wrapped}-> {dims_text(flow.dims)}")
        else:
            dash = "-" if isinstance(given, Branches) else ""
            parts.append(f"{dash}{wrapped}{'->' if index < len(links) - 1 else ''}")
    return flow, " ".join(parts)


def branches(b: Builder, source: Flow, given: Branches, declared: Shape | None) -> tuple[Flow, str]:
    """Lower chains side by side and join their ends along channels, or add them."""
    ends: list[Flow] = []
    texts = []
    for links in given.branches:
        end, text = chain(b, source, links, spelled=False)
        ends.append(end)
        texts.append(text)
    concatenated = given.joiner == "|"
    for end, links in zip(ends, given.branches, strict=True):
        same = end.spatial == ends[0].spatial and len(end.dims) == len(ends[0].dims)
        if not same or not (concatenated or end.dims == ends[0].dims):
            raise uneven(given, ends, end, links)
    inside = "{ " + f" {given.joiner} ".join(texts) + " }"
    reading = (
        " and ".join(dims_text(e.dims) for e in ends) + (" joined along channels" if concatenated else " added"),
    )
    if concatenated:
        total = within_limit(sum(e.channels for e in ends), "the number of channels", given.span)
        dims = (*ends[0].spatial, total)
        out = b.node("Concat", b.name("concat"), tuple(e.name for e in ends), dims, reading=reading, axis=1)
    else:
        out = ends[0]
        for end in ends[1:]:
            out = b.node("Add", b.name("add"), (out.name, end.name), end.dims, reading=reading)
    check_output(out, declared, "the branches together")
    return out, inside


def uneven(given: Branches, ends: list[Flow], end: Flow, links: tuple[Link, ...]) -> Fault:
    """Two branches that end in shapes that cannot be joined."""
    first, last = links[0].step, links[-1].step
    here = (first.start, last.end)
    other = given.branches[0]
    what = "joined along channels" if given.joiner == "|" else "added"
    return Fault(
        "C142",
        f"branches that end in {dims_text(ends[0].dims)} and {dims_text(end.dims)} cannot be {what}",
        here,
        others=((other[0].step.start, other[-1].step.end),),
        advice="write same in a branch to keep the sizes",
    )
