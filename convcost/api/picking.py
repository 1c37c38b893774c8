"""One layer of a model as a shape string of its own."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from convcost import alternatives
from convcost.alternatives import Skip
from convcost.alternatives.sites import Site, nodes
from convcost.api.sources import Loaded, Options, expand, from_text, load
from convcost.errors import UsageError


def picked(sources: Sequence[str], name: str, opts: Options) -> tuple[Loaded, Options]:
    """The layer called `name` of the one model in `sources`, and the options that its shape string needs."""
    found = list(expand(tuple(sources)))
    if len(found) != 1:
        raise UsageError(f"--layer takes one model, {len(found)} are given")
    item = load(found[0], opts)
    site = find(item, name)
    try:
        layer = alternatives.single(site.graph, site.node)
    except Skip as why:
        raise UsageError(f"{item.name}, layer {name}: {why}") from None
    text = alternatives.written(layer)
    opts = msgspec.structs.replace(opts, batch=layer.batch, dtype=layer.dtype.label, dims={}, inputs={})
    return msgspec.structs.replace(from_text(text, opts), origin=f"{item.name}: {name}"), opts


def find(item: Loaded, name: str) -> Site:
    """A node by its name, with the names of the nodes around it in front.

    The error offers the nearest names.
    """
    found = {site.path: site for site in nodes(item.graph)}
    if name in found:
        return found[name]
    import difflib  # noqa: PLC0415 - only for a mistake

    convolutions = [path for path, site in found.items() if site.node.op in ("Conv", "ConvTranspose")]
    near = difflib.get_close_matches(name[:100], convolutions, 3, 0.4) or convolutions[:3]
    hint = f"did you mean {' or '.join(near)}?" if near else "it has no convolutions"
    raise UsageError(f"{item.name} has no layer {name[:100]}; {hint}")
