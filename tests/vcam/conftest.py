"""What all tests of the program share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Commands that tests run on Linux, also as processes, leave the user's log, session and data alone."""
    names = ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")
    before, folder = {name: os.environ.get(name) for name in names}, tmp_path_factory.mktemp("state")
    os.environ.update(dict.fromkeys(names, str(folder)))
    yield folder
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value
