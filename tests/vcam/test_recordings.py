"""What was recorded plays, whatever ended the recording; a good end makes an ordinary file of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest

from engine.errors import InputError
from engine.mp4 import Mp4File
from engine.video import VideoDamage, read_frames
from tests.fakes import FakeBuilder, FakeClock, FakeSink, Said, flat
from vcam.messages import Messages
from vcam.session import Session
from vcam.signals import Interrupted

ROOT = Path(__file__).parents[2]
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals and limits of processes are POSIX's")

RECORD = """
import sys, time, resource
import numpy as np
from pathlib import Path
from engine.errors import InputError
from engine.mp4 import Mp4File
from vcam.signals import ending
rng = np.random.default_rng(0)
out, limit = Path(sys.argv[1]), int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
with ending() as ended:
    file = Mp4File(out, (320, 240), 30)
    try:
        for number in range(100_000):
            file.send(rng.integers(0, 255, (240, 320, 3), np.uint8))
            if number == 90:
                print("going", flush=True)
            if ended.is_set():
                break
    except InputError as error:
        print(error, flush=True)
    file.close()
"""


def record(out: Path, limit: int = 0) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", RECORD, str(out), str(limit)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment)


def is_ordinary(path: Path) -> bool:
    """One index, at the front, and no fragments."""
    data = path.read_bytes()
    return b"moof" not in data and data.index(b"moov") < data.index(b"mdat")


@posix_only
def test_a_program_that_is_killed_leaves_what_it_recorded(tmp_path: Path) -> None:
    out = tmp_path / "x.mp4"
    out.write_bytes(b"older")
    for name in ("x.unfinished.mp4", "x.unfinished-2.mp4"):
        with record(out) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "going\n"
            process.kill()
        damage = VideoDamage()
        assert len(list(read_frames(tmp_path / name, damage=damage))) >= 30
        assert damage.faults == 0
    assert out.read_bytes() == b"older"


@posix_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_program_that_is_ended_leaves_an_ordinary_file(number: signal.Signals, tmp_path: Path) -> None:
    out = tmp_path / "x.mp4"
    with record(out) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "going\n"
        process.send_signal(number)
        assert process.wait(60) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["x.mp4"]
    assert is_ordinary(out)
    assert len(list(read_frames(out))) > 90


def test_recordings_of_one_name_that_run_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    wanted = tmp_path / "x.mp4"
    with ThreadPoolExecutor(8) as pool:
        files = list(pool.map(lambda _: Mp4File(wanted, (64, 48), 30), range(8)))
    assert len(list(tmp_path.iterdir())) == 8
    for count, file in enumerate(files, 1):
        for _ in range(count):
            file.send(flat((90, 90, 90)))
    for count, file in enumerate(files, 1):
        file.close()
        assert len(list(read_frames(wanted))) == count
    assert list(tmp_path.iterdir()) == [wanted]


@posix_only
def test_a_recording_that_was_removed_meanwhile_is_told(tmp_path: Path) -> None:
    file = Mp4File(tmp_path / "x.mp4", (64, 48), 30)
    for _ in range(90):
        file.send(flat((90, 90, 90)))
    (tmp_path / "x.unfinished.mp4").unlink()
    with pytest.raises(InputError, match="removed while it was written"):
        file.close()


@posix_only
@pytest.mark.parametrize("limit", [2_000_000, 700_000, 3_333_333])
def test_a_full_disk_ends_the_recording_with_a_sentence(limit: int, tmp_path: Path) -> None:
    """A limit of the size of files fails as a full disk does: in the middle of a fragment."""
    out = tmp_path / "x.mp4"
    with record(out, limit) as process:
        said, wrong = process.communicate(timeout=100)
    assert wrong == ""
    assert "x.mp4 cannot be written further (File too large); it ends here." in said
    assert [path.name for path in tmp_path.iterdir()] == ["x.mp4"]
    assert len(list(read_frames(out))) >= 10


@pytest.mark.parametrize("cut", [0.4, 0.75, 0.999])
def test_a_power_cut_in_the_middle_of_a_fragment_costs_that_one(cut: float, tmp_path: Path) -> None:
    file = Mp4File(tmp_path / "x.mp4", (64, 48), 30)
    rng = np.random.default_rng(0)
    for _ in range(240):
        file.send(rng.integers(0, 255, (48, 64, 3), np.uint8))
    data = (tmp_path / "x.unfinished.mp4").read_bytes()
    file.discard()
    assert list(tmp_path.iterdir()) == []
    left = tmp_path / "left.mp4"
    left.write_bytes(data[: int(len(data) * cut)])
    assert len(list(read_frames(left))) > 240 * cut - 90


def test_a_finished_file_has_the_same_pictures_and_times(tmp_path: Path) -> None:
    times_s = [0.0, 0.05, 0.2, 0.21, 3.0]
    with Mp4File(tmp_path / "x.mp4", (64, 48), 30) as file:
        for number, time_s in enumerate(times_s):
            file.send(flat((40 * number, 90, 60)), time_s)
    assert is_ordinary(tmp_path / "x.mp4")
    frames = list(read_frames(tmp_path / "x.mp4"))
    assert [frame.time_s for frame in frames] == pytest.approx(times_s, abs=2e-3)
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert container.streams.video[0].frames == len(times_s)


def faulty(fail_at: int) -> FakeSink:
    return FakeSink(name="file", faults=iter([None] * fail_at + [InputError("x.mp4 cannot be written further.")] * 99))


def test_a_sink_that_fails_is_taken_out_while_there_is_another() -> None:
    clock, said = FakeClock(), Said()
    sinks = [faulty(2), FakeSink(name="preview")]
    session = Session(FakeBuilder(clock=clock, messages=Messages(said, clock)))
    session._sinks.extend(sinks)
    session._sink_failed(sinks[0], InputError("x.mp4 cannot be written further."))
    assert said == ["x.mp4 cannot be written further. The camera goes on without it."]
    assert (sinks[0].closed, sinks[1].closed, session._sinks) == (True, False, sinks[1:])
    with pytest.raises(InputError):
        session._sink_failed(sinks[1], InputError("no more"))


def test_a_file_that_is_interrupted_while_it_is_opened_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise Interrupted(signal.SIGTERM)

    monkeypatch.setattr("engine.mp4.add_stream", interrupted)
    with pytest.raises(Interrupted):
        Mp4File(tmp_path / "x.mp4", (64, 48), 25)
    assert list(tmp_path.iterdir()) == []
