"""Writing .npz files so that what bears the name can be read."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNFINISHED = ".unfinished"


def write_whole(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes plain arrays beside ``path`` and moves them there once on disk. Raises OSError, and then leaves nothing behind."""
    unfinished = path.with_suffix(UNFINISHED)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
