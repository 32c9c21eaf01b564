"""Every engine side by side: its speed, whether its picture is right, and how much of the machine's arithmetic it reaches."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from engine.generator.manifest import LIVE_BUNDLE, read_bundle
from engine.generator.variants import Variant
from engine.generator.verification import verify_engine
from engine.runtime import available_threads
from engine.runtime.engines import ENGINES, engine_names, installed
from engine.runtime.verification import Verification
from engine.values import Floats

MATRIX = 1024  # side of the matrices whose product shows the peak
PRODUCTS, ROUNDS = 4, 3


def compare_engines(peak_gflop_per_s: float) -> list[dict[str, Any]]:
    """One row an engine: {"name", "installed", "ok", "reason", "psnr_db", "ms", "build_s", "gflop_per_s",
    "share_of_peak"}.

    What was not measured is None. The share is told for engines that compute in float32, as the peak does.
    """
    gflop = network_gflop(read_bundle(LIVE_BUNDLE).variant)
    return [row(verify_engine(LIVE_BUNDLE, name), gflop, peak_gflop_per_s) for name in engine_names()]


def row(trial: Verification, gflop: float, peak_gflop_per_s: float) -> dict[str, Any]:
    """A trial as it is printed."""
    speed = gflop / (trial.ms / 1000) if trial.ms else None
    comparable = speed is not None and ENGINES[trial.name].exact
    return {
        "name": trial.name,
        "installed": installed(trial.name) is None,
        "ok": trial.ok,
        "reason": trial.reason,
        "psnr_db": rounded(trial.psnr_db, 1),
        "ms": rounded(trial.ms, 2),
        "build_s": rounded(trial.build_s, 2),
        "gflop_per_s": rounded(speed, 1),
        "share_of_peak": rounded(speed / peak_gflop_per_s, 2) if speed is not None and comparable else None,
    }


def rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits)


def network_gflop(variant: Variant) -> float:
    """Floating-point operations of the network for one picture, in 10⁹: its convolutions, two per multiplication with addition.

    All else together is less than a hundredth. See ``engine.generator.far`` for what is counted here.
    """
    points, inputs, before = 0, variant.blocks[0][1], variant.blocks[0][0]
    for number, (resolution, width) in enumerate(variant.blocks):
        convs, last = (1 if number == 0 else variant.convs), number == len(variant.blocks) - 1
        points += 9 * inputs * width * before**2 + (convs - 1) * 9 * width**2 * resolution**2  # the first at the size before
        inputs, before = width + 2 * variant.feature_width(resolution), resolution
        heads = (6 if variant.has_mask else 5) * (variant.sub_pixels**2 if last else 1)
        points += inputs * heads * resolution**2
    return 2e-9 * (points + encoder_products(variant))


def encoder_products(variant: Variant) -> int:
    """Multiplications of the encoder of the guide."""
    folded = variant.guide_channels * (variant.guide_size // variant.top) ** 2
    products = 9 * folded * variant.feature_width(variant.top) * variant.top**2
    sizes = variant.resolutions
    return products + sum(
        9 * variant.feature_width(fine) * variant.feature_width(coarse) * coarse**2 for coarse, fine in pairwise(sizes)
    )


def peak_gflop_per_s() -> float:
    """The most that matrix products in float32 reach here, with as many threads as the engines use."""
    threads = available_threads()
    matrices = [np.random.default_rng(number).random((MATRIX, MATRIX), np.float32) for number in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        speeds = []
        for _ in range(ROUNDS):
            start_s = time.perf_counter()
            list(pool.map(multiply, matrices))
            speeds.append(2e-9 * MATRIX**3 * PRODUCTS * threads / (time.perf_counter() - start_s))
    return round(max(speeds), 1)


def multiply(matrix: Floats) -> Floats:
    """A few products; numpy lets other threads run meanwhile."""
    out = np.empty_like(matrix)
    for _ in range(PRODUCTS):
        np.matmul(matrix, matrix, out=out)
    return out
