"""Recording a driver as numbers: a video in, coefficients relative to the person's rest out; no picture is kept."""

from __future__ import annotations

from itertools import dropwhile, takewhile
from pathlib import Path

import cv2
import numpy as np

from engine.crop import square_around
from engine.errors import InputError
from engine.head import load_head
from engine.recording import RecordingWriter
from engine.regress.landmarks import LandmarkRegressor
from engine.track import Tracker
from engine.values import BETA, COEFFICIENTS, GAZE, POSE, Floats
from engine.video import read_frames

MOVING = slice(COEFFICIENTS - POSE - GAZE, COEFFICIENTS)  # pose and gaze in z
SMOOTH_FRAMES = 1.2  # standard deviation of the smoothing over time


def write_drive(video: Path, out: Path, start_s: float, length_s: float) -> None:
    """Writes the motion, relative to the median, as a recording. Raises InputError."""
    times, vectors = record(video, start_s, length_s)
    change = vectors - np.median(vectors, axis=0)
    steady = cv2.GaussianBlur(change, (1, 9), sigmaX=1, sigmaY=SMOOTH_FRAMES)  # along time only
    with RecordingWriter(out) as writer:
        for time_s, z in zip(times, steady, strict=True):
            writer.write(float(time_s), np.concatenate([z[BETA], z[MOVING]]), relative=True)


def record(video: Path, start_s: float, length_s: float) -> tuple[Floats, Floats]:
    """(N,) times [s] and (N, 261) z of the frames with a face; raises InputError when there are fewer than two."""
    regressor, times, vectors, square = LandmarkRegressor(load_head()), [], [], None
    shown = dropwhile(lambda frame: frame.time_s < start_s, read_frames(video))
    with Tracker("video") as tracker:
        for frame in takewhile(lambda frame: frame.time_s < start_s + length_s, shown):
            face = tracker.track(frame.image, frame.time_s)
            if face is not None:
                square = square or square_around(face)
                times.append(frame.time_s)
                vectors.append(regressor.regress(frame.image, face, square).vector())
    if len(times) < 2:
        raise InputError(f"{video} shows no face between {start_s} s and {start_s + length_s} s; wanted: a video of one person.")
    return np.array(times, np.float32), np.array(vectors, np.float32)
