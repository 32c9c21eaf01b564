"""Files may have any name that the system takes; what it does not take is told before the work begins."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import HifiHeadError, InputError
from engine.files import refuse_unwritable, user_path, write_bytes
from engine.mp4 import Mp4File
from engine.picture import read_picture
from engine.video import read_frames
from tests.commands import refuse_faults
from tests.fakes import FakeAnimator, FakeBuilder, fake_avatar, flat
from vcam.avatars.avatar import Avatar
from vcam.cli.app import run_command
from vcam.files import write_png
from vcam.interfaces import PortraitAnimator
from vcam.sources import resolve

LONGEST = 255  # bytes
ODD = [
    "12:30:05",
    "pipe:1",
    "-",
    "a b",
    "two\nlines",
    "%d%s{}",
    "héloïse 日本語",
    "q" * (LONGEST - 4),
    ".hidden",
    "concat:a|b",
    "'\"`$;&",
]
NOT_UTF8 = os.fsdecode(b"caf\xe9")

posix_only = pytest.mark.skipif(os.name != "posix", reason="other systems take fewer names")


def legal(name: bytes) -> bool:
    return b"/" not in name and b"\0" not in name


names = st.binary(min_size=1, max_size=LONGEST - 4).filter(legal) | st.text(min_size=1, max_size=60).map(
    lambda text: text.encode("utf-8", "ignore") or b"a"
).filter(legal)


@posix_only
@settings(max_examples=40, deadline=None, derandomize=True)
@given(names)
def test_videos_and_pictures_are_written_and_read_under_any_name(name: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        video, picture = Path(folder) / os.fsdecode(name + b".mp4"), Path(folder) / os.fsdecode(name + b".png")
        with Mp4File(video, (64, 48), 25) as file:
            file.send(flat((200, 30, 30)))
        write_png(picture, flat((200, 30, 30)))
        assert np.abs(next(read_frames(video)).image.astype(int) - (200, 30, 30)).max() < 6
        assert (read_picture(picture) == (200, 30, 30)).all()
        assert {path.name for path in Path(folder).iterdir()} == {video.name, picture.name}


@settings(derandomize=True)
@given(st.text(max_size=600))
def test_whatever_is_named_ends_in_a_path_or_a_sentence(name: str) -> None:
    assert sentence_of(lambda: refuse_unwritable(user_path(name))).endswith(".")
    assert sentence_of(lambda: resolve(name)).endswith(".")
    assert sentence_of(lambda: read_picture(name)).endswith(".")


def sentence_of(use: Callable[[], object]) -> str:
    try:
        use()
    except HifiHeadError as error:
        return str(error)
    return "It worked."


@posix_only
@pytest.mark.parametrize("name", [*ODD, NOT_UTF8])
def test_every_command_takes_odd_names(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # relative names are those that could be taken for something else
    size = ["--size", "160x128"]
    write_png(Path(f"{name}.png"), flat((30, 30, 200), 100, 100))

    class Fakes(FakeBuilder):
        def prepare_avatar(self, animator: PortraitAnimator, photo: Path, size: tuple[int, int]) -> Avatar:
            read_picture(photo)
            return fake_avatar(str(photo), size=size)

    with Mp4File(Path("plain.mp4"), (64, 48), 25) as file:
        for _ in range(3):
            file.send(flat((9, 9, 9)))
    Path("plain.mp4").replace(f"{name}.mp4")
    photo = f"--avatar={name}.png"
    assert run_command(["run", photo, "--camera", f"{name}.mp4", "--output", "file:r.mp4", *size, "--frames", "2"], Fakes) == 0
    assert run_command(["render", photo, f"--driving={name}.mp4", "--out=o.mp4", "--report=r.json", *size], Fakes) == 0
    Path(f"{name}.mp4").unlink()
    assert run_command(["run", photo, "--camera", "o.mp4", "--output", f"file:{name}.mp4", *size, "--frames", "2"], Fakes) == 0
    assert len(list(read_frames(Path(f"{name}.mp4")))) == 2
    assert run_command(["render", photo, "--driving", "o.mp4", f"--out={name}.mp4", *size], Fakes) == 0
    assert len(list(read_frames(Path(f"{name}.mp4")))) == 3
    refuse_faults(capsys.readouterr().err)
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.png", f"{name}.mp4", "r.mp4", "o.mp4", "r.json"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["render", "--avatar", "{photo}", "--driving", "{video}", "--out", "o" * 300 + ".mp4"], "too long"),
        (["render", "--avatar", "p" * 300 + ".jpg", "--driving", "{video}", "--out", "o.mp4"], "too long"),
        (["render", "--avatar", "{photo}", "--driving", "d" * 300 + ".mp4", "--out", "o.mp4"], "too long"),
        (["render", "--avatar", "{photo}", "--driving", "{video}", "--out", "folder.mp4"], "it is a folder"),
        (["render", "--avatar", "{photo}", "--driving", "{video}", "--out", "no/o.mp4"], "the folder no does not exist"),
        (["render", "--avatar", "{photo}", "--driving", "{video}", "--out", "{photo}/o.mp4"], "cannot be written"),
        (["render", "--avatar", "{photo}", "--driving", "{video}", "--out", "o.mp4", "--report", "r" * 300], "too long"),
        (["render", "--avatar", "{photo}", "--driving", "{video}", "--out", "o.mp4", "--report", "o.mp4"], "two names"),
        (["run", "--avatar", "{photo}", "--output", "file:" + "o" * 300 + ".mp4"], "too long"),
        (["run", "--avatar", "{photo}", "--output", "file:~nobody-of-that-name/o.mp4"], "Write the whole path"),
        (["run", "--avatar", "{photo}", "--camera", "c" * 300, "--output", "file:o.mp4"], "no camera or video"),
        (
            ["render", "--avatar", "https://x.org/me.jpg", "--driving", "{video}", "--out", "o.mp4"],
            "https://x.org/me.jpg is an address",
        ),
        (
            ["render", "--avatar", "{photo}", "--driving", "HTTP://x.org/v.mp4", "--out", "o.mp4"],
            "HTTP://x.org/v.mp4 is an address",
        ),
        (["run", "--avatar", "file:///home/me/me.jpg", "--output", "file:o.mp4"], "file:///home/me/me.jpg is an address"),
        (
            ["run", "--avatar", "{photo}", "--driving", "https://x.org/a.z", "--output", "file:o.mp4"],
            "https://x.org/a.z is an address",
        ),
        (
            ["run", "--avatar", "{photo}", "--camera", "rtsp://10.0.0.2:554/a", "--output", "file:o.mp4"],
            "rtsp://10.0.0.2:554/a is an",
        ),
        (["record", "o.mp4", "--camera", "idle"], "o.mp4 must end in .z, got .mp4"),
        (["record", "take", "--camera", "idle"], "take must end in .z, got no ending"),
        (["edit", "--out", "e" * 300 + ".png"], "too long"),
        (["edit", "--out", "folder.png"], "it is a folder"),
        (["inspect", "i" * 253], "too long"),
    ],
)
def test_what_cannot_be_is_told_before_the_work(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class NothingOpens(FakeBuilder):
        def open_animator(self, *, strict: bool = False) -> FakeAnimator:
            raise AssertionError("the work began")

    monkeypatch.chdir(tmp_path)
    write_png(tmp_path / "p.png", flat((30, 30, 200), 100, 100))
    with Mp4File(tmp_path / "v.mp4", (64, 48), 25) as file:
        file.send(flat((9, 9, 9)))
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "folder.png").mkdir()
    before = sorted(tmp_path.iterdir())
    filled = [argument.format(photo="p.png", video="v.mp4") for argument in arguments]
    assert run_command(filled, NothingOpens) == 1
    said = capsys.readouterr().err
    assert words in said
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    refuse_faults(said)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="nothing may be written"):
        Mp4File(tmp_path / "a.mp4", (64, 48), 25)
    with pytest.raises(InputError, match="cannot be written"):
        write_bytes(tmp_path / "a", b"")


@pytest.mark.parametrize("reached", ["in.mp4", "folder/../in.mp4", "link.mp4", "hard.mp4"])
@pytest.mark.parametrize("command", ["render", "report", "run", "edit", "inspect"])
def test_what_is_read_is_never_written_over(
    command: str, reached: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    with Mp4File(Path("in.mp4"), (64, 48), 25) as file:
        file.send(flat((9, 9, 9)))
    write_png(Path("in.png"), flat((30, 30, 200), 100, 100))
    for ending in ("mp4", "png"):
        Path(f"link.{ending}").symlink_to(f"in.{ending}")
        Path(f"hard.{ending}").hardlink_to(f"in.{ending}")
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    picture = reached.replace("mp4", "png")
    arguments = {
        "render": ["render", "--avatar=in.png", "--driving=in.mp4", "--out", reached],
        "report": ["render", "--avatar=in.png", "--driving=in.mp4", "--out=o.mp4", "--report", reached],
        "run": ["run", "--avatar=in.png", "--camera=in.mp4", "--output", f"file:{reached}", "--frames=2"],
        "edit": ["edit", "--avatar=in.png", "--out", picture],
        "inspect": ["inspect", "in.png", "--out", picture],
    }[command]
    assert run_command(arguments, FakeBuilder) == 1
    assert "it is what is read" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
