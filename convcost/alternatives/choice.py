"""Which form of a layer a name means: an idea's usual one, or a form by its own name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from convcost.alternatives import IDEAS, proposals
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, Skip
from convcost.errors import UsageError

USABLE = tuple(idea for idea in IDEAS if "output shape" in idea.keeps and idea.name not in ("winograd", "fft"))
"""Ideas that give another graph with the same output shape."""

ALIASES = {"stacked": "stack-of-small-kernels", "resized": "resize-then-convolve", "spatial": "spatially-separable"}

OTHERWISE = {
    "winograd": "it is another algorithm for the same graph; convcost compare shows it",
    "fft": "it is another algorithm for the same graph; convcost compare shows it",
    "padding": "it changes the output's size, so that the next layer would not fit",
}


def slug(name: str) -> str:
    """A name as one word: letters, digits and = with - between."""
    plain = name.lower().replace("×", "x")
    return "-".join("".join(c if c.isalnum() or c == "=" else " " for c in plain).split())


def names() -> list[str]:
    """What `--to` takes, besides names of forms."""
    return [slug(idea.name) for idea in USABLE]


def idea_called(name: str) -> Idea | None:
    """The idea with this name, None for what may be a form's."""
    wanted = ALIASES.get(slug(name), slug(name))
    if wanted in OTHERWISE:
        raise UsageError(f"--to {name}: {OTHERWISE[wanted]}")
    return next((idea for idea in USABLE if slug(idea.name) == wanted), None)


def usual(idea: Idea, layer: ConvLayer) -> Form:
    """The form that an idea gives first; `Skip` where it does not apply."""
    forms = [form for form in proposals(idea, layer) if form.notation is not None]
    if not forms:
        raise Skip("it has no graph of its own")
    return next((form for form in forms if not form.extra), forms[0])


def form_called(name: str, layer: ConvLayer) -> tuple[Idea, Form] | None:
    """The form with this name and its idea; None where the layer has none."""
    for idea, form in all_forms(layer):
        if slug(form.name) == slug(name):
            return idea, form
    return None


def all_forms(layer: ConvLayer) -> list[tuple[Idea, Form]]:
    """All graphs that could take the layer's place."""
    out: list[tuple[Idea, Form]] = []
    for idea in USABLE:
        try:
            out += [(idea, form) for form in proposals(idea, layer) if form.notation is not None]
        except Skip:
            continue
    return out


def unknown(name: str, layers: Iterable[ConvLayer]) -> UsageError:
    """The error for a name that is neither an idea's nor a form's of any of these layers."""
    known = [*names(), *ALIASES]
    forms = {slug(form.name) for layer in layers for _, form in all_forms(layer)}
    near = difflib.get_close_matches(slug(name)[:60], [*known, *sorted(forms)], 1, 0.5)
    hint = f"did you mean {near[0]}? " if near else ""
    return UsageError(f"--to {name[:60]}: no such form; {hint}there are {', '.join(names())}")
