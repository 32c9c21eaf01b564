"""Ctrl-C, SIGTERM and SIGHUP (the terminal was closed) alike."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # as far as the system has them


class Interrupted(BaseException):
    """A signal that ends the program. ``number``: the signal's.

    No KeyboardInterrupt, which libraries catch and answer themselves.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"Interrupted by {signal.Signals(number).name}.")
        self.number = number


def exit_code(interrupted: Interrupted, arguments: Sequence[str]) -> int:
    """Of a command line that was broken off: 0 for "run", which is ended so, also before it could begin; else 128 + N."""
    return 0 if "run" in arguments[:2] else 128 + interrupted.number


def numbers() -> list[signal.Signals]:
    """Of the signals that end the program, those that this system has."""
    return [getattr(signal, name) for name in NAMES if hasattr(signal, name)]


@contextlib.contextmanager
def handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Within, the signals call ``handler``, on the main thread; elsewhere than there nothing changes.

    A signal that is ignored (SIGHUP under nohup) stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {n: signal.signal(n, handler) for n in numbers() if signal.getsignal(n) is not signal.SIG_IGN}
    try:
        yield
    finally:
        for number, former in before.items():
            if signal.getsignal(number) is handler:  # and not ``ignore_signals`` meanwhile
                signal.signal(number, former)


def interrupting() -> contextlib.AbstractContextManager[None]:
    """Within, the first signal raises ``Interrupted``; later ones are ignored, for everything is being closed then."""
    interrupted: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        if not interrupted:
            interrupted.append(number)
            raise Interrupted(number)

    return handled(interrupt)


def ignore_signals() -> None:
    """What was to be done is done: a signal must not change the exit code any more."""
    for number in numbers():
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def ending() -> Iterator[threading.Event]:
    """Within, signals set the event that is given, and raise nothing."""
    ended = threading.Event()
    with handled(lambda _number, _frame: ended.set()):
        yield ended
