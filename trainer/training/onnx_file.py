"""A torch module as an ONNX file: large parameters stored as halves, nothing in it that differs from machine to machine."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from engine.errors import AssetError, InputError
from engine.files import write_bytes
from engine.generator.graphs import HALF_SUFFIX

OPSET = 20  # the first with GridSample as openvino and onnxruntime both run it fast
HALF_FROM = 1024  # numbers; smaller parameters (biases) stay in single precision


def round_to_halves(module: nn.Module) -> None:
    """Gives the large parameters the values that will be stored, so that torch and the file agree exactly."""
    for parameter in module.requires_grad_(False).parameters():
        if parameter.numel() >= HALF_FROM:
            parameter.copy_(parameter.half().float())


def write_onnx(
    module: nn.Module, inputs: Mapping[str, Tensor], outputs: Sequence[str], path: Path, properties: Mapping[str, str]
) -> None:
    """Exports a module: ``inputs`` are examples by name, in the order of ``forward``. Parameters keep their names and values,
    large ones are stored as halves; all else stays in single precision. Raises AssetError when torch cannot."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it reports which of its optional packages are absent
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about torch's own deprecations inside its exporter
        program = torch.onnx.export(
            module, tuple(inputs.values()), input_names=list(inputs), output_names=list(outputs), opset_version=OPSET,
            dynamo=True, optimize=False, verbose=False,
        )  # fmt: skip
    if program is None:
        raise AssetError(f"torch could not export {path.name}.")
    model = program.model_proto
    store_halves(model, {name for name, values in module.named_parameters() if values.numel() >= HALF_FROM})
    strip_debugging(model)
    helper.set_model_props(model, dict(properties))
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, model.SerializeToString(deterministic=True))


def read_parameters(path: Path) -> dict[str, Tensor]:
    """The parameters and buffers of a file that ``write_onnx`` made, by their names. Raises InputError."""
    try:
        model = onnx.load(path)
    except (OSError, DecodeError) as error:
        raise InputError(f"{path} is no network that was exported: {error}") from error
    arrays = {stored.name.removesuffix(HALF_SUFFIX): numpy_helper.to_array(stored) for stored in model.graph.initializer}
    return {name: torch.from_numpy(values.astype(np.float32)) for name, values in arrays.items()}


def store_halves(model: onnx.ModelProto, names: set[str]) -> None:
    """Stores these tensors in half precision, followed by a Cast to their own names."""
    for stored in [tensor for tensor in model.graph.initializer if tensor.name in names]:
        name, values = stored.name, numpy_helper.to_array(stored)
        stored.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + HALF_SUFFIX))
        model.graph.node.insert(0, helper.make_node("Cast", [name + HALF_SUFFIX], [name], to=TensorProto.FLOAT))


def strip_debugging(model: onnx.ModelProto) -> None:
    """Drops what the exporter noted about its own source files: of no use here, and different from machine to machine."""
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    model.graph.ClearField("metadata_props")
