"""Verification of engines: their answer and their time, compared with those of another. ``doctor`` and ``bench`` show them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.errors import AssetError
from engine.runtime.sessions import LEAST_DB, decibels
from engine.values import Floats

WARM_UPS = 2


def _go_on() -> None:
    """The check of who never stops."""


@dataclass(frozen=True)
class Verification:
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


def compare(
    name: str,
    reference: Callable[[], Floats],
    candidate: Callable[[], Floats],
    *,
    peak: float,
    runs: int,
    build_s: float,
    clock: Callable[[], float] = time.perf_counter,
    check: Callable[[], None] = _go_on,
) -> Verification:
    """Both answers, and the times of both in turns, so that a busy machine slows both alike.

    ``check`` is called before each run and may raise, to end the comparison. Raises what it and the two raise.
    """

    def timed_ms(answer: Callable[[], Floats]) -> float:
        check()
        start_s = clock()
        answer()
        return 1000 * (clock() - start_s)

    for _ in range(WARM_UPS):
        check()
        wanted, got = reference().copy(), candidate().copy()
    times_ms = np.array([[timed_ms(reference), timed_ms(candidate)] for _ in range(runs)])
    reference_ms, ms = (float(column) for column in np.median(times_ms, 0))
    psnr_db = decibels(got, wanted, peak)
    if not np.isfinite(got).all():
        reason = "it gave values that are not finite"
    else:
        reason = "" if psnr_db >= LEAST_DB else f"its answer agrees to {psnr_db:.0f} dB, at least {LEAST_DB:.0f} is right"
    return Verification(name, not reason, reason, psnr_db, ms, reference_ms, build_s)


def reason_of(error: Exception) -> str:
    """An error of whatever library in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, AssetError) else f"{type(error).__name__}: {text}"
