"""An invisible mark: a weak pattern over the whole picture, which survives compression, cropping and scaling, and can be found.

The pattern is noise in a band of low frequencies, one tile repeated over the picture (additive spread spectrum; Cox et al.,
Secure spread spectrum watermarking for multimedia, 1997). The repetition makes it independent of crops: the detector folds a
picture to one tile and looks for the pattern at every offset. What a meeting program's scaling makes of the tile's size is not
known, so that is searched, too. The mark says that this program made a picture, and nothing about whom or when; everybody who
knows this file can find it, imitate it and remove it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.values import Floats, Picture

SEED = 20_250_802
TILE = 128  # samples of a tile's side
TILES = 3  # tiles in a picture's height
BAND = (6.0, 18.0)  # waves per tile: at 720 px 40 to 13 px long
STRENGTH = 1.8  # standard deviation where the picture is rough, of 255 levels
LARGEST = 4.0
FLAT = 0.3  # share of it where the picture is flat, and everything would be seen
ROUGH = 4.0  # mean difference from the surroundings, in levels, from which on the picture hides all of it
FINE = 32  # steps of a level in which the pattern is kept

SHARES = np.asarray(255 * np.clip(FLAT + (1 - FLAT) * np.arange(256) / ROUGH, 0, 1) + 0.5, np.uint8)

STEP = 0.008  # between sizes that are tried, relative: at the edges a quarter of the shortest wave
SIZES = np.exp(np.arange(np.log(0.6), np.log(2.2), STEP))  # of a tile in what is looked at, 1 = as embedded
FOUND = 7.0  # score from which the pattern is there; docs/plugins/disclosure.md has the measured rates


@lru_cache(maxsize=1)
def tile() -> Floats:
    """(128, 128) the pattern, periodic, mean 0, standard deviation 1."""
    noise = np.fft.fft2(np.random.default_rng(SEED).standard_normal((TILE, TILE)))
    waves = np.fft.fftfreq(TILE, 1 / TILE)
    radius = np.hypot(waves[:, None], waves[None])
    pattern = np.fft.ifft2(noise * ((radius >= BAND[0]) & (radius <= BAND[1]))).real
    return np.asarray(pattern / pattern.std(), np.float32)


class Watermark:
    """Marks pictures of one size."""

    def __init__(self, size: tuple[int, int]) -> None:
        """``size``: width and height [px]."""
        width, height = size
        side = height / TILES
        one = np.tile(tile(), (TILES + 1, int(np.ceil(width / side)) + 1))
        scale = side / TILE
        whole = cv2.resize(one, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)[:height, :width]
        steps = np.rint(np.clip(whole * STRENGTH, -LARGEST, LARGEST) * FINE)
        self._more, self._less = steps.clip(0).astype(np.uint8), (-steps).clip(0).astype(np.uint8)

    def mark(self, picture: Picture) -> Picture:
        """(H, W, 3) a marked copy."""
        share = hiding(picture)
        more, less = (
            cv2.cvtColor(cv2.multiply(steps, share, scale=1 / (255 * FINE)), cv2.COLOR_GRAY2RGB)
            for steps in (self._more, self._less)
        )
        return np.asarray(cv2.subtract(cv2.add(picture, more), less), np.uint8)


def hiding(picture: Picture) -> Picture:
    """(H, W) 0…255, how much of the pattern the picture hides: all where it is rough, a share of ``FLAT`` where it is flat."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_LINEAR)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    rough = cv2.blur(cv2.absdiff(grey, cv2.blur(grey, (5, 5))), (9, 9))
    return np.asarray(cv2.resize(cv2.LUT(rough, SHARES), (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


@dataclass(frozen=True)
class WatermarkFinding:
    """score: how far the best place stands out from all others, in their standard deviations; size as of ``SIZES``."""

    score: float
    size: float
    mirrored: bool

    @property
    def found(self) -> bool:
        return self.score >= FOUND


def residual(picture: Picture) -> Floats:
    """(384, W) what the pattern could be of a picture: its luma without the coarse, evened out, at 128 samples a tile."""
    height = TILE * TILES
    width = max(TILE, round(picture.shape[1] * height / picture.shape[0]))
    luma = cv2.cvtColor(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = cv2.GaussianBlur(luma, (0, 0), 1.5) - cv2.GaussianBlur(luma, (0, 0), 7.0)
    spread = np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), 7.0))
    return np.asarray(fine / (spread + 1.0), np.float32)


def search(evidence: Floats) -> WatermarkFinding:
    """The place and size at which ``residual``, or a sum of several, looks most like the pattern."""
    coarse = max((scored(evidence, float(size)) for size in SIZES), key=lambda finding: finding.score)
    near = coarse.size * np.exp(np.linspace(-STEP / 2, STEP / 2, 5))
    return max((scored(evidence, float(size)) for size in near), key=lambda finding: finding.score)


@lru_cache(maxsize=1)
def wanted() -> NDArray[np.complexfloating]:
    """(2, 128, 65) the conjugate spectra of the pattern and of its mirror image."""
    return np.conj(np.fft.rfft2(np.stack([tile(), tile()[:, ::-1]]))).astype(np.complex64)


def fold(evidence: Floats, size: float) -> Floats:
    """(128, 128) the mean of all tiles, if a tile is ``size`` times as large as it was embedded."""
    height, width = evidence.shape
    scaled = cv2.resize(evidence, (max(1, round(width / size)), max(1, round(height / size))), interpolation=cv2.INTER_LINEAR)
    rows, columns = -(-scaled.shape[0] // TILE), -(-scaled.shape[1] // TILE)
    padded = np.zeros((rows * TILE, columns * TILE), np.float32)
    padded[: scaled.shape[0], : scaled.shape[1]] = scaled
    return np.asarray(padded.reshape(rows, TILE, columns, TILE).sum((0, 2)), np.float32)


def scored(evidence: Floats, size: float) -> WatermarkFinding:
    """How far the best offset stands out at one size, and whether it is that of the mirrored pattern."""
    # only phases count, so that a pattern of the picture's own is as weak as the rest
    spectrum = np.fft.rfft2(fold(evidence, size))
    spectrum = spectrum / (np.abs(spectrum) + 1e-6)
    surfaces = np.fft.irfft2(spectrum * wanted(), s=(TILE, TILE))
    scores = surfaces.max((1, 2)) / (surfaces.std((1, 2)) + 1e-9)
    return WatermarkFinding(float(scores.max()), size, bool(scores.argmax()))


def found_in(pictures: Iterable[Picture]) -> WatermarkFinding:
    """The mark in pictures that are cut and scaled alike, as those of one video are; their evidence is added up.

    Raises ValueError without any.
    """
    total: Floats | None = None
    for picture in pictures:
        evidence = residual(picture)
        total = evidence if total is None else total + evidence
    if total is None:
        raise ValueError("a mark is looked for in one picture or more, got none")
    return search(total)
