"""What measures pictures: a tracker with the landmark fit, an identity network, deep features. None takes part in drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.head import HeadModel
from engine.regress.landmarks import LandmarkRegressor
from engine.track import Tracker
from engine.values import Coefficients, Face, Floats, Mask, Picture
from trainer.generator.perceptual import Perceptual, maps_between, weighted
from trainer.generator.subject import CROP, largest_face, only_face
from trainer.identity import IdentityNetwork, points_of
from trainer.metrics.frechet import NAME as FRECHET
from trainer.metrics.pictures import psnr


@dataclass(frozen=True, eq=False)
class MeasuredFace:
    """What is measured of the face in one picture.

    z         what the landmark fit makes of it, with the α of the person's first picture
    scores    (52,) of the tracker, in the order of ``EXPRESSION_NAMES``
    points    (478, 2) landmarks, crop coordinates
    identity  (D,) unit vector of each identity network
    features  (D,) for the Fréchet distance
    """

    z: Coefficients
    scores: Floats
    points: Floats
    identity: tuple[Floats, ...]
    features: Floats


@dataclass(frozen=True, eq=False)
class ReferencePicture:
    """A picture that is to be equalled: (1, 3, S, S) −1…1, its features; (1, 1, S, S) 1 where it is known, and of that in each
    area (``trainer.generator.evaluation.areas``)."""

    pixels: Tensor
    features: list[Tensor]
    known: Tensor
    areas: Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class EvaluationModels:
    """The tracker and the networks that measure pictures, opened once; one thread.

    features  (1, 3, H, W) RGB −1…1 → (1, D), of which ``frechet`` names the Fréchet distance: "FID" or "FD-EffLite0"
    identity  networks that tell people apart; the first gives "ID", a second one "ID, second network"
    lpips     (1, 3, H, W) RGB −1…1 twice → LPIPS, where its weights are on this machine
    """

    head: HeadModel
    tracker: Tracker  # mode "picture"
    perceptual: Perceptual
    features: Callable[[Tensor], Tensor]
    identity: tuple[IdentityNetwork, ...]
    frechet: str = FRECHET
    lpips: Callable[[Tensor, Tensor], Tensor] | None = None

    @torch.inference_mode()
    def features_of(self, picture: Picture) -> Floats:
        """(D,) for the Fréchet distance."""
        return np.asarray(self.features(as_tensor(picture))[0].numpy())

    @torch.inference_mode()
    def target(self, picture: Picture, known: Mask, areas: Mapping[str, Mask]) -> ReferencePicture:
        """Prepares a (512, 512, 3) picture that others are to equal where it is ``known`` (512, 512), and in the ``areas``."""
        pixels, seen = as_tensor(picture), as_plane(known)
        within = {name: seen * as_plane(mask) for name, mask in areas.items()}
        return ReferencePicture(pixels, self.perceptual.features(pixels), seen, within)

    @torch.inference_mode()
    def distances(self, picture: Picture, target: ReferencePicture) -> dict[str, float]:
        """PSNR [dB] and the perceptual distance of what is known, and of that in each area; LPIPS where it is there, of the whole
        square: what is not known counts as equal."""
        drawn = as_tensor(picture)
        pixels = torch.where(target.known > 0, drawn, target.pixels)
        maps = maps_between(self.perceptual.features(pixels), target.features)
        real = {} if self.lpips is None else {"LPIPS": float(self.lpips(pixels.clamp(-1, 1), target.pixels))}
        return {
            "PSNR": float(psnr(drawn, target.pixels, target.known)),
            **real,
            "perceptual": _distance(maps, target.known),
            **{f"PSNR, {name}": float(psnr(drawn, target.pixels, area)) for name, area in target.areas.items() if area.any()},
            **{f"perceptual, {name}": _distance(maps, area) for name, area in target.areas.items() if area.any()},
        }


class FaceMeasurer:
    """The panel looking at pictures of one person, who is met in the first."""

    def __init__(self, models: EvaluationModels, picture: Picture) -> None:
        """``picture`` (512, 512, 3). Raises InputError when it shows no face."""
        self._models, self._regressor = models, LandmarkRegressor(models.head)
        self.face = only_face(models.tracker, picture)
        self._regressor.meet(picture, self.face, CROP)
        self.first = self.describe(picture, self.face)

    def look(self, picture: Picture) -> MeasuredFace | None:
        """None where no face is found."""
        face = self.face_of(picture)
        return self.describe(picture, face) if face else None

    def face_of(self, picture: Picture) -> Face | None:
        """The largest."""
        return largest_face(self._models.tracker, picture)

    @torch.inference_mode()
    def describe(self, picture: Picture, face: Face) -> MeasuredFace:
        """What else there is to see where the face is."""
        points = CROP.normalise(face.landmarks)[:, :2].astype(np.float32)
        pixels = as_tensor(picture)
        corners = points_of(torch.from_numpy(points)[None])
        identity = tuple(network(pixels, corners)[0].numpy() for network in self._models.identity)
        z = self._regressor.regress(picture, face, CROP)
        return MeasuredFace(z, face.blendshapes, points, identity, self._models.features_of(picture))


def as_tensor(picture: Picture) -> Tensor:
    """(H, W, 3) → (1, 3, H, W) −1…1."""
    return torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1)


def as_plane(mask: Mask) -> Tensor:
    """(H, W) → (1, 1, H, W) 0 and 1."""
    return torch.from_numpy(mask.astype(np.float32))[None, None]


def _distance(maps: Sequence[Tensor], weight: Tensor) -> float:
    """Mean over the scales of the weighted means."""
    return float(torch.stack([weighted(one, weight) for one in maps]).mean())


def as_picture(pixels: Tensor) -> Picture:
    """The inverse, clipped."""
    levels = ((pixels[0].permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255)
    return levels.to(torch.uint8).numpy()
