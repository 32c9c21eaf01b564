"""The graphs that TensorRT is given: operators that its parser documents, halves where they do no harm, the same answers."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, shape_inference

from engine.generator.manifest import LIVE_BUNDLE
from engine.generator.variants import TINY_LIVE
from engine.regress.network import GRAPH, REGRESSOR
from engine.runtime.fp16_graph import with_fp16
from engine.runtime.onnxruntime_backend import folded
from engine.runtime.sessions import decibels, probe
from tests.engine.generator.exported import bundle

# Those that its parser (onnx-tensorrt, docs/operators.md) has listed as supported since 8.5, without restrictions that would
# matter to our graphs; the two with modes are looked at below.
DOCUMENTED = """
Add AveragePool Cast Clip Concat Constant Conv DepthToSpace Div Expand Flatten Gather Gemm GlobalAveragePool GridSample
HardSigmoid HardSwish Identity LeakyRelu MatMul Max Min Mul Neg PRelu Pad Pow Reciprocal ReduceMean ReduceSum Relu Reshape
Resize ScatterND Shape Sigmoid Slice Softmax Split Sqrt Squeeze Sub Tanh Transpose Unsqueeze Where
"""
RESIZED_BY = ({"half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"}, {"nearest", "linear"})


def files() -> dict[str, Path]:
    tiny = bundle(TINY_LIVE)[1]
    return {
        "source": LIVE_BUNDLE / "source.onnx",
        "frame": LIVE_BUNDLE / "frame.onnx",
        "regressor": REGRESSOR / GRAPH,
        "tiny frame": tiny / "frame.onnx",
    }


GRAPHS = ("source", "frame", "regressor", "tiny frame")


@cache
def graphs(name: str) -> tuple[bytes, bytes]:
    """Folded, and with halves."""
    plain = folded(files()[name])
    return plain, with_fp16(plain)


@pytest.mark.parametrize("name", GRAPHS)
def test_every_operator_is_one_that_tensorrts_parser_documents(name: str) -> None:
    model = onnx.load_from_string(graphs(name)[1])
    assert {node.op_type for node in model.graph.node} <= set(DOCUMENTED.split())
    assert [entry.domain for entry in model.opset_import] == [""]
    for node in model.graph.node:
        attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
        if node.op_type == "GridSample":
            assert (attributes["mode"], attributes["padding_mode"]) == (b"linear", b"border")
        if node.op_type == "Resize":
            transformation, mode = (attributes[key].decode() for key in ("coordinate_transformation_mode", "mode"))
            assert (transformation in RESIZED_BY[0], mode in RESIZED_BY[1]) == (True, True)


@pytest.mark.parametrize("name", GRAPHS)
def test_weights_are_constants_and_convolutions_are_half(name: str) -> None:
    model = shape_inference.infer_shapes(onnx.load_from_string(graphs(name)[1]), strict_mode=True)
    kinds = {port.name: port.type.tensor_type.elem_type for port in (*model.graph.value_info, *model.graph.input)}
    stored = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    assert convolutions
    for node in convolutions:
        assert all(stored[weight] == TensorProto.FLOAT16 for weight in node.input[1:])
        assert kinds[node.input[0]] == TensorProto.FLOAT16
    for node in model.graph.node:  # a place in half precision is off by a pixel
        if node.op_type == "GridSample":
            assert [kinds[name] for name in node.input] == [TensorProto.FLOAT] * 2


@pytest.mark.parametrize("name", GRAPHS)
def test_inputs_and_outputs_stay_what_they_were(name: str) -> None:
    plain, half = (onnx.load_from_string(graph).graph for graph in graphs(name))
    assert (list(plain.input), list(plain.output)) == (list(half.input), list(half.output))


@pytest.mark.parametrize("name", GRAPHS)
def test_halves_answer_as_the_exported_graph(name: str) -> None:
    exported = onnxruntime.InferenceSession(str(files()[name]), providers=["CPUExecutionProvider"])
    half = onnxruntime.InferenceSession(graphs(name)[1], providers=["CPUExecutionProvider"])
    feeds = probe({port.name: tuple(port.shape) for port in exported.get_inputs()})
    for wanted, got in zip(exported.run(None, feeds), half.run(None, feeds), strict=True):
        assert decibels(got, wanted, peak=max(1.0, float(np.ptp(wanted)))) >= 50


def test_few_casts_are_needed() -> None:
    """One where a tensor changes its precision, not two around every convolution."""
    nodes = onnx.load_from_string(graphs("frame")[1]).graph.node
    casts, convolutions = (sum(node.op_type == kind for node in nodes) for kind in ("Cast", "Conv"))
    assert casts <= 2 * convolutions
