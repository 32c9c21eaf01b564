"""Ctrl-C, SIGTERM and SIGHUP (the terminal was closed) alike."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # as far as the system has them

AGAIN_S = 3.0  # closing takes no longer: a signal that comes later than that is another wish


class Interrupted(BaseException):
    """A signal that ends the program. ``number``: the signal's.

    No KeyboardInterrupt, which libraries catch and answer themselves.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"Interrupted by {signal.Signals(number).name}.")
        self.number = number


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


@contextlib.contextmanager
def interrupting() -> Iterator[None]:
    """Within, a signal raises ``Interrupted``. Others that follow at once are ignored, for everything is being closed then."""
    received: list[tuple[int, float]] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        if not received or time.monotonic() - received[-1][1] > AGAIN_S:
            received.append((number, time.monotonic()))
            raise Interrupted(number)

    with handled(interrupt):
        try:
            yield
        except Interrupted:
            raise
        except BaseException as error:
            if received:  # a library that was being loaded made something else of it
                raise Interrupted(received[-1][0]) from error
            raise


@contextlib.contextmanager
def leaving() -> Iterator[None]:
    """Within, a signal ends the process at once, with exit code 0. For the time in which libraries are loaded: nothing is open
    that must be closed, and exceptions that come from nowhere are lost there or made into others."""
    with handled(lambda _number, _frame: os._exit(0)):
        yield


@contextlib.contextmanager
def ending() -> Iterator[threading.Event]:
    """Within, signals set the event that is given, and raise nothing."""
    ended = threading.Event()
    with handled(lambda _number, _frame: ended.set()):
        yield ended


def loading(arguments: Sequence[str]) -> contextlib.AbstractContextManager[None]:
    """What a process does about signals from its beginning: "run" is ended by them, other commands are interrupted."""
    return leaving() if is_run(arguments) else interrupting()


def listening(arguments: Sequence[str]) -> contextlib.AbstractContextManager[None]:
    """What a command line does about signals: "run" listens by itself as soon as it opens something, others are interrupted."""
    return contextlib.nullcontext() if is_run(arguments) else interrupting()


def is_run(arguments: Sequence[str]) -> bool:
    """Whether a command line is that of the camera, which has no other end than a signal."""
    return "run" in arguments[:2]


def ignore_signals() -> None:
    """What was to be done is done: a signal must not change the exit code any more."""
    for number in numbers():
        signal.signal(number, signal.SIG_IGN)
