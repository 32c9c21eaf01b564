"""The renderer on an NVIDIA GPU, by nvdiffrast: the only module that imports it. Not verified on a GPU so far.

It keeps the rules of ``raster.py`` with two exceptions that come with the hardware: a pixel on the edge of two triangles
belongs to one of them by the top-left rule, and depth is resolved in float32 after mapping to −1…1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import ConfigError
from engine.render.raster import Indices, Raster
from engine.values import Floats


class CudaRenderer:
    """See ``engine.render.raster.Renderer``."""

    def __init__(self, size: int) -> None:
        try:
            import nvdiffrast.torch as nvdiffrast
            import torch
        except ImportError as error:
            raise ConfigError(
                'the renderer "cuda" needs the packages torch and nvdiffrast, which are not installed: install them or use "cpu"'
            ) from error
        if not torch.cuda.is_available():
            raise ConfigError('the renderer "cuda" needs an NVIDIA GPU, and torch finds none: use "cpu"')
        self._size = size
        self._torch: Any = torch
        self._nvdiffrast: Any = nvdiffrast
        self._context: Any = nvdiffrast.RasterizeCudaContext()

    @property
    def size(self) -> int:
        """Width and height of the picture [px]."""
        return self._size

    def rasterise(self, screen: Floats, triangles: Indices) -> Raster:
        """(V, 3) screen vertices, (T, 3) triangles → what is seen."""
        clip = self._upload(clip_space(screen))[None]
        resolution = [self._size, self._size]
        seen, _ = self._nvdiffrast.rasterize(self._context, clip, self._upload(drawable(screen, triangles)), resolution)
        u, v, _, index = (channel.cpu().numpy() for channel in seen[0].unbind(-1))
        triangle = index.astype(np.int32) - 1
        raster = Raster(triangle, np.stack([u, v], -1), np.full(triangle.shape, np.inf, np.float32))
        depth = self.interpolate(raster, triangles, np.ascontiguousarray(screen[:, 2:]))[..., 0]
        np.copyto(raster.depth, depth, where=triangle >= 0)
        return raster

    def interpolate(self, raster: Raster, triangles: Indices, attributes: Floats, out: Floats | None = None) -> Floats:
        """(V, C) values at the vertices → (N, N, C) values in the pixels, 0 where empty."""
        seen = np.concatenate([raster.weights, raster.depth[..., None], raster.triangle[..., None] + 1], -1).astype(np.float32)
        values, _ = self._nvdiffrast.interpolate(
            self._upload(attributes)[None], self._upload(seen)[None], self._upload(triangles)
        )
        picture: Floats = values[0].cpu().numpy()
        if out is None:
            return picture
        out[:] = picture
        return out

    def _upload(self, array: Floats | Indices) -> Any:
        return self._torch.from_numpy(np.ascontiguousarray(array)).cuda()


def clip_space(screen: Floats) -> Floats:
    """(V, 3) screen → (V, 4) with w = 1, so that weights are affine, and depth mapped to −1…1.

    nvdiffrast's row 0 is y = −1 (OpenGL's lower edge): with y down that is the top row, so nothing is flipped.
    """
    depth = np.where(np.isfinite(screen[:, 2]), screen[:, 2], 0)
    near, far = depth.min(), depth.max()
    mapped = (depth - near) / max(float(far - near), 1e-6) * 1.8 - 0.9
    return np.asarray(np.concatenate([screen[:, :2], mapped[:, None], np.ones((len(screen), 1))], 1), np.float32)


def drawable(screen: Floats, triangles: Indices) -> Indices:
    """The triangles, those behind the camera or with a vertex that is not finite collapsed to nothing (their index stays)."""
    corners = screen[triangles]
    good = np.asarray(np.isfinite(corners).all((1, 2)) & (corners[:, :, 2] > 0).all(1))
    return np.where(good[:, None], triangles, triangles[:, :1]).astype(np.int32)
