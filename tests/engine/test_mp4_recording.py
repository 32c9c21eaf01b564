"""Recordings: picture and sound in time, nothing lost between two files, and what was written plays, whatever happens."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import av
import numpy as np
import pytest

from engine.mp4_recording import VideoRecording
from engine.values import Floats
from tests.fakes import Said, flat

RATE_HZ, BLOCK, FPS = 48_000, 480, 30
SIZE = (64, 48)
DARK, BRIGHT = flat((30, 30, 30), *SIZE), flat((240, 240, 240), *SIZE)
LENGTH_S = 4.0


class Rig:
    """A recording of ``LENGTH_S``, whose pictures flash and whose sound claps at the same moments of the driver."""

    def __init__(
        self, folder: Path, *, claps_s: tuple[float, ...] = (1.5, 3.0), latency_s: float = 0.0, **options: object
    ) -> None:
        self.folder, self.said, self.claps_s, self.latency_s = folder, Said(), claps_s, latency_s
        numbers = count(1)
        self.recording = VideoRecording(
            lambda: folder / f"{next(numbers)}.mp4",
            SIZE,
            FPS,
            sound_hz=RATE_HZ,
            say=self.said,
            **options,  # type: ignore[arg-type]
        )

    def run(self, *, deaf_s: tuple[float, float] = (0.0, 0.0)) -> None:
        """Sound comes 30 ms after it was made, but none in ``deaf_s``; the times do not begin at 0."""
        events = [(0.01 * n + 0.03, "sound", 0.01 * n) for n in range(round(LENGTH_S * 100))]
        events += [(n / FPS, "picture", n / FPS) for n in range(round(LENGTH_S * FPS))]
        self.recording.look(self.latency_s)
        for _, kind, time_s in sorted(events):
            if kind == "sound" and not deaf_s[0] <= time_s < deaf_s[1]:
                self.recording.sound(self.block(time_s), 700.0 + time_s)
            if kind == "picture":
                flash = any(0 <= time_s - self.latency_s - clap_s < 0.9 / FPS for clap_s in self.claps_s)
                self.recording.picture(BRIGHT if flash else DARK, 700.0 + time_s)

    def block(self, time_s: float) -> Floats:
        loud = any(abs(time_s - clap_s) < 0.005 for clap_s in self.claps_s)
        return np.sin(0.4 * np.arange(BLOCK, dtype=np.float32)) * np.float32(0.8 if loud else 0)


def flashes_and_claps(path: Path) -> tuple[list[float], list[float]]:
    """When pictures are bright and when sound begins to be loud [s]."""
    with av.open(str(path)) as container:
        flashes = [frame.time for frame in container.decode(video=0) if frame.to_ndarray(format="gray").mean() > 140]
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    assert frames[0].time == 0
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    loud = np.flatnonzero(np.abs(samples) > 0.3) / RATE_HZ
    return flashes, [float(time_s) for n, time_s in enumerate(loud) if n == 0 or time_s - loud[n - 1] > 0.1]


def lengths_s(path: Path) -> dict[str, float]:
    with av.open(str(path)) as container:
        return {stream.type: float(stream.duration * stream.time_base) for stream in container.streams}


@pytest.mark.parametrize("latency_s", [0.0, 0.1])
def test_picture_and_sound_are_in_time(tmp_path: Path, latency_s: float) -> None:
    rig = Rig(tmp_path, latency_s=latency_s)
    with rig.recording:
        rig.run()
    flashes, claps = flashes_and_claps(tmp_path / "1.mp4")
    assert len(flashes) == len(claps) == 2
    assert np.subtract(flashes, claps) == pytest.approx(0, abs=0.02)  # a picture lasts 0.033 s
    assert [path.name for path in tmp_path.iterdir()] == ["1.mp4"]
    assert rig.said == [f"Recorded: {tmp_path / '1.mp4'}."]


def test_nothing_is_lost_between_two_files(tmp_path: Path) -> None:
    rig = Rig(tmp_path, claps_s=(0.5, 0.945, 2.0, 3.0), latency_s=0.1, part_s=1.0)
    with rig.recording:
        rig.run()
    paths = sorted(tmp_path.iterdir())
    assert [path.name for path in paths] == ["1.mp4", "2.mp4", "3.mp4", "4.mp4"]
    pictures, seconds = 0, 0.0
    for path in paths:
        with av.open(str(path)) as container:
            pictures += sum(1 for _ in container.decode(video=0))
        length_s = lengths_s(path)
        assert length_s["audio"] == pytest.approx(length_s["video"], abs=0.06)
        seconds += length_s["audio"]
        (flash_s,), (clap_s,) = flashes_and_claps(path)
        assert 0 <= flash_s - clap_s + 0.001 < 1.1 / FPS  # the next picture
    assert pictures == LENGTH_S * FPS - 1  # the one before the first sound
    assert seconds == pytest.approx(LENGTH_S, abs=0.15)


def test_a_file_that_is_large_enough_is_followed_by_another(tmp_path: Path) -> None:
    rig = Rig(tmp_path, part_bytes=1)
    with rig.recording:
        rig.run()
        rig.recording.look(0.0)
        rig.recording.picture(DARK, 800.0)
        rig.recording.picture(DARK, 800.1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.mp4", "2.mp4"]


def test_without_sound_the_picture_alone_is_recorded_and_told(tmp_path: Path) -> None:
    rig = Rig(tmp_path, part_s=1.7, claps_s=(3.0,))
    with rig.recording:
        rig.run(deaf_s=(0.0, 2.5))
    assert rig.said[0] == "No sound is heard: 1.mp4 has the picture alone."
    assert lengths_s(tmp_path / "1.mp4").keys() == {"video"}
    (flash_s,), (clap_s,) = flashes_and_claps(tmp_path / "2.mp4")  # begun when sound was there
    assert flash_s == pytest.approx(clap_s, abs=0.02)


def test_sound_that_goes_and_comes_back_is_silence_meanwhile(tmp_path: Path) -> None:
    rig = Rig(tmp_path, claps_s=(1.0, 3.5))
    with rig.recording:
        rig.run(deaf_s=(1.5, 3.4))
    flashes, claps = flashes_and_claps(tmp_path / "1.mp4")
    assert np.subtract(flashes, claps) == pytest.approx(0, abs=0.02)


def test_what_was_written_plays_at_every_moment(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.run()
    left = tmp_path / "left.mp4"
    left.write_bytes((tmp_path / "1.unfinished.mp4").read_bytes())  # as if the machine had lost its power
    with av.open(str(left)) as container:
        assert sum(1 for _ in container.decode(video=0)) / FPS > LENGTH_S - 2
    assert flashes_and_claps(left)[1][0] == pytest.approx(1.5, abs=0.1)
    rig.recording.close()
