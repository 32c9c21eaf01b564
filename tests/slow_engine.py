"""``python -m tests.slow_engine …``: the program with one more engine, three seconds of uninterruptible building.

So that a process can be ended while an engine is being built, on every machine: like a compiler in native code, ``sleep`` hears
nothing of what Python wants.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vcam.signals import Interrupted, loading

if TYPE_CHECKING:
    from engine.runtime.engines import BuildContext
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
    """Tells that signals are heard, adds the engine and runs the program."""
    try:
        with loading(sys.argv[1:]):
            sys.stdout.write("started\n")
            sys.stdout.flush()
            from engine.process import prepare_process

            prepare_process()
            from engine.runtime import engines
            from vcam.__main__ import main as program

            engines.ENGINES["slow"] = engines.Engine("tests.slow_engine", "onnxruntime", "CPU", "nothing", exact=True)
            engines.BETTER = ("slow",)
            program()
    except Interrupted as interrupted:
        sys.exit(128 + interrupted.number)


if __name__ == "__main__":
    main()
