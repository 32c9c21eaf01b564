"""Sessions, the dictionary of backends, and the self-test that every opened graph must pass."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from engine.errors import AssetError, ConfigError
from engine.values import Floats

BACKENDS = {
    "openvino": "engine.runtime.openvino_backend",
    "onnxruntime": "engine.runtime.onnxruntime_backend",
    "torch": "engine.runtime.torch_backend",
}
AUTOMATIC = ("openvino", "onnxruntime")  # fastest first, measured in docs/generator.md
MOST_THREADS = 4  # more do not make these small networks faster
TOLERANCE = 2e-3  # of the self-test, relative to 1 + |expected|; float32 backends differ by less than 1e-4


class Session(Protocol):
    """An opened graph. One thread at a time may run it.

    backend  the name in ``BACKENDS`` that was really obtained
    inputs   name → shape of every input that the graph reads
    """

    backend: str
    inputs: Mapping[str, tuple[int, ...]]

    def run(self, feeds: Mapping[str, Floats]) -> dict[str, Floats]:
        """Input name → C-contiguous float32 array of the stated shape (further names are ignored) → output name → array.

        The outputs belong to the session: the next run overwrites them.
        """


@dataclass(frozen=True)
class Check:
    """What a graph must answer to ``probe``: per output, the values at evenly spread places (``pick``)."""

    expected: Mapping[str, Floats]

    def complaint(self, session: Session) -> str | None:
        """None when the session answers as stored, otherwise what is wrong."""
        outputs = session.run(probe(session.inputs))
        for name, expected in self.expected.items():
            got = pick(outputs[name])
            if not np.isfinite(outputs[name]).all():
                return f"its self-test gave values that are not finite in '{name}'"
            error = float(np.max(np.abs(got - expected) / (1 + np.abs(expected))))
            if error > TOLERANCE:
                return f"its self-test of '{name}' was off by {error:.2g}, at most {TOLERANCE:.2g} is right"
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


def available_threads() -> int:
    """How many threads a session uses unless told: the CPUs that this process may use, at most ``MOST_THREADS``."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST_THREADS)


def open_session(path: Path, backend: str = "auto", *, threads: int | None = None, check: Check | None = None) -> Session:
    """Open an exported graph with the named backend, or with the first of ``AUTOMATIC`` that opens it and passes ``check``.

    Raises ConfigError for an unknown name and AssetError, with every backend's reason, when none can run the graph.
    """
    if backend != "auto" and backend not in BACKENDS:
        raise ConfigError(f"The backend must be auto, {', '.join(BACKENDS)}; got '{backend}'.")
    reasons = []
    for name in AUTOMATIC if backend == "auto" else (backend,):
        session = _open(path, name, threads or available_threads(), check)
        if not isinstance(session, str):
            return session
        reasons.append(f"{name}: {session}")
    raise AssetError(f"No backend could run {path} ({'; '.join(reasons)}). Install the program again, or name another backend.")


def _open(path: Path, name: str, threads: int, check: Check | None) -> Session | str:
    """A self-tested session of one backend, or why there is none."""
    if not path.is_file():
        return "there is no such file"
    try:
        session: Session = importlib.import_module(BACKENDS[name]).open_graph(path, threads)
    except ImportError as error:
        return f"cannot be imported here, {error}"
    except AssetError as error:
        return str(error)
    return (check.complaint(session) if check else None) or session
