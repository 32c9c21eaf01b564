"""``python -m tests.slow_engine …``: the program with one more engine, three seconds of uninterruptible building.

So that a process can be ended while an engine is being built, on every machine: like a compiler in native code, ``sleep`` hears
nothing of what Python wants.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from engine.runtime import engines
from engine.runtime.engines import BuildContext, Engine
from engine.runtime.sessions import GraphSession

BUILD_S = 3


def missing(option: str) -> str | None:
    """It is always there."""
    del option
    return None


def open_graph(path: Path, option: str, threads: int, context: BuildContext) -> GraphSession:
    """ONNX Runtime's session, late."""
    del option
    from engine.runtime.onnxruntime_backend import open_graph as open_now

    ctypes.CDLL(None).sleep(BUILD_S)
    return open_now(path, "CPU", threads, context)


def main() -> None:
    """Adds the engine and runs the program."""
    from vcam.__main__ import main as program

    engines.ENGINES["slow"] = Engine("tests.slow_engine", "onnxruntime", "CPU", "nothing", exact=True)
    engines.BETTER = ("slow",)
    program()


if __name__ == "__main__":
    main()
