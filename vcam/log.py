"""The log file: the traceback of every failure that the program survived or ended by, and never a picture or coefficients.

Modules log through ``logging.getLogger(__name__)``. While a command runs, ``logging_to_file`` writes what they log to
``log_path()``, and on request to standard error. Arrays are reduced to their shape, and numbers in brackets are left out.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from engine.process import user_folder

FILE_BYTES, BACKUPS = 1_000_000, 2  # three files together
LINE = "%(asctime)s %(levelname)s [%(threadName)s] %(name)s: %(message)s"
PACKAGES = ("engine", "vcam", "plugins")  # other libraries are logged from warnings upward

# How numpy, torch and Python print sequences of numbers: two and more in square brackets; in round brackets six and more, since
# a shape has fewer. Between two numbers stand commas and spaces, or the end of one row and the start of the next.
NUMBER = r"(?:[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|\.\d+|nan|inf)|\.\.\.|True|False)"
OPENING = r"(?:\[\s*){1,8}"
BETWEEN = rf"(?:[\s,]+|[\s,]*\][\s,\]]*(?:\.\.\.[\s,]*)?{OPENING})"
SQUARE = rf"{OPENING}{NUMBER}(?:{BETWEEN}{NUMBER})+(?:[\s,]*\]+)?"
ROUND = rf"\(\s*{NUMBER}(?:[\s,]+{NUMBER}){{5,}}(?:[\s,]*\))?"
NUMBERS = re.compile(f"{SQUARE}|{ROUND}", re.IGNORECASE)

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

logger = logging.getLogger(__name__)


def log_path() -> Path:
    """The log file of this user."""
    return user_folder("log") / "hifihead.log"


def without_numbers(text: str) -> str:
    """The text with every printed array replaced by "[numbers]"."""
    return NUMBERS.sub("[numbers]", text)


def described(value: object) -> object:
    """An array as its shape and type, e.g. "array((480, 640, 3), uint8)"; any other value as it is."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    return value if shape is None or dtype is None else f"array({tuple(shape)}, {dtype})"


class PrivateFormatter(logging.Formatter):
    """Formats records and tracebacks without the contents of arrays. Lines of source in a traceback stay as they are."""

    def format(self, record: logging.LogRecord) -> str:
        private = copy.copy(record)
        if isinstance(record.args, tuple):
            private.args = tuple(described(value) for value in record.args)
        private.msg, private.args = without_numbers(private.getMessage()), ()
        private.exc_text = None  # another handler's formatter may have left its own
        return super().format(private)

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 — logging's name
        parts = traceback.format_exception(*ei)
        return "".join(part if part.startswith('  File "') else without_numbers(part) for part in parts).rstrip()


class LogFile(RotatingFileHandler):
    """The log file and its two predecessors; raises OSError when it cannot be opened. A disk that is full loses records only."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(path, maxBytes=FILE_BYTES, backupCount=BACKUPS, encoding="utf-8", errors="replace")
        self.setFormatter(PrivateFormatter(LINE))
        self.setLevel(logging.INFO)

    def doRollover(self) -> None:  # noqa: N802 — logging's name
        with contextlib.suppress(OSError):  # Windows renames no file that another process has open: it grows until it can
            super().doRollover()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 — logging's name
        """Says nothing: logging's own report would print the record's values."""


@dataclass
class ActiveLog:
    """What a command logs to. ``path`` is None when the file could not be opened."""

    path: Path | None = None
    handlers: list[logging.Handler] = field(default_factory=list)
    shown: bool = False

    def add(self, handler: logging.Handler) -> None:
        logging.getLogger().addHandler(handler)
        self.handlers.append(handler)

    def show(self) -> None:
        """Prints the log on standard error, too, with what is written for developers only."""
        if not self.shown:
            self.shown = True
            handler = logging.StreamHandler(sys.stderr)
            handler.setFormatter(PrivateFormatter(LINE))
            self.add(handler)

    def close(self) -> None:
        for handler in self.handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()
        self.handlers.clear()


@contextmanager
def logging_to_file(verbose: bool = False, path: Path | None = None) -> Iterator[ActiveLog]:
    """While the block runs, the program logs to ``path``, or ``log_path()``; ``verbose`` also shows it on standard error.

    Errors that end a thread are logged as well. A file that cannot be opened is done without.
    """
    log, wanted = ActiveLog(), path or log_path()
    levels = {name: logging.getLogger(name).level for name in PACKAGES}
    thread_hook = threading.excepthook

    def log_thread_error(ended: Any) -> None:
        name = ended.thread.name if ended.thread else "unknown"
        if ended.exc_value is not None:
            logger.error("The thread %s ended.", name, exc_info=(ended.exc_type, ended.exc_value, ended.exc_traceback))
        thread_hook(ended)

    try:
        for name in PACKAGES:
            logging.getLogger(name).setLevel(logging.DEBUG)
        threading.excepthook = log_thread_error
        if verbose:
            log.show()
        try:
            log.add(LogFile(wanted))
            log.path = wanted
        except OSError as error:
            log.add(logging.NullHandler())
            logger.debug("The log file %s cannot be written (%s): the program goes on without.", wanted, error.strerror)
        yield log
    finally:
        threading.excepthook = thread_hook
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        log.close()
