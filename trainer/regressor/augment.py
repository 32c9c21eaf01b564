"""Random changes of an example: turned, shifted, scaled, mirrored, and photographed badly; its labels follow exactly.

A turn about the optical axis is exact. Shifts and scales of the crop are as a camera that pans and steps back: exact to a
hundredth of the change, for the camera's angle is narrow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from engine.conventions import CAMERA_DISTANCE_DM, FOCAL
from engine.head import HeadModel
from engine.regress.landmarks import LandmarkBasis
from engine.values import EXPRESSION_NAMES, Coefficients, Floats, Picture
from trainer.regressor.examples import Example

TURN_RAD, SHIFT, SCALE = 0.12, 0.03, 0.04  # standard deviations
MIRRORED, GREY, COVERED, BLURRED, NOISY = 0.5, 0.04, 0.12, 0.3, 0.4  # how often
HARMONICS_OF_X = (3, 4, 7)  # x, xy, xz change their sign in a mirror; see engine.render.lighting


@dataclass(frozen=True)
class Mirror:
    """Which landmark and which expression takes the place of which in a mirror; (478,) and (64,)."""

    landmarks: np.ndarray[tuple[int], np.dtype[np.int64]]
    expression: np.ndarray[tuple[int], np.dtype[np.int64]]


@lru_cache(maxsize=2)
def mirror_of(head: HeadModel) -> Mirror:
    """Found on the mean head."""
    points = LandmarkBasis.of(head).mean
    flipped = points * np.array([-1, 1, 1], np.float32)
    nearest = ((points[:, None] - flipped[None]) ** 2).sum(-1).argmin(0)
    names = [_other_side(name) for name in EXPRESSION_NAMES]
    order = [EXPRESSION_NAMES.index(name) for name in names] + list(range(len(names), 64))
    return Mirror(nearest, np.array(order))


def augment(example: Example, rng: np.random.Generator, mirror: Mirror, size_px: int) -> Example:
    """A random variation of an example, its image resampled to ``size_px``."""
    if rng.random() < MIRRORED:
        example = mirrored(example, mirror)
    turn = float(rng.normal(0, TURN_RAD))
    scale = float(np.exp(rng.normal(0, SCALE)))
    shift = rng.normal(0, SHIFT, 2).astype(np.float32)
    example = moved(example, turn, scale, shift, size_px)
    gains = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.05, 3)).astype(np.float32)
    image = _photographed(example.image.astype(np.float32) * gains, rng)
    z = Coefficients.from_vector(example.z)
    light = (z.illumination.reshape(9, 3) * gains).reshape(-1)
    return replace(example, image=image, z=replace(z, illumination=light).vector())


def resized(example: Example, size_px: int) -> Example:
    """An example as it is, its image resampled to ``size_px``."""
    return moved(example, 0.0, 1.0, np.zeros(2, np.float32), size_px)


def mirrored(example: Example, mirror: Mirror) -> Example:
    """Left and right exchanged. The bases of identity and texture know no mirror: their coefficients are not trusted after it."""
    z = Coefficients.from_vector(example.z)
    light = z.illumination.reshape(9, 3).copy()
    light[list(HARMONICS_OF_X)] *= -1
    other = Coefficients(
        z.identity,
        z.expression[mirror.expression],
        z.texture,
        light.reshape(-1),
        z.pose * np.array([1, -1, -1, -1, 1, 1], np.float32),
        z.gaze[[2, 3, 0, 1]] * np.array([-1, 1, -1, 1], np.float32),
    )
    trust = example.trust * np.array([0, 1, 0, 1, 1, 1], np.float32)
    landmarks = example.landmarks[mirror.landmarks] * np.array([-1, 1], np.float32)
    return replace(example, image=example.image[:, ::-1], z=other.vector(), trust=trust, landmarks=landmarks)


def moved(example: Example, turn_rad: float, scale: float, shift: Floats, size_px: int) -> Example:
    """The picture turned anticlockwise, enlarged about its centre, then shifted (2,) in crop coordinates."""
    c, s = np.cos(turn_rad), np.sin(turn_rad)
    matrix = scale * np.array([[c, s], [-s, c]])  # crop coordinates have y down
    # pixel i of N lies at (2i + 1)/N − 1
    old, new = example.image.shape[0], size_px
    linear = matrix * (new / old)
    offset = (matrix @ np.full(2, 1 / old - 1) + shift + 1) * new / 2 - 0.5
    warp = np.concatenate([linear, offset[:, None]], 1)
    image = cv2.warpAffine(example.image, warp, (new, new), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    z = Coefficients.from_vector(example.z)
    z = replace(z, pose=_moved_pose(z.pose, turn_rad, scale, shift), illumination=_turned_light(z.illumination, turn_rad))
    landmarks = (example.landmarks @ matrix.T + shift).astype(np.float32)
    return replace(example, image=np.asarray(image, np.uint8), z=z.vector(), landmarks=landmarks)


def _moved_pose(pose: Floats, turn_rad: float, scale: float, shift: Floats) -> Floats:
    c, s = np.cos(turn_rad), np.sin(turn_rad)
    depth = CAMERA_DISTANCE_DM - pose[5]
    x, y = c * pose[3] - s * pose[4], s * pose[3] + c * pose[4]
    new_depth = depth / scale
    new_x, new_y = x + shift[0] * new_depth / FOCAL, y - shift[1] * new_depth / FOCAL
    # the head keeps its look along the ray on which it is seen
    yaw = pose[1] - (new_x / new_depth - x / depth)
    pitch = pose[0] + (new_y / new_depth - y / depth)
    return np.array([pitch, yaw, pose[2] + turn_rad, new_x, new_y, CAMERA_DISTANCE_DM - new_depth], np.float32)


def _turned_light(illumination: Floats, turn_rad: float) -> Floats:
    """γ of a light turned with the picture: the harmonics mix in pairs (y, x), (yz, xz), (xy, x²−y²)."""
    old = illumination.reshape(9, 3)
    new = old.copy()
    for first, second, angle in ((1, 3, turn_rad), (5, 7, turn_rad), (4, 8, 2 * turn_rad)):
        c, s = np.cos(angle), np.sin(angle)
        new[first], new[second] = c * old[first] + s * old[second], c * old[second] - s * old[first]
    return new.reshape(-1)


def _photographed(picture: Floats, rng: np.random.Generator) -> Picture:
    """(S, S, 3) 0…255 with a bad camera's blur, noise and grey, or something held in front."""
    size = picture.shape[0]
    if rng.random() < BLURRED:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.2) * size / 160), np.float32)
    if rng.random() < GREY:
        picture = np.repeat(picture.mean(2, keepdims=True), 3, 2)
    contrast = rng.normal(1, 0.12)
    picture = (picture - 110) * contrast + 110
    if rng.random() < NOISY:
        picture = picture + rng.standard_normal(picture.shape, np.float32) * rng.uniform(1, 10)
    if rng.random() < COVERED:
        side = rng.integers(size // 10, size // 3, 2)
        top, left = (int(rng.integers(0, size - s)) for s in side)
        picture[top : top + side[0], left : left + side[1]] = rng.uniform(0, 255, 3)
    return np.asarray(picture.clip(0, 255), np.uint8)


def _other_side(name: str) -> str:
    if name.endswith("Left"):
        return name[:-4] + "Right"
    return name[:-5] + "Left" if name.endswith("Right") else name
