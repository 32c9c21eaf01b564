"""Pictures, layers and drives that the generator's tests share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import torch

from engine.generator.compose_torch import Layers, RenderInputsTorch
from engine.generator.far import FarGenerator
from engine.generator.upsampling import upsampled
from engine.generator.variants import LIVE, PAPER, Variant
from engine.values import COEFFICIENTS, Floats, Picture

# Both variants at their real sizes, thin enough for a test.
THIN_PAPER = replace(PAPER, blocks=tuple((resolution, 8) for resolution, _ in PAPER.blocks), latent=16)
THIN_LIVE = replace(LIVE, blocks=tuple((resolution, 8) for resolution, _ in LIVE.blocks), latent=16)


def photograph(size: int, seed: int = 0) -> Picture:
    """(size, size, 3) with structure at every scale, like a photograph and unlike noise."""
    random = np.random.default_rng(seed)
    picture = np.zeros((size, size, 3), np.float32)
    for cells, strength in ((4, 60), (16, 35), (64, 18), (128, 8)):
        coarse = random.normal(0, strength, (min(cells, size), min(cells, size), 3)).astype(np.float32)
        picture += cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.clip(picture + 128, 0, 255).astype(np.uint8)


def smooth_flow(size: int) -> Floats:
    """(size, size, 2) a known smooth warp: a turn, a stretch and a bend, up to a tenth of the picture."""
    axis = (2 * np.arange(size, dtype=np.float32) + 1) / size - 1
    x, y = np.meshgrid(axis, axis)
    return np.stack([0.06 * y - 0.04 * x + 0.05 * np.sin(2 * y), -0.05 * x + 0.04 * np.cos(3 * x) * y], -1).astype(np.float32)


def remapped(picture: Picture, flow: Floats, interpolation: int = cv2.INTER_CUBIC) -> Picture:
    """OpenCV's full-resolution remap by a flow in crop coordinates."""
    size = picture.shape[0]
    columns, rows = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    return cv2.remap(
        picture,
        columns + flow[..., 0] * size / 2,
        rows + flow[..., 1] * size / 2,
        interpolation,
        borderMode=cv2.BORDER_REPLICATE,
    )


def decibels(got: Floats | Picture, wanted: Floats | Picture, peak: float = 255.0) -> float:
    """PSNR; 200 when equal."""
    error = np.mean((got.astype(np.float64) - wanted.astype(np.float64)) ** 2)
    return 200.0 if error == 0 else float(10 * np.log10(peak**2 / error))


COMPONENTS_AT = np.array([[0.1, 0.3], [-0.3, -0.2], [0.3, -0.25]], np.float32)  # mouth, right and left eye


@dataclass(frozen=True)
class Scene:
    """One photograph with its layers and one drive, uint8 and 0…1 as live use has them."""

    photo: Picture
    foreground: Picture
    matte: Floats
    plate: Picture
    flow: Floats
    render: Picture
    render_weight: Floats
    components: Floats = field(default_factory=COMPONENTS_AT.copy)

    def tensors(self) -> tuple[torch.Tensor, Layers, RenderInputsTorch]:
        """I_s, layers and drive for ``FarGenerator.forward``."""
        z = torch.linspace(-1, 1, COEFFICIENTS)[None]
        weight = plane(self.render_weight)
        flow, components = torch.from_numpy(self.flow).permute(2, 0, 1)[None], torch.from_numpy(self.components)[None]
        drive = RenderInputsTorch(z, flow, tensor(self.render), torch.ones_like(weight), weight, components)
        return tensor(self.photo), Layers(tensor(upsampled(self.foreground)), plane(self.matte), tensor(self.plate)), drive


def still(size: int) -> Scene:
    """At z_s: zero flow, k = 0, a plain photograph."""
    photo, nothing = photograph(size), np.zeros((size, size), np.float32)
    return Scene(photo, photo, nothing + 1, photo, np.zeros((size, size, 2), np.float32), photograph(size, 9), nothing)


def layered(size: int) -> Scene:
    """At z_s with a soft matte; foreground·matte + plate·(1 − matte) is the photograph."""
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    matte = np.clip(2 - 3 * np.hypot(*np.meshgrid(axis, axis)), 0, 1).astype(np.float32)
    plate, foreground = photograph(size, 1), photograph(size, 2)
    photo = np.rint(matte[..., None] * foreground + (1 - matte[..., None]) * plate).astype(np.uint8)
    return replace(still(size), photo=photo, foreground=foreground, matte=matte, plate=plate)


def moving(size: int) -> Scene:
    """Everything at once: soft matte, flow, I_3D in some places."""
    weight = cv2.resize(np.random.default_rng(3).random((8, 8), np.float32), (size, size), interpolation=cv2.INTER_LINEAR)
    return replace(layered(size), flow=smooth_flow(size), render_weight=weight)


def tensor(picture: Picture) -> torch.Tensor:
    """(H, W, 3) uint8 → (1, 3, H, W), −1…1."""
    return torch.from_numpy(picture.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]


def plane(values: Floats) -> torch.Tensor:
    """(H, W) → (1, 1, H, W)."""
    return torch.from_numpy(values)[None, None]


def picture(image: torch.Tensor) -> Floats:
    """(1, 3, H, W), −1…1 → (H, W, 3) in levels, not rounded."""
    levels: Floats = (image[0].detach().permute(1, 2, 0).numpy() + 1) * 127.5
    return levels


def made(variant: Variant, *, seed: int = 0, trained: bool = False) -> FarGenerator:
    """A generator; ``trained``: with heads that are not zero, so that every part has a say."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator = FarGenerator(variant).eval().requires_grad_(False)
        if trained:
            for block in generator.blocks:
                for head in block.heads.children():
                    torch.nn.init.normal_(head.weight, std=0.2)
            for net in () if generator.refiner is None else generator.refiner.children():
                torch.nn.init.normal_(net.head.weight, std=0.2)
    return generator
