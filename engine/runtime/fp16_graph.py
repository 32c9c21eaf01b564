"""A graph with its convolutions, and what lies between them, in half precision: types in the graph, as TensorRT wants them.

Since version 11 TensorRT takes every type from the graph. A node becomes half when it is a convolution, or does no harm in
half precision and feeds only such nodes. So flows, sampling places, styles and all that is added up to the answer stay in
float32, and so do the graph's inputs and outputs. Of a tensor that is needed in both precisions, ``NAME`` is the float32 one
and ``NAME.half`` the other.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, defs, helper, numpy_helper

HEAVY = ("Conv",)
HARMLESS = ("LeakyRelu", "Relu", "Clip", "Mul", "Add", "Concat", "Resize", "DepthToSpace", "Reshape", "Transpose")
HALF = ".half"


def with_fp16(graph: bytes) -> bytes:
    """A folded graph (``onnxruntime_backend.folded``) → the same with halves."""
    model = onnx.load_from_string(graph)
    return Fp16Rewriter(model).done()


class Fp16Rewriter:
    """The rewriting of one model."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model
        self._opset = next(entry.version for entry in model.opset_import if not entry.domain)
        self._initial = {stored.name: stored for stored in model.graph.initializer}
        self._half = fp16_nodes(model)
        self._there = {*self._initial, *(port.name for port in model.graph.input)}  # tensors made so far
        self._nodes: list[NodeProto] = []

    def done(self) -> bytes:
        """The rewritten model."""
        graph = self._model.graph
        for number, node in enumerate(graph.node):
            if number in self._half:
                self._append_half(node)
            else:
                self._append(node)
        for port in graph.output:
            self._need(port.name)
        used = {name for node in self._nodes for name in node.input}
        kept = [stored for stored in self._initial.values() if stored.name in used]
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(self._nodes)
        graph.initializer.extend(kept)
        opsets = [entry for entry in self._model.opset_import if not entry.domain]
        del self._model.opset_import[:]
        self._model.opset_import.extend(opsets)
        onnx.checker.check_model(self._model, full_check=True)
        return bytes(self._model.SerializeToString(deterministic=True))

    def _append(self, node: NodeProto) -> None:
        for name in node.input:
            self._need(name)
        self._nodes.append(node)
        self._there.update(node.output)

    def _append_half(self, node: NodeProto) -> None:
        for place in fp16_inputs(node, self._opset):
            self._need(node.input[place] + HALF)
            node.input[place] += HALF
        for place, name in enumerate(node.output):
            node.output[place] = name + HALF
        self._append(node)

    def _need(self, name: str) -> None:
        """Sees to it that a tensor is there in the precision that its name says."""
        if name in self._there or not name:
            return
        self._there.add(name)
        other = name.removesuffix(HALF) if name.endswith(HALF) else name + HALF
        if other in self._initial:
            values = numpy_helper.to_array(self._initial[other]).astype(np.float16)
            self._initial[name] = numpy_helper.from_array(values, name)
            return
        kind = TensorProto.FLOAT16 if name.endswith(HALF) else TensorProto.FLOAT
        self._nodes.append(helper.make_node("Cast", [other], [name], to=kind, name=f"to {name}"))


def fp16_nodes(model: onnx.ModelProto) -> set[int]:
    """Numbers of the nodes that become half."""
    nodes = list(model.graph.node)
    readers: dict[str, list[int]] = {}
    for number, name in ((number, name) for number, node in enumerate(nodes) for name in node.input):
        readers.setdefault(name, []).append(number)
    answers = {port.name for port in model.graph.output}
    half: set[int] = set()
    for number in reversed(range(len(nodes))):  # readers come after what they read
        node = nodes[number]
        followed = [reader for name in node.output for reader in readers.get(name, [])]
        harmless = node.op_type in HARMLESS and bool(followed) and half.issuperset(followed) and not answers & set(node.output)
        if node.op_type in HEAVY or harmless:
            half.add(number)
    return half


def fp16_inputs(node: NodeProto, opset: int) -> Iterator[int]:
    """Places of the inputs that have the type of the output; others (shapes, scales) keep theirs."""
    schema = defs.get_schema(node.op_type, opset)
    kind = schema.outputs[0].type_str
    for place, name in enumerate(node.input):
        if name and schema.inputs[min(place, len(schema.inputs) - 1)].type_str == kind:
            yield place
