"""How a run of pictures moves, beside the run that drives it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.values import BLINKS, Floats
from trainer.generator.judge.panel import Seen
from trainer.metrics.motion import SHUT, channels, correlations, gaze_of, jitter, lag, precision_recall

MOST_LAG = 6  # frames
_TINY = 1e-9


def curves(run: Sequence[Seen]) -> dict[str, Floats]:
    """Channel → (N,): jaw, smile, blink of the tracker; angles and horizontal gaze of the landmark fit."""
    z, scores = _vectors(run), np.stack([seen.scores for seen in run])
    return {**channels(z, scores), "gaze": gaze_of(z)[:, [0, 2]].mean(1)}


def agreement(found: Sequence[Seen], driver: Sequence[Seen]) -> dict[str, float]:
    """Correlations of two runs, frame by frame, and how many of the driver's closed eyes are closed in the pictures; nothing of
    the latter when the driver never closes them."""
    row = {f"r {name}": r for name, r in correlations(curves(found), curves(driver)).items()}
    shut, theirs = (np.stack([seen.scores[BLINKS] for seen in run]) > SHUT for run in (found, driver))
    return {**row, "blink recall": precision_recall(shut, theirs)[1]} if theirs.any() else row


def steadiness(found: Sequence[Seen], driver: Sequence[Seen]) -> dict[str, float]:
    """Of consecutive frames: jitter relative to the driver's own, and by how many frames the gaze comes later.

    Jitter is what changes from one step to the next: intended motion, being smooth, has little of it.
    """
    own, theirs = (jitter(np.diff(_vectors(run), axis=0)) for run in (found, driver))
    ratios = [own[name] / max(theirs[name], _TINY) for name in own]
    return {"jitter": float(np.mean(ratios)), "gaze lag": float(lag(curves(found)["gaze"], curves(driver)["gaze"], MOST_LAG))}


def _vectors(run: Sequence[Seen]) -> Floats:
    return np.stack([seen.z.vector() for seen in run])
