"""What a hook may answer. Nothing else of it gets on."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from engine.errors import InputError
from engine.values import EXPRESSION_NAMES, Coefficients, Floats, Picture
from vcam.motion import LARGEST_GAZE, MotionFrame
from vcam.plugins.interface import Background

LEAST_EXPRESSION, LARGEST_EXPRESSION = -0.25, 1.1  # of named ones: wide eyes are blinks below 0


def lent_motion(motion: MotionFrame) -> MotionFrame:
    """A copy, which may be changed."""
    z = motion.z
    return replace(motion, z=Coefficients(*(getattr(z, field.name).copy() for field in fields(z))))


def lent_picture(picture: Picture) -> Picture:
    """The same pixels, which may not be changed. Its ``base`` lives as long as any part of it is held."""
    whole = np.ascontiguousarray(picture)
    return np.frombuffer(whole.data.toreadonly(), np.uint8).reshape(whole.shape)


def taken_motion(before: MotionFrame, answer: Any) -> MotionFrame:
    """``before`` with expression, pose and gaze of the answer, within their ranges; of None ``before``. Raises InputError."""
    if answer is None:
        return before
    if not isinstance(answer, MotionFrame):
        raise InputError(f"on_motion must return a MotionFrame or None, got {type(answer).__name__}.")
    expression, pose, gaze = (taken(before.z, answer.z, name) for name in ("expression", "pose", "gaze"))
    named = slice(len(EXPRESSION_NAMES))
    expression[named] = np.clip(expression[named], LEAST_EXPRESSION, LARGEST_EXPRESSION)
    return replace(before, z=replace(before.z, expression=expression, pose=pose, gaze=np.clip(gaze, -LARGEST_GAZE, LARGEST_GAZE)))


def taken(before: Coefficients, answer: Coefficients, name: str) -> Floats:
    """One part of z; raises InputError unless it has its shape and is finite."""
    part, wanted = np.array(getattr(answer, name, None), np.float32), getattr(before, name).shape
    if part.shape != wanted or not np.isfinite(part).all():
        raise InputError(f"on_motion must return {name} as {wanted} finite numbers, got {part.shape}.")
    return part


def taken_picture(before: Picture, answer: Any) -> Picture:
    """The answer; of None ``before``. Raises InputError for another shape or type."""
    return before if answer is None else checked_picture(before, answer, "on_frame")


def taken_background(own: Picture, answer: Any) -> Background | None:
    """The answer, None standing for the portrait's own. Raises InputError when it is something else, or of another size."""
    if answer is None:
        return None
    if not isinstance(answer, Background):
        raise InputError(f"on_background must return a Background or None, got {type(answer).__name__}.")
    picture = checked_picture(own, answer.picture, "on_background")
    return replace(answer, picture=picture, light_wrap=min(max(float(answer.light_wrap), 0.0), 1.0))


def checked_picture(before: Picture, answer: Any, hook: str) -> Picture:
    """The answer; raises InputError unless it is a picture as ``before``."""
    if not isinstance(answer, np.ndarray) or answer.shape != before.shape or answer.dtype != np.uint8:
        got = f"{answer.dtype} {answer.shape}" if isinstance(answer, np.ndarray) else type(answer).__name__
        raise InputError(f"{hook} must return uint8 {before.shape} or None, got {got}.")
    return np.ascontiguousarray(answer)
