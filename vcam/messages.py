"""Sentences for the user, each at most now and then."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import TypeVar

from engine.errors import HifiHeadError
from vcam.seams import Clock, Say

T = TypeVar("T")
REPEAT_AFTER_S = 10.0


def say_on_stderr(sentence: str) -> None:
    """One line on standard error, at once."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


class Messages:
    """``say`` speaks every time; ``say_rarely`` repeats what has the same key only every ``REPEAT_AFTER_S``."""

    def __init__(self, say: Say, clock: Clock) -> None:
        self.say = say
        self._clock = clock
        self._last_s: dict[str, float] = {}

    def say_rarely(self, key: str, sentence: str) -> None:
        now = self._clock.now()
        if now - self._last_s.get(key, -REPEAT_AFTER_S) >= REPEAT_AFTER_S:
            self._last_s[key] = now
            self.say(sentence)

    def attempt(self, key: str, what: str, action: Callable[[], T]) -> T | None:
        """``action()``, or None when it fails in any way: the failure becomes one sentence, and the camera goes on."""
        try:
            return action()
        except HifiHeadError as error:
            self.say_rarely(key, str(error))
        except Exception as error:  # noqa: BLE001 — a live camera must outlive any defect of one frame
            self.say_rarely(key, f"{what} failed ({type(error).__name__}); the camera goes on without it.")
            show_details()
        return None


class StrictMessages(Messages):
    """For work on files: a failure is not survived but raised."""

    def attempt(self, key: str, what: str, action: Callable[[], T]) -> T | None:
        del key, what
        return action()


def show_details() -> None:
    """The trace of the error at hand, for developers who asked for it by HIFIHEAD_DEBUG=1."""
    if os.environ.get("HIFIHEAD_DEBUG"):
        traceback.print_exc()
