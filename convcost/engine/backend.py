"""The session as a backend for onnx's own test suite: `onnx.backend.test.BackendTest(convcost.engine.backend)`."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, helper
from onnx.backend.base import Backend, BackendRep

from convcost import onnx_reader
from convcost.engine.session import Session


class Prepared(BackendRep):
    """A model ready to run."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def run(self, inputs: Any, **_: Any) -> tuple[Any, ...]:
        """The outputs for inputs in the model's order, or by name."""
        if not isinstance(inputs, dict):
            values = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
            inputs = {arg.name: value for arg, value in zip(self.session.get_inputs(), values, strict=False)}
        return tuple(self.session.run(None, inputs))


class NumpyBackend(Backend):
    """onnx's interface of a backend."""

    @classmethod
    def is_compatible(cls, model: ModelProto, device: str = "CPU", **_: Any) -> bool:
        """Whether the model may be given; what cannot be run says so when prepared."""
        del model
        return cls.supports_device(device)

    @classmethod
    def prepare(cls, model: ModelProto, device: str = "CPU", **options: Any) -> Prepared:
        """A session for `model`. Raises ModelError, EngineError."""
        del device
        raw = onnx_reader.from_bytes(model.SerializeToString()).raw
        graph = onnx_reader.resolve_model(raw, assume=False).graph
        return Prepared(Session(graph, **options))

    @classmethod
    def run_model(cls, model: ModelProto, inputs: Any, device: str = "CPU", **options: Any) -> tuple[Any, ...]:
        """Prepare and run."""
        return cls.prepare(model, device, **options).run(inputs)

    @classmethod
    def run_node(
        cls, node: NodeProto, inputs: Any, device: str = "CPU", outputs_info: Any = None, **options: Any
    ) -> tuple[Any, ...]:
        """Run one node on arrays."""
        del outputs_info
        names = [name for name in node.input if name]
        given = dict(zip(names, inputs, strict=False))
        graph = helper.make_graph(
            [node],
            "node",
            [
                helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.asarray(v).dtype), np.shape(v))
                for name, v in given.items()
            ],
            [helper.make_empty_tensor_value_info(name) for name in node.output if name],
        )
        return cls.run_model(helper.make_model(graph), given, device, **options)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Only the CPU."""
        return device.partition(":")[0] == "CPU"


is_compatible = NumpyBackend.is_compatible
prepare = NumpyBackend.prepare
run_model = NumpyBackend.run_model
run_node = NumpyBackend.run_node
supports_device = NumpyBackend.supports_device
