"""Which of a person's further photographs can be used, and in a sentence for each of the others why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.errors import InputError
from engine.photographs.further import FurtherFitter, FurtherPhotograph
from engine.picture import read_picture
from engine.portrait import FaceInPhotograph, Portrait, find_face
from engine.regress.portrait import Fit
from engine.values import Floats, Picture

MOST = 12  # photographs that are used of a folder, the first one included: what memory and time are measured for
GREY_CHROMA, COLOURFUL = 2.5, 3.0  # mean distance from grey [levels]: below it there are no colours; so many times that there are
SAME_LEVELS, SMALL_PX = 3.0, 64  # mean difference [levels] of crops of so many pixels that are one picture
MOST_RESIDUAL_DM = 0.022  # distance of a face from the first one's head: of 142 pictures of their own person the largest is 0.016
MOST_UNLIKE = 0.17  # log ratio that the colours keep: other light and shadows than can be corrected


@dataclass(frozen=True)
class ChosenPhotograph:
    """A photograph that is used: its path, the face as it was found, and what was fitted."""

    path: Path
    found: FaceInPhotograph
    fitted: FurtherPhotograph


@dataclass(frozen=True)
class Selection:
    """What is used, and sentences on what is left out."""

    chosen: tuple[ChosenPhotograph, ...]
    left_out: tuple[str, ...]


def select(fit: Fit, portrait: Portrait, paths: Sequence[Path], tick: Callable[[], object] = lambda: None) -> Selection:
    """Reads and fits the further photographs of the person of a ``portrait``; about a second for each, after which ``tick`` is
    called. Raises nothing for what cannot be used: it is left out."""
    fitter = FurtherFitter(fit, portrait.face, portrait.crop)
    chosen: list[ChosenPhotograph] = []
    left_out: list[str] = []
    for path in paths:
        try:
            if len(chosen) == MOST - 1:
                raise InputError(f"{path} is not used: of one person {MOST} photographs are.")
            found = find_face(read_picture(path), str(path))
            _refuse_picture(path, found.crop, portrait.crop, chosen)
            fitted = fitter.fit(found)
            _refuse_fit(path, fitted)
            chosen.append(ChosenPhotograph(path, found, fitted))
        except InputError as error:
            left_out.append(f"{error} It is left out.")
        tick()
    return Selection(tuple(chosen), tuple(left_out))


def _refuse_picture(path: Path, crop: Picture, first: Picture, chosen: Sequence[ChosenPhotograph]) -> None:
    """Raises InputError for what can be told without a fit."""
    grey, grey_first = chroma(crop), chroma(first)
    if grey < GREY_CHROMA and grey_first > COLOURFUL * GREY_CHROMA:
        raise InputError(f"{path} is black and white, the first photograph is not; wanted: the same colours.")
    if grey_first < GREY_CHROMA and grey > COLOURFUL * GREY_CHROMA:
        raise InputError(f"{path} has colours, the first photograph is black and white; wanted: the same.")
    for other, name in [(first, "the first photograph"), *((one.found.crop, str(one.path)) for one in chosen)]:
        if np.abs(_small(crop) - _small(other)).mean() < SAME_LEVELS:
            raise InputError(f"{path} is the same picture as {name}.")


def _refuse_fit(path: Path, fitted: FurtherPhotograph) -> None:
    """Raises InputError where the head does not fit, or the colours do not."""
    if fitted.residual_dm > MOST_RESIDUAL_DM:
        raise InputError(
            f"{path} does not show the first photograph's head: its landmarks lie {fitted.residual_dm * 100:.1f} mm off."
        )
    if fitted.unlike > MOST_UNLIKE:
        raise InputError(
            f"{path} has other light, shadows or make-up than can be corrected; take it in the light of the first photograph."
        )


def chroma(picture: Picture) -> float:
    """Mean distance of the colours from grey [levels]."""
    return float(np.ptp(picture.astype(np.float32), axis=2).mean())


def _small(picture: Picture) -> Floats:
    return np.asarray(cv2.resize(picture, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA), np.float32)
