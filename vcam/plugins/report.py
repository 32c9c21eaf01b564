"""The state of a running camera's plug-ins, in a small file that ``hifihead plugins`` reads. Names, sentences and times only."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from engine.errors import HifiHeadError
from engine.files import write_text
from engine.process import user_folder
from vcam.messages import log_failure
from vcam.snapshot import PluginState

EVERY_S = 2.0
FORGOTTEN_S = 10.0  # a file so old is of a camera that has ended


def report_path() -> Path:
    return user_folder("log") / "plugins.json"


def report_states(states: Callable[[], tuple[PluginState, ...]], ended: threading.Event) -> None:
    """Until ``ended``: writes the states down now and then, as long as there are any. Where nothing can be written, as without a
    home, ``hifihead plugins`` does not know of this camera: that goes to the log only."""
    path, written = report_path(), False
    while not ended.is_set():
        if states() or written:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_text(path, json.dumps([asdict(state) for state in states()]))
            except (OSError, HifiHeadError):
                log_failure("Writing down the state of the plug-ins")
                return
            written = True
        ended.wait(EVERY_S)
    if written:
        with suppress(OSError):  # what cannot be written cannot be removed either
            path.unlink()


def read_states() -> tuple[PluginState, ...]:
    """Those of the running camera; empty without one."""
    path = report_path()
    try:
        if time.time() - path.stat().st_mtime > FORGOTTEN_S:
            return ()
        return tuple(PluginState(**state) for state in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, HifiHeadError):
        return ()
