"""Sessions: opened graphs, and the self-test that every one of them must pass before it is used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np

from engine.errors import AssetError
from engine.process import memory_is_short, too_little_memory
from engine.runtime.engines import FIRST, BuildContext, backend_of, known, usable
from engine.values import Floats

MOST_THREADS = 4  # more do not make these small networks faster
TOLERANCE = 2e-3  # of exact engines' self-test, relative to 1 + |expected|; they differ by less than 1e-4
LEAST_DB = 40.0  # agreement that the other engines must reach, with the stored answers and in the picture
EQUAL_DB = 150.0  # stands for no difference at all


class GraphSession(Protocol):
    """An opened graph, a context manager. One thread at a time may use it.

    engine   the name in ``ENGINES`` that was really obtained
    inputs   name → shape of every input that the graph reads
    """

    engine: str
    inputs: Mapping[str, tuple[int, ...]]

    def run(self, feeds: Mapping[str, Floats]) -> dict[str, Floats]:
        """Input name → C-contiguous float32 array of the stated shape (further names are ignored) → output name → array.

        The outputs belong to the session: the next run overwrites them. Raises whatever its library raises.
        """

    def close(self) -> None:
        """Frees the library's objects; a second call does nothing. The session cannot be used afterwards."""

    def __enter__(self) -> GraphSession: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


@dataclass(frozen=True)
class Check:
    """What a graph must be and answer.

    expected  per output, its values for ``probe`` at evenly spread places (``pick``)
    inputs    name → shape that will be fed, or None to take the graph's own
    """

    expected: Mapping[str, Floats]
    inputs: Mapping[str, tuple[int, ...]] | None = None

    def complaint(self, session: GraphSession, *, exact: bool = True) -> str | None:
        """None when the session answers as stored (to rounding, or to ``LEAST_DB``), otherwise what is wrong."""
        for name, shape in (self.inputs or {}).items():
            if session.inputs.get(name, shape) != shape:
                return f"its '{name}' has the shape {session.inputs[name]}, wanted was {shape}: export it anew"
        outputs = session.run(probe(session.inputs))
        for name, expected in self.expected.items():
            if name not in outputs or pick(outputs[name]).shape != expected.shape:
                return f"it has no output '{name}' of the stored size: export it anew"
            problem = _disagreement(name, outputs[name], expected, exact)
            if problem is not None:
                return problem
        return None


def _disagreement(name: str, output: Floats, expected: Floats, exact: bool) -> str | None:
    got = pick(output)
    if not np.isfinite(output).all():
        return f"its self-test gave values that are not finite in '{name}'"
    error = float(np.max(np.abs(got - expected) / (1 + np.abs(expected))))
    if exact and error > TOLERANCE:
        return f"its self-test of '{name}' was off by {error:.2g}, at most {TOLERANCE:.2g} is right"
    agreement_db = decibels(got, expected, max(1.0, float(np.ptp(expected))))
    if not agreement_db >= LEAST_DB:
        return f"its self-test of '{name}' agrees to {agreement_db:.0f} dB, at least {LEAST_DB:.0f} is right"
    return None


def probe(inputs: Mapping[str, tuple[int, ...]]) -> dict[str, Floats]:
    """The self-test's inputs: fixed waves between −1 and 1."""
    waves = {}
    for number, (name, shape) in enumerate(sorted(inputs.items())):
        steps = np.arange(np.prod(shape), dtype=np.float64)
        waves[name] = np.sin(0.37 * steps + number).astype(np.float32).reshape(shape)
    return waves


def pick(output: Floats) -> Floats:
    """64 values (or all, if fewer), evenly spread over an output."""
    flat = output.reshape(-1)
    picked: Floats = flat[np.linspace(0, flat.size - 1, min(64, flat.size)).astype(int)].copy()
    return picked


def decibels(got: Floats, wanted: Floats, peak: float) -> float:
    """Peak signal-to-noise ratio [dB], at most ``EQUAL_DB``; NaN when a value is."""
    error = float(np.mean((got.astype(np.float64) - wanted) ** 2))
    return EQUAL_DB if error == 0 else min(EQUAL_DB, float(10 * np.log10(peak**2 / error)))


def available_threads() -> int:
    """How many threads a session uses unless told: the CPUs that this process may use, at most ``MOST_THREADS``."""
    usable_cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable_cpus, MOST_THREADS)


def open_session(
    path: Path,
    engine: str = "auto",
    *,
    threads: int | None = None,
    check: Check | None = None,
    context: BuildContext | None = None,
) -> GraphSession:
    """Open an exported graph with the named engine, or with the first of ``FIRST`` that opens it and passes ``check``.

    Raises ConfigError for a name that is unknown or not installed, and AssetError, with every engine's reason, when none can
    run the graph.
    """
    if engine != "auto":
        usable(engine)
    reasons = []
    for name in FIRST if engine == "auto" else (engine,):
        try:
            return _open(path, name, threads or available_threads(), check, context or BuildContext())
        except ImportError as error:
            reasons.append(f"{name}: cannot be imported here, {error}")
        except AssetError as error:
            reasons.append(f"{name}: {error}")
    failure = AssetError(f"No engine could run {path} ({'; '.join(reasons)}). Install the program again, or name another engine.")
    raise AssetError(too_little_memory(failure)) if memory_is_short(failure) else failure


def _open(path: Path, name: str, threads: int, check: Check | None, context: BuildContext) -> GraphSession:
    """A self-tested session of one engine; raises AssetError, ImportError."""
    if not path.is_file():
        raise AssetError("there is no such file")
    engine = known(name)
    session: GraphSession = backend_of(engine).open_graph(path, engine.option, threads, context)
    session.engine = name
    try:
        complaint = check.complaint(session, exact=engine.exact) if check else None
        if complaint is not None:
            raise AssetError(complaint)
    except BaseException:
        session.close()
        raise
    return session
