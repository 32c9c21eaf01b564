"""Selection of the engine: one runs at once, better ones are built on another thread, verified, and swapped in between frames."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from engine.errors import AssetError
from engine.process import memory_is_short, too_little_memory
from engine.resource import Resource
from engine.runtime.cache import EngineCache, ignore
from engine.runtime.engines import FIRST, BuildContext, better_engines, known
from engine.runtime.verification import Verification, compare, reason_of
from engine.values import Floats

RUNS = 10  # of each engine in a verification
CLOSED = "the engine selector is closed"
LOCK_STEP_S = 0.05  # between two looks at whether the build shall stop, while another selector builds
BUILDING = threading.Lock()  # one engine is built at a time, whoever wants it: two would only slow each other and the camera

log = logging.getLogger(__name__)


class Runner(Protocol):
    """Something that an engine runs, and that must be closed."""

    engine: str

    def close(self) -> None:
        """Frees it; a second call does nothing."""


class BuildStoppedError(Exception):
    """The selector is being closed: what is being built is not wanted any more."""


T = TypeVar("T", bound=Runner)
R = TypeVar("R")


class EngineSelector(Resource, Generic[T]):
    """Runs work on the best engine known to be right; ``run`` belongs to one thread.

    What ``build`` returns belongs to the selector, which closes it. ``dropped``: engine → why it is not used.
    """

    def __init__(
        self,
        engine: str,
        build: Callable[[str, BuildContext], T],
        answer: Callable[[T], Floats],
        *,
        peak: float,
        say: Callable[[str], None] = ignore,
        fixed: bool = False,
        first: Sequence[str] = FIRST,
        better: Callable[[], Iterable[str]] = better_engines,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Opens the named engine, or for "auto" the first of ``first`` that works. Raises ConfigError, AssetError.

        ``build`` opens an engine, ``answer`` is what all must answer alike (values up to ``peak``), ``say`` takes sentences for
        the user. A named engine is waited for; with "auto", each of ``better`` is tried once the first work was done. ``fixed``:
        the engine that was opened does all the work, so that results are reproducible. ``clock`` gives seconds.
        """
        self._build, self._answer, self._peak, self._say = build, answer, peak, say
        self._names, self._better, self._clock, self._fixed = first, better, clock, fixed
        self._context = BuildContext(EngineCache(say=say), self._progress)
        self.dropped: dict[str, str] = {}
        self._building = ""
        self._closed = threading.Event()
        self._swap = threading.Lock()  # held to change or close the engine in use
        self._replaced: list[T] = []  # by better ones; closed by the thread that may still run them
        self._thread: threading.Thread | None = None
        self._upgrading = engine == "auto" and not fixed
        alone = engine != "auto" and known(engine).exact
        self._first = self._build(engine, self._context) if alone else self._open_first()
        self._best = self._first
        if engine != "auto" and not alone:
            try:
                self._best = self._open_named(engine)
            except BaseException:
                self._first.close()
                raise

    @property
    def engine(self) -> str:
        """The engine that runs now."""
        return self._best.engine

    @property
    def status(self) -> str:
        """The engine, and what is being built: "openvino; building tensorrt, 40 %"."""
        return f"{self.engine}; building {self._building}" if self._building else self.engine

    def run(self, work: Callable[[T], R]) -> R:
        """``work`` on the present engine; one that raises is dropped, and the next does the same work.

        Raises AssetError when none is left, or when the engine is fixed; RuntimeError after ``close``.
        """
        while True:
            if self._closed.is_set():
                raise RuntimeError(CLOSED)
            while self._replaced:
                self._replaced.pop().close()
            best = self._best
            try:
                result = work(best)
            except Exception as error:
                log.warning("the engine %s failed", best.engine, exc_info=True)
                self._fall_back(best, reason_of(error))
            else:
                self._start_upgrading()
                return result

    def close(self, timeout_s: float | None = None) -> None:
        """Ends the search for better engines and closes them all; a second call only waits.

        A build stops at its next check, which is waited for, at most ``timeout_s``; what it has opened it closes itself.
        """
        with self._swap:
            first_call = not self._closed.is_set()
            self._closed.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
        if first_call:
            for engine in (*self._replaced, self._best, self._first):
                engine.close()

    def _open_named(self, engine: str) -> T:
        """An engine that does not compute exactly: its answer is compared with the first's."""
        candidate, verification = self._verified(engine, self._first, runs=1)
        if not verification.ok:
            candidate.close()
            raise AssetError(f"The engine {engine} cannot be used: {verification.reason}. Name another, or auto.")
        return candidate

    def _open_first(self) -> T:
        """The first of the engines that are ready at once which was not dropped and opens."""
        for name in (name for name in self._names if name not in self.dropped):
            try:
                return self._build(name, self._context)
            except (AssetError, ImportError) as error:
                self.dropped[name] = reason_of(error)
        reasons = "; ".join(f"{name}: {why}" for name, why in self.dropped.items())
        failure = AssetError(f"No engine works on this machine ({reasons}). Install the program again.")
        raise AssetError(too_little_memory(failure)) if memory_is_short(failure) else failure

    def _fall_back(self, failed: T, reason: str) -> None:
        """Drops an engine that raised: back to the first, or to what is left of those that are ready at once."""
        self.dropped[failed.engine] = reason
        if self._fixed:
            raise AssetError(f"The engine {failed.engine} failed ({reason}). Name another engine.")
        with self._swap:
            if self._closed.is_set():
                raise RuntimeError(CLOSED)
            if failed is self._first:
                self._first = self._open_first()
            self._best = self._first
        failed.close()
        self._say(f"The engine {failed.engine} failed ({reason}); {self.engine} goes on.")

    def _start_upgrading(self) -> None:
        """Begins to try better engines, once, now that pictures come."""
        if self._upgrading:
            self._upgrading = False
            # no daemon: native code must not return into an interpreter that has ended
            self._thread = threading.Thread(target=self._upgrade, name="engine-build")
            self._thread.start()

    def _upgrade(self) -> None:
        reference: T | None = None
        share = 1.0  # of the reference's time, the best so far
        try:
            for name in self._better():
                self._check()
                if name in self.dropped:
                    continue
                self._wait_for_turn()
                try:
                    # an engine of its own to compare with, for the first belongs to the thread that draws
                    reference = reference or self._build(self._first.engine, BuildContext())
                    share = self._try(name, reference, share)
                except BuildStoppedError:
                    raise
                except Exception as error:
                    self._check()
                    log.warning("the engine %s cannot be used", name, exc_info=True)
                    self._reject(name, reason_of(error))
                finally:
                    BUILDING.release()
        except BuildStoppedError:
            pass
        finally:
            if reference is not None:
                reference.close()

    def _wait_for_turn(self) -> None:
        """Acquires ``BUILDING``; raises BuildStoppedError."""
        while not BUILDING.acquire(timeout=LOCK_STEP_S):
            self._check()

    def _try(self, name: str, reference: T, best_share: float) -> float:
        """Verifies one engine, and uses it from the next frame on if it is right and faster than the best so far."""
        candidate, verification = self._verified(name, reference, runs=RUNS)
        share = verification.ms / verification.reference_ms if verification.ms and verification.reference_ms else 1.0
        if verification.ok and share < best_share:
            self._upgrade_to(candidate)
            self._say(f"The engine {name} has taken over: {verification.ms:.1f} ms a picture, {verification.psnr_db:.0f} dB.")
            return share
        candidate.close()
        slower = f"it is slower here than {self.engine}, {verification.ms:.1f} ms a picture"
        self._reject(name, verification.reason or slower)
        return best_share

    def _upgrade_to(self, candidate: T) -> None:
        with self._swap:
            if self._stopping():
                candidate.close()
                raise BuildStoppedError
            if self._best is not self._first:
                self._replaced.append(self._best)
            self._best = candidate

    def _verified(self, name: str, reference: T, runs: int) -> tuple[T, Verification]:
        """An engine, built and compared with another; raises whatever its library raises, BuildStoppedError."""
        self._building = name
        try:
            start = self._clock()
            candidate = self._build(name, self._context)
            build_s = self._clock() - start
            try:
                self._check()
                answers = (lambda: self._answer(reference)), (lambda: self._answer(candidate))
                verification = compare(
                    name, *answers, peak=self._peak, runs=runs, build_s=build_s, clock=self._clock, check=self._check
                )
            except BaseException:
                candidate.close()
                raise
            return candidate, verification
        finally:
            self._building = ""

    def _reject(self, name: str, reason: str) -> None:
        self.dropped[name] = reason
        self._say(f"The engine {name} is not used: {reason}.")

    def _progress(self, share: float) -> bool:
        """Hears how far a build is; False ends it."""
        name = self._building.split(",")[0]
        if name:
            self._building = f"{name}, {100 * share:.0f} %"
        return not self._stopping()

    def _stopping(self) -> bool:
        """Whether the selector is being closed, or the program has ended without closing it."""
        return self._closed.is_set() or not threading.main_thread().is_alive()

    def _check(self) -> None:
        if self._stopping():
            raise BuildStoppedError
