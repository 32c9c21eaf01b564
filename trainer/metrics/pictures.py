"""PSNR, and the doors to LPIPS and FID with their published weights.

torchmetrics would fetch these weights on its own. Here it does so never: what is not on the machine is an AssetError that says
what is missing and where it belongs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.functional.image import peak_signal_noise_ratio

from engine.errors import AssetError

ALEXNET = "alexnet-owt-7be5be79.pth"  # torchvision's ImageNet weights, on which LPIPS stands
INCEPTION = "weights-inception-2015-12-05-6726825d.pth"  # torch-fidelity's conversion of FID's network


def psnr(found: Tensor, true: Tensor, known: Tensor) -> Tensor:
    """(N, 3, H, W) RGB −1…1, twice, (N, 1, H, W) > 0 where it counts → (N,) [dB]; infinite where they are equal."""
    masks = (known > 0).expand(found.shape)
    pairs = ((a[mask], b[mask]) for a, b, mask in zip(found, true, masks, strict=True))
    return torch.stack([peak_signal_noise_ratio(a, b, data_range=2.0) for a, b in pairs])


def open_lpips() -> Metric:
    """LPIPS (AlexNet): ``metric(found, true)`` of (N, 3, H, W) RGB −1…1. Raises AssetError when it is not on the machine."""
    _require("LPIPS", "torchvision", ALEXNET)
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity  # here, because torchvision must be there

    return LearnedPerceptualImagePatchSimilarity("alex")


def open_fid() -> Metric:
    """FID: ``update(pictures, real=…)`` of (N, 3, H, W) RGB 0…1, then ``compute()``. Raises AssetError likewise."""
    path = _require("FID", "torch_fidelity", INCEPTION)
    from torchmetrics.image.fid import FrechetInceptionDistance  # here, for the same reason

    return FrechetInceptionDistance(2048, normalize=True, feature_extractor_weights_path=str(path))


def inception_features() -> Callable[[Tensor], Tensor]:
    """FID's own features, for sets that are gathered picture by picture: (N, 3, H, W) RGB −1…1 → (N, 2048). Raises AssetError."""
    network: nn.Module = open_fid().get_submodule("inception")
    return lambda pictures: network(((pictures + 1) * 127.5).round().clamp(0, 255).to(torch.uint8))


def _require(measure: str, package: str, weights: str) -> Path:
    """The file of the weights; raises AssetError when it or the package is missing."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / weights
    try:
        importlib.import_module(package)
    except (ImportError, RuntimeError) as error:  # torchvision beside another torch raises RuntimeError
        reason = str(error).splitlines()[0]
        raise AssetError(
            f"{measure} is not measured: it needs the package {package}, which cannot be used ({reason})."
        ) from error
    if not path.is_file():
        raise AssetError(f"{measure} is not measured: its weights are not fetched unasked; put {weights} into {path.parent}.")
    return path
