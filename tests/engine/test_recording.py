"""A recording can be cut anywhere, damaged anywhere, and its writer killed at any moment: what is whole of it is read."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import recording
from engine.errors import InputError
from engine.recording import HEADER_BYTES, MOMENT, MOTION, RecordingWriter, read_recording

ROOT = Path(__file__).parents[2]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Ten moments, 1/30 s apart; in the sixth nobody is seen."""
    path = tmp_path / "made.z"
    with RecordingWriter(path) as writer:
        for number in range(10):
            motion = None if number == 5 else np.full(MOTION, number / 10, np.float32)
            writer.write(100 + number / 30, motion, relative=number > 7, driver=number // 4)
    return path


def test_what_is_written_is_read(made: Path) -> None:
    read = read_recording(made)
    np.testing.assert_allclose(read.times_s, np.arange(10) / 30, atol=1e-9)
    np.testing.assert_array_equal(read.motion[7], np.full(MOTION, 0.7, np.float32))
    assert read.face.tolist() == [True] * 5 + [False] + [True] * 4
    assert read.relative.tolist() == [False] * 8 + [True] * 2
    assert read.driver.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    assert (read.notes, read.same_head) == ((), True)
    assert made.stat().st_size == HEADER_BYTES + 10 * MOMENT.itemsize
    assert 30 * MOMENT.itemsize < 9500  # bytes a second


def test_cut_off_at_any_byte(made: Path, tmp_path: Path) -> None:
    data, cut = made.read_bytes(), tmp_path / "cut.z"
    for length in range(len(data)):
        cut.write_bytes(data[:length])
        whole, rest = divmod(length - HEADER_BYTES, MOMENT.itemsize)
        if whole >= 2:
            read = read_recording(cut)
            assert len(read.times_s) == whole
            assert bool(read.notes) == bool(rest)
        else:
            with pytest.raises(InputError, match=r"no recording|cut off|whole moments"):
                read_recording(cut)


def test_a_damaged_moment_is_left_out_and_told(made: Path) -> None:
    data = bytearray(made.read_bytes())
    data[HEADER_BYTES + 3 * MOMENT.itemsize + 50] ^= 4
    made.write_bytes(data)
    read = read_recording(made)
    assert len(read.times_s) == 9
    assert "1 of 10 moments" in read.notes[0]


def test_other_files_are_refused_with_a_sentence(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = made.read_bytes()

    def refused(words: str, changed: bytes) -> None:
        other = tmp_path / "other.z"
        other.write_bytes(changed)
        with pytest.raises(InputError, match=words):
            read_recording(other)

    refused("no recording", b"PK" + data[2:])
    refused("no recording", data.replace(b"\r\n", b"\n"))
    refused("version 2; this program plays version 1", data[:8] + struct.pack("<H", 2) + data[10:])
    refused("damaged", data[:20] + b"x" + data[21:])
    with pytest.raises(InputError, match="does not exist"):
        read_recording(tmp_path / "nothing.z")
    monkeypatch.setattr(recording, "LARGEST_BYTES", 100)
    refused("larger than", data)


def test_of_another_head_model_only_named_expressions_are_played(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "head_hash", lambda: b"x" * 32)
    read = read_recording(made)
    assert not read.same_head
    assert read.motion[9, 51] == np.float32(0.9)
    assert not read.motion[:, 52:64].any()


def test_nothing_is_overwritten(made: Path) -> None:
    before = made.read_bytes()
    with pytest.raises(InputError, match="exists already"):
        RecordingWriter(made)
    assert made.read_bytes() == before


WRITE = """
import sys
import numpy as np
from pathlib import Path
from engine.recording import MOTION, RecordingWriter
with RecordingWriter(Path(sys.argv[1])) as writer:
    for number in range(10**6):
        writer.write(number / 30, np.full(MOTION, 0.5))
        if number == 50:
            print("going", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill is POSIX's")
def test_a_writer_that_is_killed_leaves_what_it_wrote(tmp_path: Path) -> None:
    out = tmp_path / "killed.z"
    command = [sys.executable, "-c", WRITE, str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "going\n"
        process.kill()
    read = read_recording(out)
    assert len(read.times_s) > 50
    assert not [note for note in read.notes if "damaged" in note]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "x.z") as writer:
        writer.write(0, np.zeros(MOTION))
        full = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 — the writer closes it
        writer._file.close()
        writer._file = full
        with pytest.raises(InputError, match="No space left"):
            writer.write(1, np.zeros(MOTION))
