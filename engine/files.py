"""Names of files, and writing: complete or not at all. What cannot be read or written is told before the work begins."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import InputError

ADDRESS = re.compile(r"(?:^|/)((?:https?|ftps?|sftp|smb|file|data|rtsps?|rtmps?|udp|srt):/.*)", re.IGNORECASE | re.DOTALL)
LONGEST_ENDING = 16  # of a temporary name, letters; what looks like a longer one is part of the name
_NUMBERS = itertools.count()


def user_path(name: str) -> Path:
    """The path of a name as users write it: ~ is their home. Raises InputError when it is not known where that is."""
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise InputError(
            f"{name} cannot be found: it is not known where {Path(name).parts[0]} is. Write the whole path."
        ) from error


def refuse_absent(path: Path, what: str) -> None:
    """Raises InputError unless there is something under that name that can be looked at; ``what`` it is to be."""
    try:
        path.stat()
    except (OSError, ValueError) as error:
        if address := web_address(path):
            raise InputError(f"The {what} {address} is an address; wanted the name of a file on this machine.") from error
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise InputError(f"The {what} {path} does not exist.") from error
        raise InputError(f"The {what} {path} cannot be read: {reason(error)}.") from error


def web_address(path: Path) -> str:
    """The address, https://… or the like, that was given in place of a file's name; "" when it is none.

    A path keeps one of an address's two slashes, and a relative one may stand behind a folder.
    """
    found = ADDRESS.search(path.as_posix())
    if found is None:
        return ""
    scheme, _, rest = found[1].partition(":/")
    return f"{scheme}://{'/' if scheme.lower() == 'file' else ''}{rest}"


def refuse_unwritable(path: Path) -> None:
    """Raises InputError unless a file can be written there, or in place of what stands there."""
    try:
        folder = path.is_dir()
        path.lstat()
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be written: {reason(error)}.") from error
    if folder:
        raise InputError(f"{path} cannot be written: it is a folder.")
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be written: the folder {path.parent} does not exist.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f"{path} cannot be written: nothing may be written to the folder {path.parent}.")


def refuse_overwriting(out: Path, *sources: Path) -> None:
    """Raises InputError when ``out`` is one of the files that are read to make it: what is written would take its place."""
    for source in sources:
        with contextlib.suppress(OSError, ValueError):  # one of them does not exist
            if out.samefile(source):
                raise InputError(f"{out} cannot be written: it is what is read ({source}). Wanted another name.")


def reason(error: Exception) -> str:
    """The words of an error, without its number and the path."""
    return getattr(error, "strerror", None) or str(error)


def ffmpeg_name(path: Path) -> str:
    """A path as FFmpeg takes it: without "file:" it would take what stands before a colon for a protocol."""
    return f"file:{path}"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path``, with its ending, to be written; at the end it replaces ``path``.

    Both the content and the name are on the disk before this returns: a power cut leaves the former file or the new one, whole.
    When the body raises, the temporary file is removed and what stood at ``path`` stays. An OSError, the body's or that of the
    replacing, becomes an InputError.
    """
    ending = path.suffix if len(path.suffix) <= LONGEST_ENDING else ""
    partial = path.with_name(f".{os.getpid()}-{next(_NUMBERS)}.part{ending}")
    try:
        yield partial
        sync_file(partial)
        partial.replace(path)
        sync_names(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(f"{path} cannot be written: {reason(error)}.") from error
        raise


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """``replacing`` for a folder of files: yields a new one beside it, which at the end takes its place."""
    partial, former = (folder.with_name(f".{os.getpid()}-{next(_NUMBERS)}.{kind}") for kind in ("part", "former"))
    try:
        partial.mkdir(parents=True)
        yield partial
        for path in partial.iterdir():
            sync_file(path)
        sync_names(partial)
        if folder.exists():
            folder.rename(former)
        partial.rename(folder)
        sync_names(folder.parent)
        shutil.rmtree(former, ignore_errors=True)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        with contextlib.suppress(OSError):
            former.rename(folder)
        if isinstance(error, OSError):
            raise InputError(f"{folder} cannot be written: {reason(error)}.") from error
        raise


def sync_file(path: Path) -> None:
    """Waits until what was written to a file is on the disk."""
    with path.open("rb+") as written:
        os.fsync(written.fileno())


def sync_names(folder: Path) -> None:
    """Waits until the names in a folder are on the disk, where the system can tell (not Windows, and not every network)."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def make_folder(path: Path) -> None:
    """Makes a folder and those above it where they are missing; raises InputError when that is not possible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {path} cannot be made: {reason(error)}.") from error


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file; raises InputError when that is not possible, and what stood there before stays."""
    with replacing(path) as partial:
        partial.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """``write_bytes`` of a text in UTF-8, exactly as it is given."""
    write_bytes(path, text.encode())


def write_private(path: Path, text: str) -> None:
    """``write_text`` for this user's eyes only, from the first byte on; its folder is made where it is missing."""
    with replacing(path) as partial:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch(mode=0o600)
        partial.write_bytes(text.encode())
