"""Writing files: complete or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident

from engine.errors import InputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path``, with its ending, to be written; at the end it replaces ``path``.

    When the body raises, the temporary file is removed and what stood at ``path`` stays. An OSError, the body's or that of the
    replacing, becomes an InputError.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}-{get_ident()}.part{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file; raises InputError when that is not possible, and what stood there before stays."""
    with replacing(path) as partial:
        partial.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """``write_bytes`` of a text in UTF-8, exactly as it is given."""
    write_bytes(path, text.encode())
