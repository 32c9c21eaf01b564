"""The linear system of every landmark fit: residuals of the reprojection and their derivative, in one compiled loop."""

from __future__ import annotations

import numba
import numpy as np

from engine.conventions import CAMERA_DISTANCE_DM, FOCAL, rotation
from engine.values import Floats

POSE_COLUMNS = 6
CAMERA = np.array([FOCAL, CAMERA_DISTANCE_DM], np.float32)


def pose_only(count: int) -> Floats:
    """(N, 3, 0) the basis of points that nothing but the pose moves."""
    return np.zeros((count, 3, 0), np.float32)


def linear_system(points: Floats, seen: Floats, pose: Floats, basis: Floats) -> tuple[Floats, Floats]:
    """Residual (2 N,) = seen − projected, x and y of each point in turn, and the projection's derivative J (2 N, 6 + K).

    points (N, 3) head coordinates · seen (N, 2 or 3) crop coordinates · pose (6,) · basis (N, 3, K), how K coefficients move
    the points. J's columns are a small rotation before R, a shift of t, and the coefficients.
    """
    count = len(points)
    residual = np.empty(2 * count, np.float32)
    J = np.empty((2 * count, POSE_COLUMNS + basis.shape[2]), np.float32)
    turn, shift = rotation(pose[:3]), np.asarray(pose[3:], np.float32)
    _fill(np.asarray(points, np.float32), np.asarray(seen, np.float32), turn, shift, basis, CAMERA, residual, J)
    return residual, J


@numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def _fill(points, seen, R, t, basis, camera, residual, J):  # type: ignore[no-untyped-def]
    focal, distance = camera[0], camera[1]
    for n in range(points.shape[0]):
        px, py, pz = points[n, 0], points[n, 1], points[n, 2]
        # the arm from the head's origin, turned
        ax = R[0, 0] * px + R[0, 1] * py + R[0, 2] * pz
        ay = R[1, 0] * px + R[1, 1] * py + R[1, 2] * pz
        az = R[2, 0] * px + R[2, 1] * py + R[2, 2] * pz
        scale = focal / (distance - az - t[2])
        x, y = scale * (ax + t[0]), -scale * (ay + t[1])
        residual[2 * n], residual[2 * n + 1] = seen[n, 0] - x, seen[n, 1] - y
        # derivative of x, y by the place in camera space: (scale, 0, xz) and (0, −scale, yz)
        xz, yz = x * scale / focal, y * scale / focal
        row_x, row_y = J[2 * n], J[2 * n + 1]
        row_x[0], row_x[1], row_x[2] = xz * ay, scale * az - xz * ax, -scale * ay
        row_y[0], row_y[1], row_y[2] = scale * az + yz * ay, -yz * ax, -scale * ax
        row_x[3], row_x[4], row_x[5] = scale, np.float32(0), xz
        row_y[3], row_y[4], row_y[5] = np.float32(0), -scale, yz
        # the same by the place in head coordinates
        x0, x1, x2 = scale * R[0, 0] + xz * R[2, 0], scale * R[0, 1] + xz * R[2, 1], scale * R[0, 2] + xz * R[2, 2]
        y0, y1, y2 = yz * R[2, 0] - scale * R[1, 0], yz * R[2, 1] - scale * R[1, 1], yz * R[2, 2] - scale * R[1, 2]
        for k in range(basis.shape[2]):
            row_x[POSE_COLUMNS + k] = x0 * basis[n, 0, k] + x1 * basis[n, 1, k] + x2 * basis[n, 2, k]
            row_y[POSE_COLUMNS + k] = y0 * basis[n, 0, k] + y1 * basis[n, 1, k] + y2 * basis[n, 2, k]
