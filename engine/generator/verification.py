"""Verification of engines on a generator: the made-up picture by which they are compared, with structure at every scale."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.conventions import pixel_grid
from engine.generator.frame_renderer import FrameRenderer, open_frame_renderer
from engine.generator.guide import make_guide
from engine.generator.manifest import read_bundle
from engine.generator.photograph import PhotographEncoder
from engine.generator.render_inputs import EncodedPhotograph, RenderInputs
from engine.generator.variants import Variant
from engine.runtime.engines import installed
from engine.runtime.sessions import available_threads
from engine.runtime.verification import Verification, compare, reason_of
from engine.values import COEFFICIENTS, Floats, Picture

REFERENCE = "onnxruntime"  # it runs everywhere, and is itself held against torch's stored answers
MOVED = 0.03  # of half the picture: eight pixels of 512


@dataclass(frozen=True)
class VerificationPicture:
    """What every engine must draw alike."""

    source: EncodedPhotograph
    inputs: RenderInputs

    def answer(self, renderer: FrameRenderer) -> Floats:
        """The renderer's picture, 0…255."""
        return renderer.render(self.source, self.inputs).astype(np.float32)


def make_verification_picture(
    variant: Variant, prepare: Callable[[Picture, Floats, Picture, Picture], EncodedPhotograph]
) -> VerificationPicture:
    """Always the same for a variant; ``prepare`` is that of ``PhotographEncoder``."""
    size = variant.size
    grid = pixel_grid(size)
    x, y = grid[..., 0], grid[..., 1]
    matte = np.clip(2 - 3 * np.hypot(x, y), 0, 1).astype(np.float32)
    foreground, plate, render = (_photograph(size, seed) for seed in range(3))
    photo = np.rint(matte[..., None] * foreground + (1 - matte[..., None]) * plate).astype(np.uint8)
    flow = (MOVED * np.stack([np.sin(2 * y), np.cos(3 * x) * y], -1)).astype(np.float32)
    weight = (0.5 * np.clip(1 - 4 * np.hypot(x, y - 0.3), 0, 1)).astype(np.float32)
    small = cv2.resize(flow, (variant.top, variant.top), interpolation=cv2.INTER_AREA)
    feeds: dict[str, Floats] = {
        "z": (0.3 * np.sin(np.arange(COEFFICIENTS, dtype=np.float32)))[None],
        "guide": make_guide(render, np.ones_like(matte), weight, variant.guide_size),
        "prior": np.ascontiguousarray(small.transpose(2, 0, 1)[None]),
    }
    return VerificationPicture(prepare(foreground, matte, plate, photo), RenderInputs(feeds, flow, render, weight))


def verify_engine(bundle_folder: Path, name: str, runs: int = 20, threads: int | None = None) -> Verification:
    """Builds, tests and times one engine on a generator's bundle.

    An engine that fails gives a Verification that says why. Raises AssetError when the bundle itself is of no use, ConfigError
    for a name that no engine has.
    """
    missing = installed(name)
    if missing is not None:
        return Verification(name, ok=False, reason=missing)
    bundle, threads = read_bundle(bundle_folder), threads or available_threads()
    with PhotographEncoder(bundle.open("source", REFERENCE, threads=threads), bundle.variant.size) as encoder:
        picture = make_verification_picture(bundle.variant, encoder.prepare)
    with ExitStack() as opened:
        try:
            start = time.perf_counter()
            renderer = opened.enter_context(open_frame_renderer(bundle, name, threads=threads))
            build_s = time.perf_counter() - start
            reference = opened.enter_context(open_frame_renderer(bundle, REFERENCE, threads=threads))
            answers = (lambda: picture.answer(reference)), (lambda: picture.answer(renderer))
            return compare(name, *answers, peak=255.0, runs=runs, build_s=build_s)
        except Exception as error:  # noqa: BLE001 — libraries of GPUs fail in many ways, and each is the answer here
            return Verification(name, ok=False, reason=reason_of(error))


def _photograph(size: int, seed: int) -> Picture:
    """(size, size, 3) with structure at every scale, like a photograph and unlike noise."""
    random, picture = np.random.default_rng(seed), np.full((size, size, 3), 128, np.float32)
    for cells, levels in ((4, 50), (16, 35), (64, 25), (256, 25)):
        coarse = random.normal(0, levels, (cells, cells, 3)).astype(np.float32)
        picture += cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.clip(picture, 0, 255).astype(np.uint8)
