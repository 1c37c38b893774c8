"""From steps to units. Without fusing each node is a unit of its own, so that times are those of the user's nodes."""

from __future__ import annotations

import numpy as np

from convcost.engine.kernels.convolution.epilogue import relu
from convcost.engine.plan import Plan, Step
from convcost.engine.static.region import Region, find_regions
from convcost.engine.static.shuffle import Shuffle, depthwise_reader, find_shuffles, pointwise_maker
from convcost.engine.static.simplify import simplify
from convcost.engine.static.units import Activation, Reader, Unit, clip_to, fused_act, leaky
from convcost.engine.values import Array
from convcost.ir import Graph

ALIASES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout")
POOLS = ("MaxPool", "AveragePool", "GlobalAveragePool")


class Fuser:
    """Walks the steps once, in order. `made` maps a name to the unit that writes it."""

    def __init__(self, graph: Graph, plan: Plan, *, fuse: bool) -> None:
        self.read = Reader(graph, plan)
        self.fuse = fuse
        self.units: list[Unit] = []
        self.made: dict[str, Unit] = {}
        self.order: dict[int, int] = {}
        self.later: dict[str, Shuffle] = {}
        self.steps: list[Step] = []

    def walk(self, steps: list[Step]) -> list[Unit]:
        """The units of a plan's steps."""
        self.steps = steps
        if self.fuse:
            steps = [step for step in steps if not self.renamed(step)]
        shuffles = find_shuffles(steps, self.read) if self.fuse else {}
        regions = find_regions(steps, self.read) if self.fuse else {}
        taken: set[int] = set()
        for i, step in enumerate(steps):
            if i in taken:
                continue
            if i in regions:
                self.region(steps, regions[i])
                taken.update(regions[i].steps)
                continue
            if i in shuffles and self.shuffled(steps, shuffles[i]):
                taken.update(shuffles[i].steps)
                continue
            inputs = [self.read.names[s] if s >= 0 else "" for s in step.inputs]
            outputs = [self.read.names[s] if s >= 0 else "" for s in step.outputs]
            if step.run_bodies is None and self.joined(step, inputs, outputs):
                continue
            unit = self.unit(step, inputs, outputs)
            self.order[id(unit)] = len(self.units)
            self.units.append(unit)
            for name in outputs:
                self.made[name] = unit
        if self.fuse:
            simplify(self.units, self.read)
        return self.units

    def renamed(self, step: Step) -> bool:
        """Give the output of an Identity the name of its input, where it is no output of the graph."""
        return (
            step.node.op == "Identity" and not step.node.domain and self.read.renamed(step.inputs[0], step.outputs[0])
        )

    def region(self, steps: list[Step], region: Region) -> None:
        """Let the unit that makes the first name end with a region, or make the region a unit."""
        unit = self.open(region.source, more=("add", "gemm", "concat", "pool"), addend=True, uses=region.reads)
        if unit is None:
            unit = Unit("act", steps[region.steps[0]], [region.source], [region.output])
            unit.nodes = []
            self.order[id(unit)] = len(self.units)
            self.units.append(unit)
        unit.act = region.act
        for i in region.steps:
            self.extend(unit, steps[i], [region.output])

    def shuffled(self, steps: list[Step], shuffle: Shuffle) -> bool:
        """Let a depthwise convolution that follows or a grouped 1x1 one before write its channels in shuffled order."""
        if depthwise_reader(steps, shuffle, self.read):
            self.later[shuffle.result] = shuffle
            return True
        unit = self.made.get(shuffle.source)
        if unit is None or not pointwise_maker(unit, shuffle, self.read):
            return False
        unit.shuffled = shuffle.groups
        for i in shuffle.steps:
            self.extend(unit, steps[i], [self.read.names[steps[i].outputs[0]]])
        return True

    def unit(self, step: Step, inputs: list[str], outputs: list[str]) -> Unit:
        """The unit of one step that joins no other."""
        op = step.node.op if not step.node.domain or step.node.op == "FusedConv" else ""
        read = self.read
        if step.run_bodies is None and outputs and read.compiled(*outputs[:1]) and inputs and inputs[0]:
            x = read.shape(inputs[0])
            if op in ("Conv", "ConvTranspose", "FusedConv") and self.is_conv(step, inputs):
                return self.conv(step, inputs, outputs)
            affine = self.affine(step, inputs)
            if affine is not None:
                name, scale, shift = affine
                unit = Unit("affine", step, [name], outputs[:1])
                unit.scale, unit.shift = scale, shift
                return unit
            if x is not None and read.compiled(inputs[0]) and inputs[0] not in read.constants:
                found = self.simple(step, op, inputs, outputs, x)
                if found is not None:
                    return found
        return Unit("generic", step, inputs, outputs)

    def simple(self, step: Step, op: str, inputs: list[str], outputs: list[str], x: tuple[int, ...]) -> Unit | None:
        """Operators that have a compiled form of their own."""
        read, first = self.read, outputs[:1]
        if op in ALIASES and all(not o or read.uses.get(o, 0) == 0 for o in outputs[1:]):
            return Unit("alias", step, inputs[:1], first)
        if op == "Transpose":
            return Unit("transpose", step, inputs[:1], first)
        if op in POOLS and len(x) >= 3 and len([o for o in outputs if o]) == 1:
            return Unit("pool", step, inputs, first)
        act = self.activation(step, inputs)
        if act is not None:
            unit = Unit("act", step, inputs[:1], first)
            unit.act = act
            return unit
        names = [n for n in inputs if n]
        if (
            op in ("Add", "Sum")
            and len(names) == 2
            and self.same(names)
            and getattr(step.node.attrs, "axis", None) is None
        ):
            return Unit("add", step, names, first)
        if op == "Concat" and len(x) >= 3 and step.node.attrs.axis in (1, 1 - len(x)) and read.compiled(*names):
            return Unit("concat", step, names, first)
        if op == "LRN" and len(x) >= 3:
            return Unit("lrn", step, inputs, first)
        if op == "Gemm" and inputs[1] in read.constants and self.plain_gemm(step, inputs):
            unit = Unit("gemm", step, inputs[:1], first)
            weight = read.constants[inputs[1]]
            unit.weight = weight if step.node.attrs.transB else weight.T
            unit.bias = read.constants[inputs[2]].reshape(-1) if len(inputs) > 2 and inputs[2] else None
            return unit
        return None

    def plain_gemm(self, step: Step, inputs: list[str]) -> bool:
        """A Gemm without scales whose bias is a row."""
        a, read = step.node.attrs, self.read
        if a.alpha != 1 or a.beta != 1 or a.transA or not read.compiled(inputs[1]):
            return False
        if len(inputs) < 3 or not inputs[2]:
            return True
        bias = read.constants.get(inputs[2])
        width = read.constants[inputs[1]].shape[0 if a.transB else 1]
        return isinstance(bias, np.ndarray) and bias.dtype == np.float32 and bias.size == width == bias.shape[-1]

    def same(self, names: list[str]) -> bool:
        """Whether these are arrays of one shape, computed in the run."""
        shapes = {self.read.shape(n) for n in names}
        return len(shapes) == 1 and self.read.compiled(*names) and not any(n in self.read.constants for n in names)

    def is_conv(self, step: Step, inputs: list[str]) -> bool:
        """A convolution of float32 whose weight and bias are constants."""
        read = self.read
        optional = inputs[2:3] if len(inputs) > 2 and inputs[2] else []
        constant = all(n in read.constants for n in [inputs[1], *optional])
        plain = step.node.op != "FusedConv" or fused_act(step.node.attrs) is not None
        return constant and plain and read.compiled(*[n for n in inputs if n]) and inputs[0] not in read.constants

    def conv(self, step: Step, inputs: list[str], outputs: list[str]) -> Unit:
        """A convolution with its weights."""
        unit = Unit("conv", step, inputs[:1], outputs[:1])
        unit.weight = self.read.constants[inputs[1]]
        unit.bias = self.read.constants[inputs[2]] if len(inputs) > 2 and inputs[2] else None
        if step.node.op == "FusedConv":
            act = fused_act(step.node.attrs)
            unit.act = act if step.node.attrs.activation else None
            unit.addend = inputs[3] if len(inputs) > 3 and inputs[3] else None
        shuffle = self.later.get(inputs[0])
        if shuffle is not None:
            unit.inputs, unit.shuffled = [shuffle.source], shuffle.groups
            unit.nodes += [self.steps[i].node for i in shuffle.steps]
        return unit

    def affine(self, step: Step, inputs: list[str]) -> tuple[str, Array, Array] | None:
        """(x, scale, shift) of a step that scales and shifts by channel: BatchNormalization, Mul, Add, Sub, Div."""
        op, read = step.node.op, self.read
        if step.node.domain:
            return None
        if op == "BatchNormalization":
            if step.algorithm != "scale+shift" or not all(n in read.constants for n in inputs[1:5]):
                return None
            x = read.shape(inputs[0])
            if x is None or len(x) < 3 or inputs[0] in read.constants or not read.compiled(inputs[0]):
                return None
            scale, bias, mean, var = (read.constants[n].astype(np.float64) for n in inputs[1:5])
            factor = scale / np.sqrt(var + step.node.attrs.epsilon)
            return inputs[0], factor.astype(np.float32), (bias - mean * factor).astype(np.float32)
        if (
            op not in ("Mul", "Add", "Sub", "Div")
            or len(inputs) != 2
            or getattr(step.node.attrs, "axis", None) is not None
        ):
            return None
        name, other = inputs
        if name in read.constants and op in ("Mul", "Add"):
            name, other = other, name
        shape = read.shape(name)
        if name in read.constants or shape is None or not read.compiled(name):
            return None
        value = read.by_channel(other, shape)
        if value is None or read.shape(step.node.outputs[0]) != shape:
            return None
        ones, zeros = np.ones(shape[1], np.float32), np.zeros(shape[1], np.float32)
        table: dict[str, tuple[Array, Array]] = {
            "Mul": (value, zeros),
            "Add": (ones, value),
            "Sub": (ones, -value),
            "Div": (1 / value if op == "Div" else ones, zeros),
        }
        return (name, *table[op])

    def activation(self, step: Step, inputs: list[str]) -> Activation | None:
        """An activation that works in place."""
        op, attrs = step.node.op, step.node.attrs
        if step.node.domain:
            return None
        if op == "Relu":
            return relu
        if op == "LeakyRelu" and attrs.alpha <= 1:
            return leaky(attrs.alpha)
        if op == "Clip":
            bounds = []
            for i, given, default in ((1, attrs.min, -np.inf), (2, attrs.max, np.inf)):
                name = inputs[i] if len(inputs) > i else ""
                if name and name not in self.read.constants:
                    return None
                bounds.append(float(self.read.constants[name]) if name else default if given is None else given)
            return clip_to(*bounds)
        return None

    def joined(self, step: Step, inputs: list[str], outputs: list[str]) -> bool:
        """Let the step become part of the unit that makes its input; False where that is not possible."""
        if not self.fuse or len([o for o in outputs if o]) != 1 or not inputs or not inputs[0]:
            return False
        affine = self.affine(step, inputs)
        if affine is not None:
            unit = self.open(affine[0])
            if unit is not None and unit.kind in ("conv", "affine"):
                self.absorb(unit, affine[1], affine[2])
                return self.extend(unit, step, outputs)
            return False
        act = self.activation(step, inputs)
        if act is not None:
            unit = self.open(inputs[0], more=("add", "gemm", "concat", "pool"), addend=True)
            if unit is not None:
                unit.act = act
                return self.extend(unit, step, outputs)
            return False
        if step.node.op in ("Add", "Sum") and not step.node.domain and len(inputs) == 2 and self.same(inputs):
            return self.residual(step, inputs, outputs)
        return False

    def open(self, name: str, more: tuple[str, ...] = (), *, addend: bool = False, uses: int = 1) -> Unit | None:
        """The unit that makes `name` for one reader only (or `uses`) and has no activation yet."""
        unit = self.made.get(name)
        if unit is None or unit.kind not in ("conv", "affine", *more) or unit.act is not None or unit.dealt:
            return None
        if self.read.uses.get(name) != uses or (unit.addend is not None and not addend):
            return None
        return unit

    def residual(self, step: Step, inputs: list[str], outputs: list[str]) -> bool:
        """Join the addition of two arrays to the convolution that makes the later one."""
        if getattr(step.node.attrs, "axis", None) is not None or inputs[0] == inputs[1]:
            return False
        places = [self.order[id(self.made[n])] if n in self.made else -1 for n in inputs]
        later, earlier = inputs if places[0] > places[1] else (inputs[1], inputs[0])
        unit = self.open(later)
        if unit is None or unit.kind != "conv":
            return False
        unit.addend = earlier
        return self.extend(unit, step, outputs)

    def extend(self, unit: Unit, step: Step, outputs: list[str]) -> bool:
        """The unit now ends with `step`."""
        unit.nodes.append(step.node)
        unit.outputs = outputs[:1]
        self.made[outputs[0]] = unit
        return True

    def absorb(self, unit: Unit, scale: Array, shift: Array) -> None:
        """Put a scale and a shift by channel after a unit."""
        if unit.kind == "affine":
            unit.scale, unit.shift = unit.scale * scale, unit.shift * scale + shift
            return
        unit.scaled(scale)
        unit.bias = shift if unit.bias is None else unit.bias * scale + shift
