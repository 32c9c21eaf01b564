"""The beginning and the end of a process: its environment, silence on the terminal, and how it leaves."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from typing import NoReturn

ENVIRONMENT = {
    # numpy's worker threads spin after each product and take the cores that the network needs: 49 ms a frame instead of 33
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    # the tracker's libraries would write pages of notes to the terminal
    "GLOG_minloglevel": "3",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "ABSL_MIN_LOG_LEVEL": "3",
    "OPENCV_LOG_LEVEL": "OFF",
    # a webcam that stops delivering is noticed after seconds, not after ten
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "3",
    # nothing is ever reported to anyone
    "OPENVINO_TELEMETRY": "0",
}


def prepare_process() -> None:
    """Sets what libraries read when they are imported; what the user has set stays."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def quiet_native_code() -> None:
    """Cuts off what C++ libraries write to standard error; ``sys.stderr`` goes on. HIFIHEAD_DEBUG=1 keeps it."""
    if os.environ.get("HIFIHEAD_DEBUG"):
        return
    ours = os.dup(2)
    sys.stderr = os.fdopen(ours, "w", buffering=1, encoding="utf-8", errors="replace")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


def end_process(code: int) -> NoReturn:
    """Leaves with this exit code, what was written and logged being flushed.

    While a thread is alive in native code that cannot be interrupted, the interpreter would wait for it: then the process ends
    at once, without the interpreter's own end.
    """
    waited_for = [thread for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()]
    if not waited_for:
        sys.exit(code)
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # closed, or nobody reads it any more
            stream.flush()
    os._exit(code)
