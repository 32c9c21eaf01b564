"""MobileNet (Howard et al. 2017) for faces, as TensorFlow.js stores it: the network ``faceres`` of the package @vladmandic/human.

Its makers name HSE_FaceRec (Savchenko 2019) as the origin, trained on VGGFace2. The file is a JSON that names the weights, and
beside it a .bin that holds them as halves, normalisations folded into the convolutions. For measuring only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import InputError

SIDE = 224
# What the networks of VGGFace subtract [levels]. The package feeds RGB and subtracts nothing; of 20 people in three moments each,
# two lie 6.3 standard deviations apart with it, 5.2 without (dlib: 5.4).
MEAN_BGR = (103.939, 116.779, 123.68)
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)  # of the thirteen depthwise convolutions
_STORED: dict[str, np.dtype[Any]] = {"float16": np.dtype("<f2"), "float32": np.dtype("<f4"), "int32": np.dtype("<i4")}


class MobileFaceNet(nn.Module):
    """(N, 3, 224, 224) RGB −1…1, tight chips → (N, D), the mean features, D = 1024 in the published one."""

    side = SIDE
    mean: Tensor

    def __init__(self, path: Path) -> None:
        """``path``: the .json. Raises InputError when it or its .bin is not this network."""
        super().__init__()
        weights = read_weights(path)
        try:
            layers = [_convolution(weights, "conv1/convolution/merged_input", "conv1_bn/batchnorm_1/sub", 2)]
            for number, stride in enumerate(STRIDES, 1):
                depth = f"conv_dw_{number}"
                layers.append(_depthwise(weights, depth, stride))
                layers.append(
                    _convolution(weights, f"conv_pw_{number}/convolution/merged_input", f"conv_pw_{number}_bn/batchnorm_1/sub", 1)
                )
        except (KeyError, RuntimeError) as error:
            raise InputError(f"{path} is not the network faceres of @vladmandic/human: it lacks {error}.") from error
        self.layers = nn.ModuleList(layers)
        self.register_buffer("mean", torch.tensor(MEAN_BGR), persistent=False)

    def forward(self, chips: Tensor) -> Tensor:
        """See the class."""
        x = ((chips + 1) * 127.5).flip(1) - self.mean[:, None, None]
        for layer in self.layers:
            if layer.stride == (2, 2):  # TensorFlow's "same": the odd pixel goes right and below
                x = functional.pad(x, (0, 1, 0, 1))
            x = functional.relu6(layer(x))
        return x.mean((2, 3))


def read_weights(path: Path) -> dict[str, Tensor]:
    """Name → tensor, of a graph model of TensorFlow.js in one .bin. Raises InputError."""
    try:
        groups = json.loads(path.read_text(encoding="utf-8"))["weightsManifest"]
        data = path.with_suffix(".bin").read_bytes()
        found, start = {}, 0
        for one in (one for group in groups for one in group["weights"]):
            stored = _STORED[one.get("quantization", one)["dtype"]]
            count = int(np.prod(one["shape"], dtype=int))
            values = np.frombuffer(data, stored, count, start).reshape(one["shape"])
            found[one["name"]] = torch.from_numpy(values.astype(np.float32))
            start += count * stored.itemsize
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} and its .bin are no model of TensorFlow.js: {error}") from error
    return found


def _convolution(weights: Mapping[str, Tensor], kernel: str, bias: str, stride: int) -> nn.Conv2d:
    """From a kernel (h, w, inputs, outputs)."""
    return _layer(weights[kernel].permute(3, 2, 0, 1), weights[bias], stride, groups=1)


def _depthwise(weights: Mapping[str, Tensor], name: str, stride: int) -> nn.Conv2d:
    """From a kernel (h, w, channels, 1), with the scale of its normalisation."""
    scale = weights[f"{name}_bn/batchnorm_1/mul"][:, None, None, None]
    kernel = weights[f"{name}/depthwise_kernel"].permute(2, 3, 0, 1) * scale
    return _layer(kernel, weights[f"{name}_bn/batchnorm_1/sub"], stride, groups=len(kernel))


def _layer(kernel: Tensor, bias: Tensor, stride: int, groups: int) -> nn.Conv2d:
    outputs, inputs, side, _ = kernel.shape
    padding = side // 2 if stride == 1 else 0
    layer = nn.Conv2d(inputs * groups, outputs, side, stride, padding, groups=groups)
    layer.load_state_dict({"weight": kernel, "bias": bias})
    return layer
