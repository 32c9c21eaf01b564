"""Quaternions (x, y, z, w), which some protocols carry, and rotation matrices."""

from __future__ import annotations

import numpy as np

from engine.values import Floats
from vcam.protocols.face import PacketError


def matrix_of(quaternion: Floats) -> Floats:
    """(3, 3) of a (4,) quaternion of any length; raises PacketError for one without direction."""
    length = float(np.linalg.norm(quaternion))
    if not np.isfinite(length) or length < 1e-3:
        raise PacketError("a rotation is no rotation")
    x, y, z, w = np.asarray(quaternion, np.float64) / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion_of(matrix: Floats) -> Floats:
    """(4,) unit quaternion of a (3, 3) rotation, w ≥ 0: the largest of its four parts first (Shepperd 1978)."""
    m = np.asarray(matrix, np.float64)
    squares = np.array([1 + 2 * m[0, 0] - m.trace(), 1 + 2 * m[1, 1] - m.trace(), 1 + 2 * m[2, 2] - m.trace(), 1 + m.trace()])
    products = np.array(
        [
            [squares[0], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[2, 1] - m[1, 2]],
            [m[0, 1] + m[1, 0], squares[1], m[1, 2] + m[2, 1], m[0, 2] - m[2, 0]],
            [m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], squares[2], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], squares[3]],
        ]
    )
    quaternion = products[int(np.argmax(squares))]
    unit: Floats = quaternion / np.linalg.norm(quaternion)
    return unit if unit[3] >= 0 else -unit
