"""The beginning and the end of a process: its environment, silence on the terminal, and how it leaves."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import shutil
import stat
import sys
import tempfile
import threading
from pathlib import Path
from typing import Literal, NoReturn

from engine.errors import InputError

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


PACKAGE = Path(__file__).parent
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 — Linux's

# how systems and libraries say that memory is short, in small letters
SHORT_MEMORY = (
    "cannot allocate memory", "failed to map segment", "bad_alloc", "bad allocation", "out of memory", "unable to allocate",
    "paging file is too small", "not enough memory", "can't start new thread", "insufficient memory", "memory exhausted",
)  # fmt: skip

LEAST_MEMORY = 2_300_000_000  # bytes of addresses that a camera of two threads takes, found by trying limits
MORE_MEMORY = "Close other programs, or lift the limit ('ulimit -v unlimited')."
SHORT_BY_LIMIT = ("could not find/load shared object file",)  # numba's library hides the system's words


def prepare_process() -> None:
    """Sets what libraries read when they are imported; what the user has set stays. Opens standard streams that are closed."""
    open_standard_streams()
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if "NUMBA_CACHE_DIR" not in os.environ and not compiled_code_can_be_kept():
        os.environ["NUMBA_CACHE_DIR"] = str(private_folder() / "compiled")


def open_standard_streams() -> None:
    """Whoever starts the program may have closed them: files opened later would take their place, and get what is printed."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.dup(number), "r" if number == 0 else "w", encoding="utf-8", errors="replace"))


def compiled_code_can_be_kept() -> bool:
    """Whether numba finds a folder that it may write to: beside each module, or in the user's folder of caches."""
    beside = [PACKAGE, *(folder for folder in PACKAGE.iterdir() if folder.is_dir() and folder.name != "assets")]
    own = [folder / "__pycache__" if (folder / "__pycache__").is_dir() else folder for folder in beside]
    if all(os.access(folder, os.W_OK | os.X_OK) for folder in own):
        return True
    home = os.path.expanduser("~")  # noqa: PTH111 — "~" where there is none
    caches = Path(os.environ.get("XDG_CACHE_HOME") or home)
    existing = next((folder for folder in (caches, *caches.parents) if folder.exists()), caches)
    return caches.is_absolute() and os.access(existing, os.W_OK | os.X_OK)


def private_folder() -> Path:
    """A folder for a user who has none: in the system's folder for temporary files, and nobody else's."""
    if not hasattr(os, "getuid"):
        return removed_at_the_end()
    folder = temporary_folder() / f"hifihead-{os.getuid()}"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
            return folder
    return removed_at_the_end()


def temporary_folder() -> Path:
    """The system's folder for temporary files; where nothing may be written to it, as in a container whose disk is read-only,
    shared memory. Raises InputError."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        if os.access(SHARED_MEMORY, os.W_OK | os.X_OK):
            return SHARED_MEMORY
        raise InputError("No folder can be written to, not even one for temporary files. Let TMPDIR name one.") from error


def removed_at_the_end() -> Path:
    """A new folder that goes with the process."""
    folder = tempfile.mkdtemp(prefix="hifihead-", dir=temporary_folder())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def user_folder(kind: Literal["cache", "config", "data", "log"]) -> Path:
    """The user's folder of that kind for this program; it need not exist. Of a user without a home it is a temporary one."""
    import platformdirs  # here, because the doctor tells when it is missing

    try:
        return Path(getattr(platformdirs, f"user_{kind}_path")("hifihead"))
    except (RuntimeError, KeyError):  # no HOME, and no entry in the list of users
        return private_folder() / kind


def memory_limit() -> int | None:
    """How many bytes of memory this process may use ("ulimit -v"); None when nothing is said."""
    try:
        import resource  # here, because Windows has none
    except ImportError:
        return None
    limit: int = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def memory_is_limited() -> bool:
    """Whether this process may use less memory than there is."""
    return memory_limit() is not None


def refuse_limited_memory() -> None:
    """Raises MemoryError where the limit is below what the networks take: where the C library meets it, the process ends without
    a word."""
    limit = memory_limit()
    if limit is not None and limit < LEAST_MEMORY:
        raise MemoryError(f"{limit / 1e9:.1f} GB are allowed, {LEAST_MEMORY / 1e9:.1f} GB are needed")


def too_little_memory(error: BaseException) -> str:
    """The sentence for ``memory_is_short``."""
    return f"There is not enough memory ({error or type(error).__name__}). {MORE_MEMORY}"


def memory_is_short(error: BaseException) -> bool:
    """Whether an error, or one behind it, says so."""
    words = (*SHORT_MEMORY, *(SHORT_BY_LIMIT if memory_is_limited() else ()))
    while True:
        text = str(error).lower()
        if isinstance(error, MemoryError) or any(word in text for word in words):
            return True
        behind = error.__cause__ or error.__context__
        if behind is None:
            return False
        error = behind


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
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    waited_for = [thread for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()]
    if not waited_for:
        sys.exit(code)
    logging.shutdown()
    os._exit(code)
