"""The ladder of engines: one runs at once, better ones are built behind its back, tested, and swapped in between two frames."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from engine.errors import AssetError
from engine.runtime.cache import EngineCache, ignore
from engine.runtime.engines import BETTER, FIRST, Workshop, installed, usable
from engine.runtime.trial import Trial, compare, reason_of
from engine.values import Floats

RUNS = 10  # per engine and trial
CLOSE_S = 2.0  # how long the end of a build is waited for
BUILDING = threading.Lock()  # one engine is built at a time, whoever wants it: two would only slow each other and the camera


class Runner(Protocol):
    """Something that an engine runs."""

    engine: str


T = TypeVar("T", bound=Runner)
R = TypeVar("R")


class Ladder(Generic[T]):
    """Runs work on the best engine known to be right; ``run`` belongs to one thread.

    dropped  engine → why it is not used
    """

    def __init__(
        self,
        engine: str,
        build: Callable[[str, Workshop], T],
        answer: Callable[[T], Floats],
        *,
        peak: float,
        say: Callable[[str], None] = ignore,
    ) -> None:
        """Opens the named engine, or for "auto" the first of ``FIRST`` that works. Raises ConfigError, AssetError.

        ``build`` opens an engine, ``answer`` is what all must do alike (values up to ``peak``), ``say`` takes sentences for
        the user. A named engine is waited for; "auto" climbs once the first work was done.
        """
        self._build, self._answer, self._peak, self._say = build, answer, peak, say
        self._workshop = Workshop(EngineCache(say=say), self._progress)
        self.dropped: dict[str, str] = {}
        self._building = ""
        self._stop = False
        self._thread: threading.Thread | None = None
        self._climbing = engine == "auto"
        alone = engine != "auto" and usable(engine).exact
        self._first = self._build(engine, self._workshop) if alone else self._open_first()
        self._best = self._first if alone or engine == "auto" else self._open_named(engine)

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

        Raises AssetError when none is left.
        """
        while True:
            best = self._best
            try:
                result = work(best)
            except Exception as error:  # noqa: BLE001 — libraries of GPUs fail in many ways
                self._fall(best, reason_of(error))
            else:
                self._climb_soon()
                return result

    def close(self) -> None:
        """Ends the climb, and as soon as its library allows what is being built."""
        self._stop = True
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def _open_named(self, engine: str) -> T:
        """An engine that does not compute exactly: its answer is held against the first's."""
        candidate, trial = self._tried(engine, self._first, runs=1)
        if not trial.ok:
            raise AssetError(f"The engine {engine} cannot be used: {trial.reason}. Name another, or auto.")
        return candidate

    def _open_first(self) -> T:
        """The first of ``FIRST`` that was not dropped and opens."""
        for name in (name for name in FIRST if name not in self.dropped):
            try:
                return self._build(name, self._workshop)
            except (AssetError, ImportError) as error:  # noqa: PERF203 — two engines
                self.dropped[name] = reason_of(error)
        reasons = "; ".join(f"{name}: {why}" for name, why in self.dropped.items())
        raise AssetError(f"No engine works on this machine ({reasons}). Install the program again.")

    def _fall(self, failed: T, reason: str) -> None:
        """Drops an engine that raised: back to the first, or to what is left below it."""
        self.dropped[failed.engine] = reason
        if failed is self._first:
            self._first = self._open_first()
        self._best = self._first
        self._say(f"The engine {failed.engine} failed ({reason}); {self.engine} goes on.")

    def _climb_soon(self) -> None:
        """Begins the climb, once, now that pictures come."""
        if self._climbing:
            self._climbing = False
            self._thread = threading.Thread(target=self._climb, name="engines", daemon=True)
            self._thread.start()

    def _climb(self) -> None:
        reference: T | None = None
        best_share = 1.0  # of the reference's time
        for name in BETTER:
            if self._stop:
                return
            if installed(name) is not None or name in self.dropped:
                continue
            with BUILDING:
                try:
                    # an engine of its own to compare with, for the first belongs to the thread that draws
                    reference = reference or self._build(self._first.engine, Workshop())
                    best_share = self._step(name, reference, best_share)
                except Exception as error:  # noqa: BLE001 — libraries of GPUs fail in many ways
                    if not self._stop:
                        self._reject(name, reason_of(error))

    def _step(self, name: str, reference: T, best_share: float) -> float:
        """Tries one engine, and uses it from the next frame on if it is right and faster than the best so far."""
        candidate, trial = self._tried(name, reference, runs=RUNS)
        share = trial.ms / trial.reference_ms if trial.ms and trial.reference_ms else 1.0
        if not trial.ok:
            self._reject(name, trial.reason)
        elif share >= best_share:
            self._reject(name, f"it is slower here than {self.engine}, {trial.ms:.1f} ms a picture")
        elif not self._stop:
            self._best = candidate
            self._say(f"The engine {name} has taken over: {trial.ms:.1f} ms a picture, {trial.psnr_db:.0f} dB.")
            return share
        return best_share

    def _tried(self, name: str, reference: T, runs: int) -> tuple[T, Trial]:
        """An engine, built and held against another; raises whatever its library raises."""
        self._building = name
        try:
            start = time.monotonic()
            candidate = self._build(name, self._workshop)
            build_s = time.monotonic() - start
            answers = (lambda: self._answer(reference)), (lambda: self._answer(candidate))
            return candidate, compare(name, *answers, peak=self._peak, runs=runs, build_s=build_s)
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
        return not self._stop


def _share(trial: Trial) -> float:
    """Of the reference's time."""
    return (trial.ms or 0.0) / max(trial.reference_ms or 0.0, 1e-6)
