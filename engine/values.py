"""The values that travel between the parts: a frame, a face, coefficients. All frozen; all arrays are float32 unless said.

Pictures are RGB, uint8, (H, W, 3), row 0 on top. Left and right are always the person's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]  # float32; in between also float64
Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Corrections = Literal["new", "kept", "none"]
"""The network's corrections of a picture: computed for it, those of the picture before, or none (geometry alone)."""

IDENTITY, EXPRESSION, TEXTURE, ILLUMINATION, POSE, GAZE = 80, 64, 80, 27, 6, 4
COEFFICIENTS = IDENTITY + EXPRESSION + TEXTURE + ILLUMINATION + POSE + GAZE  # 261, paper section 3.1
BETA, ANGLES, TAU = slice(80, 144), slice(251, 254), slice(257, 261)  # where they lie in z
LANDMARKS = 478
FACE_POINTS = 468  # the first of them; the rest are irises

# The 52 blend shapes of ARKit, the names that mediapipe's blendshape network and the head's targets use, in β's order.
EXPRESSION_NAMES: tuple[str, ...] = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft",
    "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft",
    "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft",
    "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel", "mouthLeft",
    "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight",
    "tongueOut",
)  # fmt: skip


JAW_OPEN = EXPRESSION_NAMES.index("jawOpen")  # of β
BLINKS = slice(EXPRESSION_NAMES.index("eyeBlinkLeft"), EXPRESSION_NAMES.index("eyeBlinkRight") + 1)  # of β, left and right


@dataclass(frozen=True)
class Coefficients:
    """z = (α, β, δ, γ, p, τ), the 261 numbers that describe one face in one picture (paper, section 3.1).

    identity      (80,)  α, standard deviations
    expression    (64,)  β, [0:52] the ARKit blend shapes of ``EXPRESSION_NAMES``, each 0…1; [52:64] further components
    texture       (80,)  δ, standard deviations of albedo
    illumination  (27,)  γ, 9 spherical harmonics × RGB, component-major: γ.reshape(9, 3)
    pose          (6,)   p, pitch, yaw, roll [rad] and x, y, z [dm]; see ``engine.conventions``
    gaze          (4,)   τ, x and y of the unit vector from eye centre to pupil, in the head's own frame:
                         left x, left y, right x, right y (x toward the person's left, y up); 0 = straight ahead
    """

    identity: Floats
    expression: Floats
    texture: Floats
    illumination: Floats
    pose: Floats
    gaze: Floats

    def vector(self) -> Floats:
        """z as one (261,) vector, in the paper's order."""
        return np.concatenate([self.identity, self.expression, self.texture, self.illumination, self.pose, self.gaze])

    @staticmethod
    def from_vector(vector: Floats) -> Coefficients:
        """The inverse of ``vector``; raises ValueError unless it is (261,)."""
        if vector.shape != (COEFFICIENTS,):
            raise ValueError(f"z must have shape ({COEFFICIENTS},), got {vector.shape}")
        ends = np.cumsum([IDENTITY, EXPRESSION, TEXTURE, ILLUMINATION, POSE])
        return Coefficients(*(part.astype(np.float32) for part in np.split(vector, ends)))

    @staticmethod
    def neutral() -> Coefficients:
        """The mean head, at rest, looking straight ahead from the origin, under even white light."""
        zeros = Coefficients.from_vector(np.zeros(COEFFICIENTS, np.float32))
        zeros.illumination[:3] = 1.0  # the constant harmonic; see engine.render.lighting
        return zeros


@dataclass(frozen=True)
class Face:
    """What the tracker found in one picture; numbers only.

    landmarks   (478, 3)  x (right), y (down) in pixels of that picture, z in the same unit, larger = nearer to the camera;
                          points 468–472 are the right iris, 473–477 the left one
    blendshapes (52,)     scores 0…1 in the order of ``EXPRESSION_NAMES``
    size        (2,)      width and height of the picture [px]
    """

    landmarks: Floats
    blendshapes: Floats
    size: tuple[int, int]


@dataclass(frozen=True)
class Square:
    """A square cut-out of a picture: what lies in it is 'the crop', with normalised coordinates −1…1 (``engine.conventions``)."""

    centre_x_px: float
    centre_y_px: float
    side_px: float

    def normalise(self, points_px: Floats) -> Floats:
        """(N, 2 or 3) pixels of the picture → crop coordinates; a third column is only scaled."""
        half = self.side_px / 2
        out = points_px / np.float32(half)
        out[:, 0] -= self.centre_x_px / half
        out[:, 1] -= self.centre_y_px / half
        return out.astype(np.float32)

    def to_pixels(self, points: Floats) -> Floats:
        """The inverse of ``normalise`` for (N, 2) points."""
        half = self.side_px / 2
        return np.asarray(points * half + np.array([self.centre_x_px, self.centre_y_px]), np.float32)

    def matrix(self, size_px: int) -> NDArray[np.float64]:
        """(2, 3) affine map from pixel indices of the picture to pixel indices of the crop resized to ``size_px``."""
        scale = size_px / self.side_px
        # pixel centres lie at index + 0.5
        offset = [size_px / 2 - (c - 0.5) * scale - 0.5 for c in (self.centre_x_px, self.centre_y_px)]
        return np.array([[scale, 0.0, offset[0]], [0.0, scale, offset[1]]])
