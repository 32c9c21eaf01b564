"""Finding faces and people in pictures."""

from engine.track.mediapipe_models import person_matte
from engine.track.tracker import Tracker

__all__ = ["Tracker", "person_matte"]
