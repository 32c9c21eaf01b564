"""The real tracker, put to work on rendered heads."""

from __future__ import annotations

from engine.head.model import HeadModel
from engine.render import create_renderer
from engine.track import Tracker
from engine.values import Floats, Picture
from trainer.head.landmarks import HEADS, find_points
from trainer.head.source import Doubles

_SIZE_PX = 512


def track_points(head: HeadModel, heads: int = HEADS) -> tuple[Doubles, int]:
    """``find_points`` with mediapipe."""
    with Tracker(mode="picture") as tracker:

        def track(picture: Picture) -> Floats | None:
            faces = tracker.find_all(picture)
            return faces[0].landmarks if faces else None

        return find_points(head, create_renderer("cpu", _SIZE_PX), track, heads)
