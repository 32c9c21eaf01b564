"""A thread for code that is not trusted to come back: who hands work to it waits only so long."""

from __future__ import annotations

import ctypes
import queue
import threading
import time
from collections.abc import Callable
from typing import Any


class WorkerAbandonedError(BaseException):
    """Raised in a thread that was abandoned: it ends a loop in Python, wherever it is."""


class Work:
    """A piece of work: ``done`` within a time, then ``result`` or ``error``, and the ``seconds`` that it took."""

    __slots__ = ("_done", "error", "result", "seconds", "work")

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self.seconds = 0.0
        self._done = threading.Lock()
        self._done.acquire()

    def run(self) -> None:
        start = time.perf_counter()
        try:
            self.result = self.work()
        except BaseException as error:  # noqa: BLE001 — also SystemExit: it is foreign code
            self.error = error
        finally:
            self.seconds = time.perf_counter() - start
            self._done.release()

    def done(self, timeout_s: float) -> bool:
        """Whether it is done, waiting up to ``timeout_s``; asked once."""
        return self._done.acquire(timeout=max(timeout_s, 0.0))


class Worker:
    """Runs work in the order in which it was handed over, on a daemon thread. ``end`` lets it end, ``abandon`` gives it up."""

    def __init__(self, name: str) -> None:
        self._waiting: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def hand_over(self, work: Callable[[], Any]) -> Work:
        """Lets the thread do it after what it is at; returns at once."""
        handed = Work(work)
        self._waiting.put(handed)
        return handed

    def end(self) -> None:
        """Ends the thread after what was handed over."""
        self._waiting.put(None)

    def join(self, timeout_s: float) -> bool:
        """After ``end``: waits for the thread's end; whether it came."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def abandon(self) -> None:
        """Gives the thread up. A loop in Python ends; native code that never returns keeps its thread, which nobody waits for."""
        self.end()
        ident = self._thread.ident
        if ident is not None and self._thread.is_alive():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(WorkerAbandonedError))

    def _run(self) -> None:
        try:
            while (work := self._waiting.get()) is not None:
                work.run()
                del work  # with what it refers to
        except WorkerAbandonedError:
            return
