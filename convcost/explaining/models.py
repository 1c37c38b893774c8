"""The story of a model: where its products are, in which kinds of layers, and where to look further."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from convcost import units
from convcost.errors import UsageError
from convcost.explaining.convolution import extent
from convcost.explaining.facts import convolution_of
from convcost.explaining.saying import plural, say, shown, sizes
from convcost.explaining.steps import pooling_of
from convcost.explaining.terms import number, over, plus, times, value_of
from convcost.record import Explanation, Layer, Model, Section, Sentence

LISTED = 40
"""Layers of a chain that are told one by one."""
BIGGEST = 5
"""Layers of a model that are named."""


def find(model: Model, name: str) -> Layer:
    """A layer by its name; the error offers the nearest."""
    for layer in model.layers:
        if layer.name == name:
            return layer
    names = [layer.name for layer in model.layers]
    near = difflib.get_close_matches(name[:100], names, 3, 0.4) or names[:3]
    hint = f"did you mean {' or '.join(n[:60] for n in near)}?" if near else "it has no layers"
    raise UsageError(f"{model.source} has no layer {name[:100]}; {hint}")


def place(model: Model, layer: Layer) -> Section:
    """What a layer is, and its part of the model."""
    words, many = [layer.kind, *layer.traits], plural(len(model.layers), "layers")
    said = [say(f"Layer {layer.index} of {many}: {', '.join(words)}; operator", layer.op)]
    if layer.notation:
        said.append(say("Written", layer.notation))
    if layer.cost.macs and model.totals.macs and layer.cost.macs != model.totals.macs:
        part = over(layer.cost.macs, number(model.totals.macs, "of the model"))
        said.append(shown("Its part of the model's multiply-accumulates", part, percent=True))
    return Section(title="Layer", sentences=said)


def explanation(model: Model) -> Explanation:
    """A short story of a model."""
    sections = [
        Section(title="What it is", sentences=headline(model)),
        *by_kind(model),
        *biggest(model),
        Section(title="How to go on", sentences=onward(model)),
    ]
    return Explanation(of=model.source, topic="model", sections=sections)


def headline(model: Model) -> list[Sentence]:
    """Its size in one breath."""
    cost, cover = model.totals, model.coverage
    about = f"{plural(cover.nodes, 'layers')}"
    if cost.macs is not None:
        about += f", {plural(cost.macs, 'MACs')}"
    if cost.params is not None:
        about += f", {plural(cost.params, 'parameters')}"
    said = [say(f"{about}.")]
    if not cover.complete:
        missing = cover.nodes - cover.counted
        said.append(
            say(f"The count is a bound: {missing:,} of {plural(cover.nodes, 'layers')} could not be counted.")
            if missing
            else say("The count is a bound: some sizes or iterations depend on the data.")
        )
    if cost.macs and model.layers:
        working = sum(1 for layer in model.layers if layer.cost.macs)
        verb = "multiplies" if working == 1 else "multiply"
        others = "" if working == len(model.layers) else "; the others add, compare or only move data"
        said.append(say(f"{plural(working, 'layers')} {verb}{others}."))
    if cost.params and cost.macs:
        said.append(shown("Each parameter is used on average for this many MACs",
                          over(number(cost.macs, "MACs"), number(cost.params, "parameters"))))  # fmt: skip
    if cost.intensity is not None and cost.flops and cost.read_bytes is not None and cost.write_bytes is not None:
        moved = plus(number(cost.read_bytes, "read"), number(cost.write_bytes, "written"))
        said.append(shown("For each byte its layers move it does", over(cost.flops, moved), unit="FLOP/B"))
    return said


def by_kind(model: Model) -> list[Section]:
    """The MACs of each kind; together they are the total."""
    sums: dict[str, int] = {}
    for layer in model.layers:
        if layer.cost.macs:
            sums[layer.kind] = sums.get(layer.kind, 0) + layer.cost.macs
    total = sum(sums.values())
    if not total:
        return []
    order = sorted(sums.items(), key=lambda pair: -pair[1])
    if len(order) == 1:
        return [
            Section(
                title="Where the multiplications are", sentences=[say(f"All in layers of one kind: {order[0][0]}.")]
            )
        ]
    said = []
    for kind, macs in order:
        many = sum(1 for layer in model.layers if layer.kind == kind and layer.cost.macs)
        does = "layer does" if many == 1 else "layers do"
        said.append(shown(f"{many:,} {kind} {does}", over(macs, total), percent=True))
    said.append(shown("Together", plus(*(number(macs, kind) for kind, macs in order)), unit="MACs"))
    return [Section(title="Where the multiplications are", sentences=said)]


def biggest(model: Model) -> list[Section]:
    """The layers with the most MACs."""
    total = model.totals.macs
    layers = sorted((layer for layer in model.layers if layer.cost.macs), key=lambda layer: -(layer.cost.macs or 0))
    if not total or len(layers) < 2:
        return []
    said = [
        say(
            f"{units.percent(layer.cost.macs, total)}: {layer.cost.macs:,} MACs, {layer.kind}"
            f"{' to ' + sizes(layer.outputs[0] or ()) if numeric(layer) else ''}:",
            layer.name,
        )
        for layer in layers[:BIGGEST]
    ]
    most = [layer.cost.macs or 0 for layer in layers[:BIGGEST]]
    if len(layers) > BIGGEST:
        said.append(shown("Together they do", over(plus(*most), total), percent=True))
    return [Section(title="The largest layers", sentences=said)]


def numeric(layer: Layer) -> bool:
    """Whether the first output's shape is all numbers."""
    return bool(layer.outputs and layer.outputs[0]) and all(isinstance(d, int) for d in layer.outputs[0] or ())


def onward(model: Model) -> list[Sentence]:
    """The commands that look closer."""
    convolutions = [layer for layer in model.layers if layer.op in ("Conv", "ConvTranspose") and layer.cost.macs]
    working = convolutions or [layer for layer in model.layers if layer.cost.macs] or model.layers
    said = []
    if working:
        top = max(working, key=lambda layer: layer.cost.macs or 0)
        name = quoted(top.name)
        said.append(say("One layer, step by step:", f"convcost explain {quoted(model.source)} --layer {name}"))
        if convolutions:
            said.append(say("What it could be instead:", f"convcost compare {quoted(model.source)} --layer {name}"))
    said.append(say("All layers:", f"convcost count {quoted(model.source)} --sort macs --top 10"))
    said.append(say("What takes the time:", f"convcost time {quoted(model.source)}"))
    return said


def quoted(text: str) -> str:
    """A word for a shell."""
    import shlex  # noqa: PLC0415 - only here

    return shlex.quote(text)


def left_out(layers: Sequence[Layer]) -> list[Section]:
    """How many layers of a long chain are not told."""
    more = len(layers) - LISTED
    if more <= 0:
        return []
    return [Section(title="And", sentences=[say(f"{plural(more, 'layers')} more, which convcost count lists.")])]


def together(model: Model, layers: Sequence[Layer]) -> list[Section]:
    """The sum over the layers of a chain, and how far its output sees."""
    macs = [layer for layer in layers if layer.cost.macs]
    said = []
    if len(macs) > 1 and model.totals.macs is not None:
        terms = plus(*(number(layer.cost.macs or 0, layer.kind) for layer in macs))
        said.append(shown("All layers", terms, unit="multiply-accumulates"))
    real = [layer.cost.macs_effective for layer in macs]
    if len(macs) > 1 and None not in real and model.totals.macs_effective != model.totals.macs:
        said.append(
            shown("All layers, without padding zeros", plus(*(n or 0 for n in real)), unit="multiply-accumulates")
        )
    params = [layer for layer in layers if layer.cost.params]
    if len(params) > 1 and model.totals.params is not None:
        said.append(shown("All weights", plus(*(layer.cost.params or 0 for layer in params)), unit="parameters"))
    return [Section(title="Together", sentences=said + seen(model))] if said else []


def seen(model: Model) -> list[Sentence]:
    """The receptive field of the last layer, window by window where the layers are a plain chain."""
    last = model.layers[-1].receptive_field if model.layers else None
    if not last:
        return []
    size = sizes([axis.size for axis in last[0].axes])
    terms, jump = [number(1)], 1
    for layer in model.layers:
        window = reach_of(layer)
        if window is None:
            return [say(f"One output sees {size} elements of the input.")]
        reach, stride = window
        if reach > 1:
            terms.append(times(number(reach - 1, "kernel - 1"), number(jump, "stride so far")))
        jump *= stride
    wanted = [axis.size for axis in last[0].axes]
    term = plus(*terms)
    if set(wanted) == {int(value_of(term))} and len(terms) > 1:
        return [shown(f"One output sees {size} elements of the input; along an axis, kernel by kernel", term)]
    return [say(f"One output sees {size} elements of the input.")]


def reach_of(layer: Layer) -> tuple[int, int] | None:
    """(effective kernel, stride) of a layer with a square window, (1, 1) of one without; None for other layers."""
    if layer.op in ("MaxPool", "AveragePool"):
        conv = pooling_of(layer)
    elif layer.op == "Conv":
        conv = convolution_of(layer)
    else:
        return (1, 1) if layer.kind in ("activation", "norm", "elementwise") else None
    if conv is None:
        return None
    windows = {(extent(conv, a), conv.strides[a]) for a in range(len(conv.kernel))}
    return windows.pop() if len(windows) == 1 else None
