"""Real faces for the engine's tests: two public-domain portraits, prepared once."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pytest

from engine.animator import Animator, PreparedPortrait
from engine.picture import read_picture
from engine.portrait import Portrait, load_portrait
from engine.values import Picture

MONA_LISA = Path(__file__).parents[2] / "engine" / "assets" / "portrait.jpg"
HOPPER = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"  # US Navy, public domain


@pytest.fixture(scope="session")
def hopper_photo() -> Picture:
    return read_picture(HOPPER)


@pytest.fixture(scope="session")
def hopper() -> Portrait:
    return load_portrait(HOPPER)


@pytest.fixture(scope="session")
def mona() -> Portrait:
    return load_portrait(MONA_LISA)


@pytest.fixture(scope="session")
def animator() -> Animator:
    return Animator(engine="onnxruntime")


@pytest.fixture(scope="session")
def hopper_source(animator: Animator, hopper: Portrait) -> PreparedPortrait:
    return animator.prepare(hopper)


@pytest.fixture(scope="session")
def mona_source(animator: Animator, mona: Portrait) -> PreparedPortrait:
    return animator.prepare(mona)


def psnr(a: Picture, b: Picture) -> float:
    """Peak signal-to-noise ratio of two uint8 pictures [dB]."""
    error = float(np.mean((a.astype(np.float64) - b) ** 2))
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)
