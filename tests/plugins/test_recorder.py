"""The recorder: what is sent goes to files, whoever draws never waits for it, and what is wrong is told."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from engine import mp4
from engine.errors import InputError
from engine.mp4_recording import VideoRecording
from engine.video import read_frames
from plugins import recorder
from plugins.recorder import RecorderPlugin, Writer
from tests.fakes import Said, flat
from tests.vcam.test_session import SinkBuilder, running, wait_for
from vcam.config import Settings
from vcam.plugins.interface import SOUND_BLOCK
from vcam.plugins.testing import SIZE, PluginRun

GREY = flat((120, 120, 120), *SIZE)
SILENCE = np.zeros(2 * SOUND_BLOCK, np.float32)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pictures are never left out, however busy the machine is; and no thread remains."""
    monkeypatch.setattr(recorder, "WAITING_PICTURES", 1000)
    yield
    assert wait_for(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("recorder")])


def streams(path: Path) -> set[str]:
    with av.open(str(path)) as container:
        return {stream.type for stream in container.streams}


def test_what_is_sent_is_recorded_with_sound(tmp_path: Path) -> None:
    with PluginRun(RecorderPlugin, folder=tmp_path, save_in=".", fps=50) as run:
        for shade in (40, 90, 200) * 8:
            run.sound(SILENCE)
            run.now -= 2 * SOUND_BLOCK / 48_000  # the picture's own time goes on
            run.sent(flat((shade,) * 3, *SIZE))
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("hifihead-20")
    assert streams(path) == {"video", "audio"}
    shades = [round(float(frame.image.mean())) for frame in read_frames(path)]
    assert shades == pytest.approx([40, 90, 200] * 8, abs=3)
    assert run.said == [f"Recorded: {path}."]


def test_without_sound_the_microphone_stays_closed(tmp_path: Path) -> None:
    plugin: list[RecorderPlugin] = []

    class Kept(RecorderPlugin):
        def __init__(self) -> None:
            super().__init__()
            plugin.append(self)

    with PluginRun(Kept, folder=tmp_path, save_in=".", sound=False) as run:
        assert plugin[0].on_audio is None
        run.sent(GREY)
    (path,) = tmp_path.iterdir()
    assert streams(path) == {"video"}


def test_names_are_those_that_every_system_takes_and_no_file_is_overwritten(tmp_path: Path) -> None:
    for name in ("", "a/b", "a:b", ".hidden", "x" * 81, "a\nb"):
        with pytest.raises(ValidationError):
            PluginRun(RecorderPlugin, folder=tmp_path, save_in=".", name=name)
    for _ in range(3):
        with PluginRun(RecorderPlugin, folder=tmp_path, save_in=".", name="Über uns", sound=False) as run:
            run.sent(GREY)
    assert len(list(tmp_path.glob("Über uns-*.mp4"))) == 3


@pytest.mark.parametrize(("folder", "words"), [("nowhere", "nowhere does not exist"), ("file", "Not a directory")])
def test_a_folder_that_is_none_is_told_at_the_start(tmp_path: Path, folder: str, words: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=words), PluginRun(RecorderPlugin, folder=tmp_path, save_in=folder):
        pass


def test_the_users_folder_of_videos_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder.platformdirs, "user_videos_path", lambda: tmp_path / "home" / "Videos")
    with PluginRun(RecorderPlugin, sound=False) as run:
        run.sent(GREY)
    assert len(list((tmp_path / "home" / "Videos").glob("hifihead-*.mp4"))) == 1


def test_a_full_disk_is_told_to_whoever_hands_over_the_next_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written, write = [0], mp4.Mp4File._write

    def full(self: mp4.Mp4File, stream: Any, frame: Any) -> None:
        written[0] += 1
        if written[0] > 3:
            raise InputError(
                f"{self.name} cannot be written further ({OSError(errno.ENOSPC, 'No space left on device').strerror})."
            )
        write(self, stream, frame)

    monkeypatch.setattr(mp4.Mp4File, "_write", full)
    run = PluginRun(RecorderPlugin, folder=tmp_path, save_in=".", sound=False)
    with run, pytest.raises(InputError, match="No space left on device"):
        wait_for(lambda: run.sent(GREY) is not None)
    (path,) = tmp_path.iterdir()
    assert len(list(read_frames(path))) == 3


def test_nobody_waits_for_a_disk_that_is_slow_and_what_is_left_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "WAITING_PICTURES", 4)
    said, going = Said(), threading.Event()

    class Slow(VideoRecording):
        def look(self, latency_s: float) -> None:
            going.wait()

    recording = Slow(lambda: tmp_path / "x.mp4", SIZE, 30, sound_hz=None, say=said)
    with Writer(recording, said, lambda: 0.0) as writer:
        for number in range(14):
            writer.picture(GREY, number / 30)
        going.set()
    assert len(list(read_frames(tmp_path / "x.mp4"))) == 4
    assert [sentence for sentence in said if "not recorded" in sentence] == [
        "1 picture was not recorded so far: the machine, or the disk, is too slow.",
        "10 pictures were not recorded so far: the machine, or the disk, is too slow.",
    ]


def test_the_latency_of_pictures_is_looked_at_once_a_second(tmp_path: Path) -> None:
    heard: list[float] = []

    class Looks(VideoRecording):
        def look(self, latency_s: float) -> None:
            heard.append(latency_s)

    with Writer(Looks(lambda: tmp_path / "x.mp4", SIZE, 30, sound_hz=None, say=Said()), Said(), lambda: 0.07) as writer:
        for number in range(45):
            writer.picture(GREY, number / 30)
    assert heard == [0.07, 0.07]


def test_a_session_is_recorded_as_it_leaves_with_the_disclosure_and_the_card(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "red.jpg"), flat((0, 0, 0)))
    on: dict[str, Any] = {"enabled": True, "save_in": ".", "sound": False, "name": "talk"}
    wanted = {
        "output": {"sink": "preview", "width_px": 160, "height_px": 128, "fps": 60},
        "plugins": {"disclosure": {"enabled": True, "watermark": False}, "recorder": on},
    }
    builder = SinkBuilder(settings=Settings.model_validate(wanted), config_path=tmp_path / "config.toml")

    def recorded(name: str) -> Callable[[], bool]:
        return lambda: any(name in sentence for sentence in builder.said if sentence.startswith("Recorded"))

    with running(builder, tmp_path / "red.jpg") as session:
        assert wait_for(lambda: bool(list(tmp_path.glob("talk-*.unfinished.mp4"))))
        session.card(True)
        shown = len(builder.sink.sent)
        assert wait_for(lambda: len(builder.sink.sent) > shown + 10)
        session.update_settings({"plugins": {"recorder": {**on, "enabled": False}}})
        assert wait_for(recorded("talk-"))
    (path,) = tmp_path.glob("talk-*.mp4")
    frames = list(read_frames(path))
    corner = frames[0].image[-20:, -60:].astype(int)
    assert np.ptp(corner[..., 1]) > 60  # the text on the red avatar
    assert frames[0].image[64, 80, 0] > 150
    assert frames[-1].image[64, 80, 0] < 150


def test_recordings_are_signed_where_a_certificate_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed: list[tuple[str, ...]] = []

    class Signer:
        def __init__(self, certificate: Path, key: Path) -> None:
            signed.append((certificate.name, key.name))

        def sign(self, path: Path) -> None:
            signed.append((path.suffixes[-1],))
            raise InputError("It could not be signed.")

    monkeypatch.setattr(recorder, "ContentSigner", Signer)
    with PluginRun(RecorderPlugin, folder=tmp_path, save_in=".", sound=False, certificate="c.pem", key="k.pem") as run:
        run.sent(GREY)
    assert signed == [("c.pem", "k.pem"), (".mp4",)]
    assert run.said == ["It could not be signed."]
    assert len(list(tmp_path.glob("*.mp4"))) == 1
    with pytest.raises(InputError, match="needs both"), PluginRun(RecorderPlugin, folder=tmp_path, save_in=".", key="k.pem"):
        pass
