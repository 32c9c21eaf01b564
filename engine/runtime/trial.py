"""Engines on trial: their answer and their time held against those of another. What ``doctor`` and ``bench`` show, a row each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import AssetError
from engine.runtime.engines import engine_names, installed
from engine.runtime.sessions import LEAST_DB, available_threads, decibels
from engine.values import Floats

__all__ = ["Trial", "compare", "engine_names", "installed", "try_engine"]

REFERENCE = "onnxruntime"  # it runs everywhere, and is itself held against torch's stored answers
WARM_UPS = 2


@dataclass(frozen=True)
class Trial:
    """How an engine did.

    ok            installed, and its picture is right
    reason        why not; "" when ok
    psnr_db       agreement of its picture with the reference engine's [dB]; None when it gave none
    ms            median time of one picture, network and compositor [ms]; None likewise
    reference_ms  the same of the engine that it was held against, measured in turns [ms]
    build_s       time until it was ready [s]; None likewise
    """

    name: str
    ok: bool
    reason: str = ""
    psnr_db: float | None = None
    ms: float | None = None
    reference_ms: float | None = None
    build_s: float | None = None


def try_engine(bundle_folder: Path, name: str, runs: int = 20, threads: int | None = None) -> Trial:
    """Builds, tests and times one engine on a generator's bundle.

    An engine that fails makes a Trial that says why. Raises AssetError when the bundle itself is of no use, ConfigError for
    a name that no engine has.
    """
    missing = installed(name)
    if missing is not None:
        return Trial(name, ok=False, reason=missing)
    # here, because the generator imports this package
    from engine.generator.live import Generator
    from engine.generator.painters import open_painter
    from engine.runtime.bundle import read_bundle

    bundle, threads = read_bundle(bundle_folder), threads or available_threads()
    generator = Generator(bundle_folder, engine=REFERENCE, threads=threads)
    exam = generator.exam()
    start = time.perf_counter()
    try:
        painter = open_painter(bundle, name, threads=threads)
        build_s = time.perf_counter() - start
        reference = open_painter(bundle, REFERENCE, threads=threads)
        return compare(name, lambda: exam.answer(reference), lambda: exam.answer(painter), peak=255.0, runs=runs, build_s=build_s)
    except Exception as error:  # noqa: BLE001 — libraries of GPUs fail in many ways, and each is the answer here
        return Trial(name, ok=False, reason=reason_of(error))


def compare(
    name: str, reference: Callable[[], Floats], candidate: Callable[[], Floats], *, peak: float, runs: int, build_s: float
) -> Trial:
    """Both answers, and the times of both in turns, so that a busy machine slows both alike. Raises what they raise."""
    for _ in range(WARM_UPS):
        wanted, got = reference().copy(), candidate().copy()
    times_ms = np.array([[_ms(reference), _ms(candidate)] for _ in range(runs)])
    reference_ms, ms = (float(column) for column in np.median(times_ms, 0))
    psnr_db = decibels(got, wanted, peak)
    if not np.isfinite(got).all():
        reason = "it gave values that are not finite"
    else:
        reason = "" if psnr_db >= LEAST_DB else f"its answer agrees to {psnr_db:.0f} dB, at least {LEAST_DB:.0f} is right"
    return Trial(name, not reason, reason, psnr_db, ms, reference_ms, build_s)


def reason_of(error: Exception) -> str:
    """An error of whatever library in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, AssetError) else f"{type(error).__name__}: {text}"


def _ms(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)
