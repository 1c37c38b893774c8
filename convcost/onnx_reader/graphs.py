"""GraphProto and FunctionProto → ir.Graph. Bodies are built where they stand, functions once for each use of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convcost.errors import ModelError, ShapeError
from convcost.ir import Graph, Node, Tensor
from convcost.onnx_reader.attributes import FIELD, GRAPH, GRAPHS, attribute_type, stored_as, value_of
from convcost.onnx_reader.declared import declared
from convcost.onnx_reader.limits import MAX_FUNCTION_INSTANCES, MAX_NODES
from convcost.onnx_reader.names import quoted, text, texts
from convcost.onnx_reader.notes import Notes
from convcost.onnx_reader.opsets import Operators, imports_of
from convcost.onnx_reader.order import Uses, ordered
from convcost.onnx_reader.tensors import Place, sparse_of, tensor_of
from convcost.ops import canonical_domain, find
from convcost.ops.base import make_attrs
from convcost.ops.resolve import MAX_DEPTH

Key = tuple[str, str, str]
"""Domain, name and overload of a function."""

Values = Mapping[str, tuple[int, Any]]
"""Attribute name -> (its type, its value)."""

Bodies = tuple[tuple[str, Graph], ...]
"""Inner graphs with their roles."""

NOTHING: Values = {}

ROLES = frozenset(("then_branch", "else_branch", "body", "score_mod", "prob_mod"))
"""The attributes of ONNX's operators that hold a graph."""


class Scope:
    """What the nodes of a graph are read with: opset imports, and the attribute values of the enclosing function.

    `alike` holds a node of each operator and attributes, as they are stored, that was read under these.
    """

    __slots__ = ("alike", "imports", "values")

    def __init__(self, imports: Mapping[str, int], values: Values | None) -> None:
        self.imports = imports
        self.values = values
        self.alike: dict[tuple[str | bytes, ...], Node] = {}


class Builder:
    """Builds the graphs of one model."""

    def __init__(self, place: Place, ir_version: int, notes: Notes) -> None:
        self.place = place
        self.ir_version = ir_version
        self.notes = notes
        self.operators = Operators(notes)
        self.functions: dict[Key, Any] = {}
        self.instances: dict[tuple[Key, frozenset[tuple[str, int, Any]]], Graph] = {}
        self.building: list[Key] = []
        self.model_imports: Mapping[str, int] = {}
        self.nodes = 0
        self.depth = 0
        self.used: set[str] = set()

    def add_functions(self, protos: Any) -> None:
        """Register the model's functions. They are built when they are called."""
        for proto in protos:
            key = (canonical_domain(text(proto.domain)), text(proto.name), text(proto.overload))
            if key in self.functions:
                raise ModelError(f"function {quoted(key[1])} is a duplicate: it is defined twice", code="C215")
            self.functions[key] = proto

    def graph(self, proto: Any, scope: Scope) -> tuple[Graph, dict[str, Node]]:
        """A graph, and the names that it takes from around it with the first node that needs each."""
        with self:
            tensors = self.stored(proto)
            names = [text(v.name) for v in proto.input]
            inputs = tuple([declared(v, n) for v, n in zip(proto.input, names, strict=True) if n and n not in tensors])
            self.once(names)
            nodes, free = self.sorted(proto.node, scope, {*names, *tensors})
        outputs = texts([v.name for v in proto.output])
        return Graph(text(proto.name), inputs, outputs, nodes, tensors), free

    def __enter__(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ModelError(f"nested too deep: more than {MAX_DEPTH} bodies inside each other", code="C250")

    def __exit__(self, *_: object) -> None:
        self.depth -= 1

    def stored(self, proto: Any) -> dict[str, Tensor]:
        """The initializers of a graph by name."""
        tensors: dict[str, Tensor] = {}
        found = [tensor_of(t, self.place) for t in proto.initializer[:]]
        found += [sparse_of(t, self.place) for t in proto.sparse_initializer]
        for t in found:
            if not t.name:
                raise ModelError("an initializer has no name", code="C210")
            if t.name in tensors:
                raise ModelError(f"initializer {quoted(t.name)} is a duplicate: it is defined twice", code="C210")
            tensors[t.name] = t
        return tensors

    def once(self, names: list[str]) -> None:
        """Check that the inputs of a graph have different names."""
        if len(set(names)) < len(names):
            twice = next(n for i, n in enumerate(names) if n in names[:i])
            raise ModelError(f"input {quoted(twice)} is a duplicate: it is defined twice", code="C210")

    def sorted(self, protos: Any, scope: Scope, known: set[str]) -> tuple[tuple[Node, ...], dict[str, Node]]:
        """The nodes in runnable order, and the names that are taken from around the graph."""
        self.nodes += len(protos)
        if self.nodes > MAX_NODES:
            raise ModelError(f"too large: more than {MAX_NODES:,} nodes", code="C204")
        uses = [self.node(p, i, scope) for i, p in enumerate(protos[:])]
        for use in uses:
            self.used.update(use.needs)
        return ordered(uses, known)

    def node(self, proto: Any, index: int, scope: Scope) -> Uses:
        """One node. Of those with the same operator and attributes the first is read, the others take after it."""
        name = text(proto.name) or f"n{index}"
        inputs, outputs = texts(proto.input), texts(proto.output)
        stored = stored_as(proto)
        like = scope.alike.get(stored) if stored else None
        if like is not None:
            node = Node(
                index, name, like.op, inputs, outputs, like.attrs, like.domain, like.since_version, raw=like.raw
            )
            return Uses(node, given(inputs))
        said = self.notes.number
        node, taken = self.first(proto, index, scope, name, inputs, outputs)
        if stored and not node.bodies and self.notes.number == said:
            scope.alike[stored] = node
        return Uses(node, [*given(inputs), *taken] if taken else given(inputs))

    def first(
        self, proto: Any, index: int, scope: Scope, name: str, inputs: tuple[str, ...], outputs: tuple[str, ...]
    ) -> tuple[Node, list[str]]:
        """One node with its attributes typed and its bodies built, and the names that the bodies take from outside."""
        op = text(proto.op_type)
        domain = canonical_domain(text(proto.domain))
        try:
            values, graphs = self.attributes(proto.attribute, scope) if proto.attribute else (NOTHING, ())
            bodies, taken = self.bodies(graphs, scope) if graphs else ((), [])
            raw = {n: v for n, (_, v) in values.items()}
            function = self.called(domain, op, text(proto.overload), bodies) if self.functions else None
            if function is not None:
                attrs, since, bodies = None, 1, (("function", self.instance(function, values)),)
            else:
                attrs, since = self.record(domain, op, raw, bodies, scope, name)
        except ShapeError as wrong:
            raise ModelError(f"{quoted(op)}: {wrong}", node=name, code="C211") from None
        except ModelError as wrong:
            if wrong.node is None:
                wrong.node = name
            raise
        return Node(index, name, op, inputs, outputs, attrs, domain, since, bodies, raw=tuple(raw.items())), taken

    def record(
        self, domain: str, op: str, raw: dict[str, Any], bodies: Bodies, scope: Scope, node: str
    ) -> tuple[Any, int]:
        """The typed attributes of an operator, None without a rule for it, and since which version it is as it is."""
        if not op:
            raise ModelError("a node has no operator type (op_type is empty)", code="C210")
        known = self.operators.known(domain, op, scope.imports)
        if known.op is None:
            return None, known.since_version
        for role, _ in bodies:
            if role not in ROLES:
                raise ModelError(f"attribute {quoted(role)} holds a graph: its type is wrong", code="C211")
        if raw and known.names is not None and not known.names.issuperset(raw):
            self.operators.check_names(known, raw, node)
        return make_attrs(known.op, known.version, raw), known.since_version

    def attributes(self, protos: Any, scope: Scope) -> tuple[Values, list[tuple[str, Any]]]:
        """The attributes of a node: values by name, and graphs by role."""
        values: dict[str, tuple[int, Any]] = {}
        graphs: list[tuple[str, Any]] = []
        inner: list[str] = []
        for a in protos:
            name = text(a.name)
            if name in values:
                raise ModelError(f"attribute {quoted(name)} is a duplicate: it is given twice", code="C211")
            if a.ref_attr_name:
                given = self.referred(a, name, scope)
                if given is not None:
                    values[name] = given
                continue
            kind = attribute_type(a, self.ir_version)
            value = value_of(a, kind, self.place)
            values[name] = (kind, value)
            if kind in (GRAPH, GRAPHS):
                inner.append(name)
                graphs += [(name if kind == GRAPH else f"{name}_{i}", g) for i, g in enumerate(value)]
        for name in inner:
            del values[name]
        return values, graphs

    def referred(self, proto: Any, name: str, scope: Scope) -> tuple[int, Any] | None:
        """The value of an attribute that stands for one of the enclosing function; None where it is left out."""
        if scope.values is None:
            raise ModelError(f"attribute {quoted(name)} is a reference outside of a function", code="C211")
        given = scope.values.get(text(proto.ref_attr_name))
        if given is not None and proto.type and given[0] != proto.type:
            raise ModelError(
                f"attribute {quoted(name)} should be of type {FIELD.get(proto.type, '?')}, "
                f"the function is given {FIELD[given[0]]}",
                code="C211",
            )
        return given

    def bodies(self, graphs: Any, scope: Scope) -> tuple[Bodies, list[str]]:
        """The bodies of a node, and the names that they take from around them."""
        out: list[tuple[str, Graph]] = []
        taken: list[str] = []
        for role, proto in graphs:
            inner, free = self.graph(proto, scope)
            out.append((role, inner))
            taken += free
        return tuple(out), taken

    def called(self, domain: str, op: str, overload: str, bodies: Bodies) -> Key | None:
        """The function that a node calls, if it calls one."""
        key = (domain, op, overload)
        if key not in self.functions:
            return None
        if bodies:
            raise ModelError(f"function {quoted(op)} is given a graph, which is not supported", code="C215")
        if not domain and find(domain, op) is not None:
            raise ModelError(
                f"function {quoted(op)} redefines an operator of ONNX: runtimes disagree about what that means",
                code="C215",
            )
        return key

    def instance(self, key: Key, values: Values) -> Graph:
        """The body of a function for these attribute values, built once."""
        proto = self.functions[key]
        wanted = set(texts(proto.attribute))
        used = {n: v for n, v in values.items() if n in wanted}
        for a in proto.attribute_proto:
            name = text(a.name)
            kind = attribute_type(a, self.ir_version)
            if kind in (GRAPH, GRAPHS):
                raise ModelError(
                    f"function {quoted(key[1])} has a graph as a default, which is not supported", code="C215"
                )
            used[name] = values[name] if name in values else (kind, value_of(a, kind, self.place))
        memo = (key, frozenset((n, kind, v) for n, (kind, v) in used.items()))
        done = self.instances.get(memo)
        if done is None:
            if len(self.instances) >= MAX_FUNCTION_INSTANCES:
                raise ModelError(f"too many functions: more than {MAX_FUNCTION_INSTANCES:,} variants", code="C204")
            done = self.instances[memo] = self.function(key, proto, used)
        return done

    def function(self, key: Key, proto: Any, values: Values) -> Graph:
        """Build the body of a function."""
        if key in self.building:
            raise ModelError(f"function {quoted(key[1])} is recursive: it calls itself", code="C215")
        self.building.append(key)
        try:
            with self:
                own = imports_of(proto.opset_import, self.notes) if proto.opset_import else {}
                imports = {**self.model_imports, **own}
                names = list(texts(proto.input))
                self.once(names)
                scope = Scope(imports, values)
                nodes, free = self.sorted(proto.node, scope, set(names))
        finally:
            self.building.pop()
        outputs = texts(proto.output)
        made = {*names, *(o for node in nodes for o in node.outputs)}
        for name in [*free, *(o for o in outputs if o not in made)]:
            raise ModelError(
                f"tensor {quoted(name)} is not defined in function {quoted(key[1])}",
                node=free[name].name if name in free else None,
                code="C210",
            )
        return Graph(key[1], tuple([Tensor(n) for n in names]), outputs, nodes, {}, opset=imports)


def given(inputs: tuple[str, ...]) -> Sequence[str]:
    """The names of the inputs that are not left out."""
    return [n for n in inputs if n] if "" in inputs else inputs
