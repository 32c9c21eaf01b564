"""The engines and the renderer that need an NVIDIA GPU, on the bundle that ships and on the head."""

from __future__ import annotations

import numpy as np

from engine.conventions import place as placed
from engine.conventions import project
from engine.generator.manifest import LIVE_BUNDLE
from engine.generator.verification import verify_engine
from engine.head import load_head
from engine.render import create_renderer
from engine.runtime.engines import installed
from engine.values import Coefficients, Floats
from trainer.gpu.checks import AbsentError, CheckFailedError, Measures
from trainer.gpu.context import CheckContext

SAME_PIXELS = 0.99  # share of pixels in which both renderers see the same triangle: edges may go either way
SIZE_PX = 512


def torch_cuda(context: CheckContext) -> Measures:
    """In small torch on the CPU stands for it."""
    return _verified("torch-cuda" if context.on_gpu else "torch", context)


def onnxruntime_cuda(context: CheckContext) -> Measures:
    """ONNX Runtime's build for CUDA."""
    return _verified("onnxruntime-cuda", context)


def tensorrt(context: CheckContext) -> Measures:
    """Built anew or from the cache."""
    return _verified("tensorrt", context)


def nvdiffrast(context: CheckContext) -> Measures:
    """The head, turned, by nvdiffrast and by the processor. Raises CheckFailedError, AbsentError."""
    if not context.on_gpu:
        raise AbsentError("nvdiffrast draws on NVIDIA GPUs only")
    import nvdiffrast.torch  # noqa: F401 - absent in most installations: said by its name

    head, size = load_head(), SIZE_PX
    z = Coefficients.neutral()
    z.pose[:3] = (0.1, 0.4, 0.05)
    screen = _screen(project(placed(head.mean_shape, z.pose)), size)
    rasters = [create_renderer(name, size).rasterise(screen, head.triangles) for name in ("cpu", "cuda")]
    here, there = (raster.triangle for raster in rasters)
    same = float((here == there).mean())
    both = (here == there) & (here >= 0)
    weights = float(np.abs(rasters[0].weights - rasters[1].weights)[both].max()) if both.any() else 1.0
    if same < SAME_PIXELS or weights > 0.01:
        raise CheckFailedError(f"the same triangle in {same:.1%} of the pixels, and there weights differ by up to {weights:.3f}")
    return {"same triangle [%]": round(100 * same, 2), "weights differ by": round(weights, 5)}


def _verified(name: str, context: CheckContext) -> Measures:
    reason = installed(name)
    if reason is not None:
        raise AbsentError(reason)
    found = verify_engine(LIVE_BUNDLE, name, runs=2 if context.small else 20)
    if not found.ok:
        raise CheckFailedError(found.reason)
    measured = {"agreement [dB]": found.psnr_db, "picture [ms]": found.ms, "reference [ms]": found.reference_ms,
                "ready after [s]": found.build_s}  # fmt: skip
    return {what: round(value, 2) for what, value in measured.items() if value is not None}


def _screen(points: Floats, size: int) -> Floats:
    """Crop coordinates with depth → pixels with depth."""
    return np.concatenate([(points[:, :2] + 1) * size / 2, points[:, 2:]], 1).astype(np.float32)
