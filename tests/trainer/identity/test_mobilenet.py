"""The MobileNet that tells people apart is read from TensorFlow.js's files, and computes what they say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.errors import InputError
from engine.values import Floats
from trainer.identity import open_identity
from trainer.identity.mobilenet import MEAN_BGR, STRIDES, MobileFaceNet

WIDTH = 4


def narrow(random: np.random.Generator) -> dict[str, Floats]:
    """Weights of a network with four channels throughout, by the names of the published one."""

    def drawn(*shape: int) -> Floats:
        return random.normal(0, 0.4, shape).astype(np.float16)

    found = {"conv1/convolution/merged_input": drawn(3, 3, 3, WIDTH) / 64, "conv1_bn/batchnorm_1/sub": drawn(WIDTH)}
    for number in range(1, len(STRIDES) + 1):
        found |= {
            f"conv_dw_{number}/depthwise_kernel": drawn(3, 3, WIDTH, 1),
            f"conv_dw_{number}_bn/batchnorm_1/mul": drawn(WIDTH) + 1,
            f"conv_dw_{number}_bn/batchnorm_1/sub": drawn(WIDTH) + 1,
            f"conv_pw_{number}/convolution/merged_input": drawn(1, 1, WIDTH, WIDTH),
            f"conv_pw_{number}_bn/batchnorm_1/sub": drawn(WIDTH) + 1,
        }
    return found


def written(folder: Path, weights: dict[str, Floats]) -> Path:
    """As the converter of TensorFlow.js does, with whole numbers among the halves."""
    half = {"dtype": "float32", "quantization": {"dtype": "float16"}}
    named = [{"name": name, "shape": list(values.shape), **half} for name, values in weights.items()]
    named.insert(2, {"name": "axes", "shape": [2], "dtype": "int32"})
    parts = [values.astype("<f2").tobytes() for values in weights.values()]
    parts.insert(2, np.array([1, 2], "<i4").tobytes())
    path = folder / "faceres.json"
    path.write_text(json.dumps({"weightsManifest": [{"paths": ["faceres.bin"], "weights": named}]}))
    path.with_suffix(".bin").write_bytes(b"".join(parts))
    return path


def by_hand(weights: dict[str, Floats], picture: torch.Tensor) -> torch.Tensor:
    """(3, 224, 224) RGB −1…1 → (WIDTH,), one layer after another."""
    w = {name: torch.from_numpy(values.astype(np.float16).astype(np.float32)) for name, values in weights.items()}
    x = ((picture + 1) * 127.5)[[2, 1, 0]] - torch.tensor(MEAN_BGR)[:, None, None]

    def step(x: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor, stride: int, groups: int) -> torch.Tensor:
        more = kernel.shape[-1] // 2
        before = 0 if stride == 2 else more
        padded = functional.pad(x, (before, more, before, more))
        return functional.conv2d(padded[None], kernel, bias, stride, groups=groups)[0].clamp(0, 6)

    kernel = w["conv1/convolution/merged_input"].permute(3, 2, 0, 1)
    x = step(x, kernel, w["conv1_bn/batchnorm_1/sub"], 2, 1)
    for number, stride in enumerate(STRIDES, 1):
        bn = f"conv_dw_{number}_bn/batchnorm_1"
        deep = w[f"conv_dw_{number}/depthwise_kernel"].permute(2, 3, 0, 1) * w[f"{bn}/mul"].reshape(-1, 1, 1, 1)
        x = step(x, deep, w[f"{bn}/sub"], stride, WIDTH)
        point = w[f"conv_pw_{number}/convolution/merged_input"].permute(3, 2, 0, 1)
        x = step(x, point, w[f"conv_pw_{number}_bn/batchnorm_1/sub"], 1, 1)
    return x.mean((1, 2))


def test_it_computes_what_the_file_says(tmp_path: Path) -> None:
    weights = narrow(np.random.default_rng(0))
    network = MobileFaceNet(written(tmp_path, weights))
    picture = torch.rand(3, 224, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = network(picture[None])[0].detach()
    torch.testing.assert_close(found, by_hand(weights, picture), rtol=1e-4, atol=1e-4)
    assert float(found.std()) > 0.01


def test_it_is_opened_as_an_identity_network_with_a_gradient(tmp_path: Path) -> None:
    identity = open_identity(written(tmp_path, narrow(np.random.default_rng(0))))
    pictures = (torch.rand(2, 3, 64, 64) * 2 - 1).requires_grad_()
    points = torch.tensor([(-0.4, -0.2), (-0.15, -0.2), (0.15, -0.2), (0.4, -0.2), (0.0, 0.2)]).expand(2, 5, 2)
    answer = identity(pictures, points)
    torch.testing.assert_close(answer.norm(dim=1), torch.ones(2))
    answer[:, 0].sum().backward()
    assert pictures.grad is not None
    assert pictures.grad.abs().sum() > 0


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = written(
        tmp_path, {"conv1/convolution/merged_input": np.zeros((3, 3, 3, WIDTH), np.float16), "b": np.zeros(4), "c": np.zeros(4)}
    )
    with pytest.raises(InputError, match="is not the network faceres"):
        open_identity(path)
    path.with_suffix(".bin").write_bytes(b"short")
    with pytest.raises(InputError, match=r"no model of TensorFlow\.js"):
        open_identity(path)
