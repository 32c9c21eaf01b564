"""Who is seen: one door to every identity network, and the identity loss (section 3.4)."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import InputError
from trainer.identity.alignment import cut_chips
from trainer.identity.dlib_network import DlibFaceNet
from trainer.identity.iresnet import IResNet, is_iresnet
from trainer.identity.mobilenet import MobileFaceNet

# Where the five points of ``engine.landmark_indices.ALIGNMENT_POINTS`` lie in a chip, 0…1 from its upper left corner.
# dlib: the mean face that its own alignment uses; the chip has a quarter of the face's size around it.
DLIB_FACE = (
    (0.1205750620789, 0.2137274526848), (0.3340850613712, 0.2290642403242), (0.6460604764104, 0.2289674387677),
    (0.8595674595992, 0.2134981538014), (0.4901123135679, 0.6277975316475),
)  # fmt: skip
DLIB_PADDING = 0.25
# ArcFace aligns by eyes, nose tip and mouth corners; in chips that were cut so our points lie here, the mean over 31 photographs.
ARCFACE_CHIP = ((0.2880, 0.4708), (0.4189, 0.4811), (0.5811, 0.4811), (0.7120, 0.4708), (0.5000, 0.7034))


class IdentityNetwork(nn.Module):
    """Pictures with a face each → unit vectors, near for one person and far for two. Frozen; differentiable in the pictures."""

    template: Tensor

    def __init__(self, network: nn.Module, side: int, template: Tensor) -> None:
        """``network``: (N, 3, side, side) chips −1…1 → (N, D); ``template`` (5, 2): where a chip has the points, −1…1."""
        super().__init__()
        self.network, self.side = network.eval().requires_grad_(False), side
        self.register_buffer("template", template, persistent=False)

    def forward(self, pictures: Tensor, points: Tensor) -> Tensor:
        """(N, 3, S, S) RGB −1…1 and (N, 5, 2) crop coordinates (``points_of``) → (N, D), length 1."""
        return functional.normalize(self.network(cut_chips(pictures, points, self.template, self.side)), dim=1)

    def train(self, mode: bool = True) -> IdentityNetwork:
        """Stays as it is: a judge does not learn, and its normalisations keep their statistics."""
        return super().train(False)


def identity_loss(a: Tensor, b: Tensor) -> Tensor:
    """L_ID: (N, D), (N, D) → (N,) 1 − cosine: 0 for the same direction, 1 for strangers, 2 at most."""
    return 1 - functional.cosine_similarity(a, b, dim=1)


def open_identity(path: Path) -> IdentityNetwork:
    """dlib's ResNet (.dat), the MobileNet of @vladmandic/human (faceres.json), or an IResNet of ArcFace or CurricularFace (.pth,
    .pt, .safetensors). Raises InputError."""
    if path.suffix in (".dat", ".json"):
        network = DlibFaceNet(path) if path.suffix == ".dat" else MobileFaceNet(path)
        template = (torch.tensor(DLIB_FACE) + DLIB_PADDING) / (1 + 2 * DLIB_PADDING)
        return IdentityNetwork(network, network.side, template * 2 - 1)
    state = read_state(path)
    if not is_iresnet(state):
        raise InputError(
            f"{path} is no identity network that is known: give dlib's .dat, faceres.json, or IResNet weights of ArcFace or "
            "CurricularFace."
        )
    return IdentityNetwork(IResNet(state, path), IResNet.side, torch.tensor(ARCFACE_CHIP) * 2 - 1)


_NESTED = ("state_dict", "model", "backbone", "net")  # where training programs put a network's weights beside other things


def read_state(path: Path) -> dict[str, Tensor]:
    """name → tensor of a .safetensors or torch file, also where the weights lie one level deeper. Raises InputError."""
    try:
        content: Any = (
            load_file(path) if path.suffix == ".safetensors" else torch.load(path, map_location="cpu", weights_only=True)
        )
    except (OSError, RuntimeError, EOFError, KeyError, ValueError, SafetensorError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} must be a file of weights (.safetensors or torch's); it cannot be read: {reason}") from error
    while isinstance(content, Mapping) and (deeper := [name for name in _NESTED if isinstance(content.get(name), Mapping)]):
        content = content[deeper[0]]
    if not isinstance(content, Mapping) or not content or not all(isinstance(value, Tensor) for value in content.values()):
        raise InputError(f"{path} must hold named weights and nothing else; save the network's state_dict() alone.")
    return dict(content)
