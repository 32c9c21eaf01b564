"""Recording a driver as numbers: a video in, coefficients relative to the person's rest out; no picture is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from engine.crop import square_around
from engine.errors import InputError
from engine.head import load_head
from engine.regress.landmarks import LandmarkRegressor
from engine.track import Tracker
from engine.values import Floats
from engine.video import read_frames

SMOOTH_FRAMES = 1.2  # standard deviation of the smoothing over time


def demo_drive(
    video: Annotated[Path, typer.Argument(help="The driver's video.")],
    out: Annotated[Path, typer.Option(help="Where to write times_s and z (.npz).")],
    start_s: Annotated[float, typer.Option(help="First moment of the recording [s].")] = 0.0,
    length_s: Annotated[float, typer.Option(help="Its length [s].")] = 20.0,
) -> None:
    """Records the coefficients of a video as a drive that moves any portrait."""
    times, vectors = record(video, start_s, length_s)
    change = vectors - np.median(vectors, axis=0)
    steady = cv2.GaussianBlur(change, (1, 9), sigmaX=1, sigmaY=SMOOTH_FRAMES)  # along time only
    np.savez_compressed(out, times_s=(times - times[0]).astype(np.float32), z=steady.astype(np.float16))


def record(video: Path, start_s: float, length_s: float) -> tuple[Floats, Floats]:
    """(N,) times [s] and (N, 261) z of the frames with a face; raises InputError when there are fewer than two."""
    regressor, times, vectors, square = LandmarkRegressor(load_head()), [], [], None
    with Tracker("video") as tracker:
        for frame in read_frames(video):
            if frame.time_s >= start_s + length_s:
                break
            face = tracker.track(frame.image, frame.time_s) if frame.time_s >= start_s else None
            if face is not None:
                square = square or square_around(face)
                times.append(frame.time_s)
                vectors.append(regressor.regress(frame.image, face, square).vector())
    if len(times) < 2:
        raise InputError(f"{video} shows no face between {start_s} s and {start_s + length_s} s; wanted: a video of one person.")
    return np.array(times, np.float32), np.array(vectors, np.float32)
