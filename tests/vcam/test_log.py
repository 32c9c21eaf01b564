"""The log: failures with their tracebacks, and nothing of pictures or coefficients."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from engine.errors import InputError
from engine.values import Coefficients
from tests.fakes import FakeClock, Said
from vcam.log import FILE_BYTES, logging_to_file, without_numbers
from vcam.messages import Messages

logger = logging.getLogger("vcam.test")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "hifihead.log"


def failing() -> None:
    secret = np.full((4, 5, 3), 173, np.uint8)
    raise ValueError(f"cannot take {secret} nor {secret.tolist()!r} of shape {secret.shape}")


def test_survived_failures_leave_their_traceback(path: Path) -> None:
    with logging_to_file(path=path):
        Messages(Said(), FakeClock()).attempt("x", "Drawing", failing)
    text = path.read_text()
    assert "WARNING [MainThread] vcam.messages: Drawing failed.\nTraceback (most recent call last):" in text
    assert "in failing" in text
    assert "ValueError: cannot take [numbers] nor [numbers] of shape (4, 5, 3)" in text


def test_our_own_errors_are_logged_as_well_but_not_thirty_times_a_second(path: Path) -> None:
    def refuse() -> None:
        raise InputError("The picture shows no face.")

    clock = FakeClock()
    messages = Messages(Said(), clock)
    with logging_to_file(path=path):
        for _ in range(120):
            messages.attempt("x", "Reading", refuse)
            clock.pass_time(0.1)
    assert path.read_text().count("InputError: The picture shows no face.") == 2


def test_arrays_are_reduced_to_their_shape(path: Path) -> None:
    @dataclass
    class Holder:
        values: object

    picture, z = np.full((480, 640, 3), 173, np.uint8), Coefficients.neutral()
    with logging_to_file(path=path):
        logger.warning("got %s and %s", picture, 7)
        logger.warning("a %s in a %s", Holder(np.full(6, 0.173)), {"z": [0.173, -0.173]})
        logger.warning("z is %s", z)
        logger.warning("numbers %s", f"{z.vector()[:20]} and {tuple(np.full(8, 0.173).tolist())}")
    text = path.read_text()
    assert "got array((480, 640, 3), uint8) and 7\n" in text
    assert "0.173" not in text
    assert "173 " not in text
    assert "0., " not in text
    assert "0. 0." not in text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (str(np.zeros((300, 300))), "[numbers]"),
        (repr(np.array([[1.5, np.nan], [-2e-8, np.inf]])), "array([numbers])"),
        (str(np.array([True, False])), "[numbers]"),
        ("[[0.1 0.2\n  0.3 cut off", "[numbers] cut off"),
        ("shape (1, 3, 512, 512), index [3], 0.5 of 20", "shape (1, 3, 512, 512), index [3], 0.5 of 20"),
        ("[Errno 2] No such file: '/tmp/a [1].png'", "[Errno 2] No such file: '/tmp/a [1].png'"),
    ],
)
def test_printed_arrays_are_found_in_text(text: str, wanted: str) -> None:
    assert without_numbers(text) == wanted


def test_the_error_that_ends_a_thread_is_logged(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _ended: None)  # pytest's own would fail the test
    with logging_to_file(path=path):
        thread = threading.Thread(target=failing, name="drawing")
        thread.start()
        thread.join()
    text = path.read_text()
    assert "The thread drawing ended." in text
    assert "in failing" in text


def test_the_file_is_rotated(path: Path) -> None:
    with logging_to_file(path=path):
        for _ in range(8):
            logger.warning("x" * (FILE_BYTES // 2))
    names = sorted(file.name for file in path.parent.iterdir())
    assert names == ["hifihead.log", "hifihead.log.1", "hifihead.log.2"]


def test_everything_is_as_before_at_the_end(path: Path) -> None:
    before = (logging.getLogger().handlers[:], logging.getLogger("vcam").level, threading.excepthook)
    with logging_to_file(verbose=True, path=path) as log:
        log.show()
        assert len(log.handlers) == 2
    assert (logging.getLogger().handlers[:], logging.getLogger("vcam").level, threading.excepthook) == before
    logger.warning("too late")
    assert "too late" not in path.read_text()


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    blocked = tmp_path / "file" / "hifihead.log"
    with logging_to_file(path=blocked) as log:
        logger.error("lost")
    assert log.path is None
    assert capsys.readouterr().err == ""
    with logging_to_file(verbose=True, path=blocked):
        logger.error("seen")
    said = capsys.readouterr().err
    assert said.count(f"The log file {blocked} cannot be written") == 1
    assert "seen" in said


BROKEN = """
import sys
import vcam.cli.devices as devices
def failing(**_options):
    raise ZeroDivisionError("on purpose")
devices.list_devices = failing
from vcam.cli.app import run_command
sys.exit(run_command(sys.argv[1:]))
"""


@pytest.mark.parametrize(("arguments", "debug", "shown"), [((), "", False), (("-v",), "", True), ((), "1", True)])
def test_a_command_that_fails_unexpectedly_leaves_its_traceback(
    tmp_path: Path, arguments: tuple[str, ...], debug: str, shown: bool
) -> None:
    """As a user meets it: a process of its own."""
    places = dict.fromkeys(("HOME", "XDG_STATE_HOME", "LOCALAPPDATA"), str(tmp_path))
    environment = {**os.environ, **places, "HIFIHEAD_DEBUG": debug, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", BROKEN, *arguments, "devices"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, env=environment, check=False)
    assert ended.returncode == 1
    file = next(tmp_path.rglob("hifihead.log"))
    assert "ZeroDivisionError: on purpose" in file.read_text()
    assert "Traceback" in file.read_text()
    assert f"failed unexpectedly (ZeroDivisionError: on purpose); {file} shows where." in ended.stderr
    assert ("Traceback" in ended.stderr) == shown
