"""What passes from the camera's side to the picture's side: numbers only. No picture of the camera fits in here."""

from __future__ import annotations

from dataclasses import dataclass

from vcam.avatar import Avatar
from vcam.seams import Motion


@dataclass(frozen=True)
class Cue:
    """One moment of the avatar. ``captured_s``: when the frame behind it was captured; None when there was none."""

    avatar: Avatar
    motion: Motion
    captured_s: float | None
    face_found: bool
