"""Light on a mesh: vertex normals, and Lambertian shading by the first nine spherical harmonics (paper eq. 4, as D3DFR).

The illumination γ.reshape(9, 3) holds the light's own harmonics (RGB); the basis below is already convolved with Lambert's
cosine and scaled so that the constant one is 1: γ[:3] = 1 and the rest 0 gives colour = albedo. A positive coefficient
of the y, z and x harmonics is light from above, from the viewer, from the person's left (at a pose of zeros).
"""

from __future__ import annotations

import numba
import numpy as np

from engine.render.raster import Indices
from engine.values import Floats

# Lambert's kernel weighs the bands 1, 2/3, 1/4 (Ramamoorthi and Hanrahan 2001); √3 … are the harmonics relative to the constant.
BAND_1 = float(2 / 3 * np.sqrt(3))
BAND_2 = float(1 / 4 * np.sqrt(15))
BAND_2_ZONAL = float(1 / 4 * np.sqrt(5) / 2)


def harmonics(normals: Floats) -> Floats:
    """(V, 3) unit normals → (V, 9): 1, y, z, x, xy, yz, 3z²−1, xz, x²−y², each with its factor."""
    x, y, z = normals.T
    linear = [BAND_1 * y, BAND_1 * z, BAND_1 * x]
    quadratic = [
        BAND_2 * x * y,
        BAND_2 * y * z,
        BAND_2_ZONAL * (3 * z * z - 1),
        BAND_2 * x * z,
        BAND_2 / 2 * (x * x - y * y),
    ]
    return np.asarray(np.stack([np.ones_like(x), *linear, *quadratic], 1), np.float32)


def shade(albedo: Floats, normals: Floats, illumination: Floats) -> Floats:
    """(V, 3) albedo, (V, 3) unit normals in camera space, (27,) γ → (V, 3) colours in the albedo's unit, not below 0."""
    irradiance = harmonics(normals) @ illumination.reshape(9, 3)
    return np.asarray(np.maximum(albedo * irradiance, 0))


def vertex_normals(vertices: Floats, triangles: Indices, out: Floats | None = None) -> Floats:
    """(V, 3) vertices, (T, 3) triangles → (V, 3) unit normals, weighted by the triangles' areas; 0 where there is none."""
    if out is None:
        out = np.empty(vertices.shape, np.float32)
    _normals(np.ascontiguousarray(vertices, np.float32), triangles, out)
    return out


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _normals(vertices: Floats, triangles: Indices, out: Floats) -> None:
    out[:] = 0.0
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
        vx, vy, vz = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in (a, b, c):
            out[k, 0] += nx
            out[k, 1] += ny
            out[k, 2] += nz
    for k in range(out.shape[0]):
        length = np.sqrt(out[k, 0] ** 2 + out[k, 1] ** 2 + out[k, 2] ** 2)
        if length > 0.0:
            for i in range(3):
                out[k, i] /= length
