"""Sentences for the user, each at most now and then."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable
from typing import TypeVar

from engine.errors import HifiHeadError
from vcam.interfaces import Clock, Say

T = TypeVar("T")
REPEAT_AFTER_S = 10.0

logger = logging.getLogger(__name__)


def say_on_stderr(sentence: str) -> None:
    """One line on standard error, at once; nothing where that is closed, or nobody reads it any more."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(printable(f"{sentence}\n"))
        sys.stderr.flush()


def printable(text: str) -> str:
    """The text with question marks for what stands for bytes of a file's name that are no UTF-8."""
    return text.encode("utf-8", "replace").decode()


class Messages:
    """``say`` speaks every time; ``say_rarely`` repeats what has the same key only every ``REPEAT_AFTER_S``."""

    def __init__(self, say: Say, clock: Clock) -> None:
        self._say = say
        self._clock = clock
        self.last = ""  # the last sentence
        self._last_s: dict[str, float] = {}

    def say(self, sentence: str) -> None:
        self.last = sentence
        self._say(sentence)

    def say_rarely(self, key: str, sentence: str) -> None:
        if self._due(key):
            self.say(sentence)

    def attempt(self, key: str, what: str, action: Callable[[], T]) -> T | None:
        """``action()``, or None when it fails in any way: the failure becomes one sentence, and the camera goes on.

        As often as the sentence is said, the traceback is logged.
        """
        try:
            return action()
        except HifiHeadError as error:
            self._tell_failure(key, what, str(error))
        except Exception as error:  # noqa: BLE001 — a live camera must outlive any defect of one frame
            self._tell_failure(key, what, f"{what} failed ({type(error).__name__}); the camera goes on without it.")
        return None

    def _tell_failure(self, key: str, what: str, sentence: str) -> None:
        """Says the sentence about the error at hand and logs its traceback, unless that was done a moment ago."""
        if self._due(key):
            self.say(sentence)
            log_failure(what)

    def _due(self, key: str) -> bool:
        """Whether something may be said again under this key; then it counts as said."""
        now = self._clock.now()
        due = now - self._last_s.get(key, -REPEAT_AFTER_S) >= REPEAT_AFTER_S
        if due:
            self._last_s[key] = now
        return due


class StrictMessages(Messages):
    """For work on files: a failure is not survived but raised."""

    def attempt(self, key: str, what: str, action: Callable[[], T]) -> T | None:
        del key, what
        return action()


def log_failure(what: str) -> None:
    """Logs the traceback of the error at hand."""
    logger.warning("%s failed.", what, exc_info=True)
