"""The conventions, stated once: coordinates, camera, angles, flow. Everything else points here.

Head coordinates   decimetres; x toward the person's left, y up, z out of the face, toward the viewer. Right-handed.
Pose               p = (pitch, yaw, roll [rad], x, y, z [dm]). A vertex v goes to R·v + t with R = Rz(roll)·Ry(yaw)·Rx(pitch),
                   as in D3DFR (Deng et al. 2019). In the picture: pitch > 0 looks down, yaw > 0 turns the nose to the right of
                   the picture (the person's left), roll > 0 tilts the head anticlockwise as seen by the viewer.
Camera             perspective, on the z axis at +10 dm, looking at the origin, focal length 1015 px for a picture of 224 px
                   (D3DFR): x_n = F·x / (10 − z), y_n = −F·y / (10 − z) with F = 1015/112. Depth = 10 − z, larger is farther.
Crop coordinates   a square picture spans −1…1; x right, y down; the centre of pixel i of N lies at (2i + 1)/N − 1
                   (``align_corners=False``). Independent of resolution.
Flow               backward: out(p) = source(p + flow(p)); (…, 2) or (N, 2, H, W), channel 0 = x, 1 = y, in crop coordinates, so
                   resizing a flow never rescales it. Bilinear, border padding, always float32. Only the photograph's own
                   colours are sampled bicubically (a = −0.75, at points half a pixel apart, clipped to their range):
                   docs/generator.md tells why.
Pictures           RGB; uint8 0…255 outside the networks, float −1…1 inside.
"""

from __future__ import annotations

import numpy as np

from engine.values import Floats

FOCAL = 1015.0 / 112.0  # half pictures, D3DFR
CAMERA_DISTANCE_DM = 10.0


def rotation(angles_rad: Floats) -> Floats:
    """(3,) pitch, yaw, roll → (3, 3) R."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles_rad), np.sin(angles_rad)
    return np.array(
        [
            [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
            [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
            [-sy, cy * sx, cy * cx],
        ],
        np.float32,
    )


def angles(matrix: Floats) -> Floats:
    """(3, 3) R → (3,) pitch, yaw, roll, the inverse of ``rotation`` for |yaw| < 90°."""
    yaw = np.arcsin(np.clip(-matrix[2, 0], -1, 1))
    return np.array([np.arctan2(matrix[2, 1], matrix[2, 2]), yaw, np.arctan2(matrix[1, 0], matrix[0, 0])], np.float32)


def place(points: Floats, pose: Floats) -> Floats:
    """(N, 3) head coordinates → camera space (dm), R·v + t."""
    placed: Floats = points @ rotation(pose[:3]).T + pose[3:]
    return placed


def project(placed: Floats) -> Floats:
    """(N, 3) camera space → (N, 3) crop coordinates x, y and depth [dm]."""
    depth = CAMERA_DISTANCE_DM - placed[:, 2]
    return np.stack([FOCAL * placed[:, 0] / depth, -FOCAL * placed[:, 1] / depth, depth], 1)


def pixel_grid(size: int) -> Floats:
    """(size, size, 2) crop coordinates of the pixel centres."""
    axis = (2 * np.arange(size, dtype=np.float32) + 1) / size - 1
    return np.stack(np.meshgrid(axis, axis, indexing="xy"), -1)
