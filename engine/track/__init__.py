"""Finding faces and people in pictures."""

from engine.track.mediapipe_models import Tracker, person_matte

__all__ = ["Tracker", "person_matte"]
