"""Meshes to pictures: one interface (``raster.Renderer``), a fast CPU version, a readable reference and a CUDA version."""

from __future__ import annotations

from typing import Literal, get_args

from engine.errors import ConfigError
from engine.render.raster import Raster, Renderer

RendererName = Literal["cpu", "cuda"]

__all__ = ["Raster", "Renderer", "RendererName", "create_renderer"]


def create_renderer(name: RendererName = "cpu", size: int = 512) -> Renderer:
    """A renderer of (size, size) pictures. Raises ConfigError for another name or when its library is missing."""
    if name == "cpu":
        from engine.render.cpu import CpuRenderer  # here, because numba takes half a second to import

        return CpuRenderer(size)
    if name == "cuda":
        from engine.render.cuda import CudaRenderer  # here, because it needs torch and nvdiffrast

        return CudaRenderer(size)
    raise ConfigError(f"the renderer must be one of {', '.join(get_args(RendererName))}, got {name!r}")
