"""Every kind of odd input through the commands: each works, or ends in one sentence; none fails unexpectedly."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from engine.picture import read_picture
from tests.commands import refuse_faults
from tests.fakes import FakeBuilder, fake_avatar, flat
from vcam.avatars.avatar import Avatar
from vcam.cli.app import run_command
from vcam.interfaces import PortraitAnimator

Make = Callable[[Path], object]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="some of the inputs exist on POSIX systems only")


def video(
    codec: str = "mpeg4",
    pixels: str = "yuv420p",
    *,
    size: tuple[int, int] = (64, 48),
    count: int = 8,
    aspect: Fraction | None = None,
    matrix: list[int] | None = None,
    container: str | None = None,
    spoil: Callable[[bytes], bytes] = lambda data: data,
) -> Make:
    """Writes a clip of one colour, and then spoils its bytes."""

    def make(path: Path) -> None:
        with av.open(f"file:{path}", "w", format=container) as file:
            stream: Any = file.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = *size, pixels
            if aspect is not None:
                stream.codec_context.sample_aspect_ratio = aspect
            if matrix is not None:
                stream.set_display_matrix(matrix)
            for number in range(count):
                picture = flat((20 * number, 90, 60), *size)
                file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)))
            file.mux(stream.encode(None))
        path.write_bytes(spoil(path.read_bytes()))

    return make


def text(content: str | bytes) -> Make:
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode())


def photo(mode: str = "RGB", kind: str = "PNG", size: tuple[int, int] = (80, 80), share: float = 1.0) -> Make:
    def make(path: Path) -> None:
        Image.new(mode, size, 1).save(path, kind)
        path.write_bytes(path.read_bytes()[: round(path.stat().st_size * share)])

    return make


def noise(data: bytes) -> bytes:
    return bytes(np.random.default_rng(0).integers(0, 256, len(data), np.uint8))


VIDEOS: dict[str, Make] = {
    "mirrored.mp4": video(matrix=[-65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30]),
    "flat matrix.mp4": video(matrix=[0, 0, 0, 0, 0, 0, 0, 0, 0]),
    "wide.mp4": video(aspect=Fraction(2)),
    "absurd aspect.mp4": video(aspect=Fraction(1, 20000)),
    "holes.mp4": video(count=60, spoil=lambda data: data[:2000] + bytes(500) + data[2500:]),
    "cut.mp4": video(spoil=lambda data: data[: len(data) // 2]),
    "cut.avi": video("mjpeg", "yuvj420p", spoil=lambda data: data[: len(data) // 2]),
    "noise.mp4": video(spoil=noise),
    "noise after the head.avi": video(spoil=lambda data: data[:600] + noise(data[600:])),
    "one pixel.mkv": video("ffv1", "yuv444p", size=(1, 1)),
    "one frame.mp4": video(count=1),
    "long and thin.mkv": video("ffv1", "yuv444p", size=(2, 2000), count=1),
    "12:30:05.mkv": video("ffv1", "yuv420p10le"),
    "no times.m4v": video(container="m4v"),
    "latin.avi": video(spoil=lambda data: data.replace(b"Lavf", b"\xe9\xff\xfeL")),
    "playlist.m3u8": text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n"),
    "list.ffconcat": text("ffconcat version 1.0\nfile '/etc/passwd'\n"),
    "session.sdp": text("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n"),
    "subtitles.srt": text("1\n00:00:00,000 --> 00:00:01,000\nhi\n"),
    "empty.mp4": text(""),
    "zeros.mp4": text(bytes(5000)),
    "folder.mp4": lambda path: path.mkdir(),
    "pipe.mp4": os.mkfifo if hasattr(os, "mkfifo") else lambda path: None,
    "loop.mp4": lambda path: path.symlink_to(path),
    "nothing.mp4": lambda path: None,
}
PHOTOS: dict[str, Make] = {
    "palette.png": photo("P"),
    "one bit.png": photo("1"),
    "half.png": photo(size=(900, 900), share=0.5),
    "half.jpg": photo(kind="JPEG", size=(900, 900), share=0.5),
    "one pixel.png": photo(size=(1, 1)),
    "text.png": text("no picture"),
    "empty.png": text(""),
    "folder.png": lambda path: path.mkdir(),
    "pipe.png": os.mkfifo if hasattr(os, "mkfifo") else lambda path: None,
    "loop.png": lambda path: path.symlink_to(path),
    "under a file.png/x.png": lambda path: path.parent.write_text(""),
    "n" * 300 + ".png": lambda path: None,
}
CONFIGS: dict[str, Make] = {
    "bom.toml": text(b"\xef\xbb\xbf[camera]\nfps = 25\n"),
    "utf16.toml": text("[camera]\nfps = 25\n".encode("utf-16")),
    "latin.toml": text(b"[avatar]\nphoto = '\xe9.jpg'\n"),
    "backslashes.toml": text('[avatar]\nphoto = "C:\\Users\\me.jpg"\n'),
    "quotes.toml": text("[avatar]\nphoto = “me.jpg”\n"),
    "json.toml": text('{"avatar": {}}'),
    "binary.toml": text(bytes(range(256))),
    "nested.toml": text("[avatar]\nphoto = " + "[" * 3000),
    "folder.toml": lambda path: path.mkdir(),
    "loop.toml": lambda path: path.symlink_to(path),
    "nothing.toml": lambda path: None,
}


class Fakes(FakeBuilder):
    """Reads photographs for real."""

    def prepare_avatar(self, animator: PortraitAnimator, photo: Path, size: tuple[int, int]) -> Avatar:
        read_picture(photo)
        return fake_avatar(str(photo), size=size)


def arguments(name: str) -> list[str]:
    """A command that takes this input; the others are plain."""
    inputs = {"--avatar": "plain.jpg", "--driving": "plain.avi", "--config": "plain.toml"}
    inputs["--driving" if name in VIDEOS else "--avatar" if name in PHOTOS else "--config"] = name
    return ["render", *[part for option in inputs.items() for part in option], "--out", "out.mp4", "--size", "160x128"]


@pytest.mark.parametrize("name", [*VIDEOS, *PHOTOS, *CONFIGS])
def test_every_input_works_or_ends_in_a_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    photo(kind="JPEG")(Path("plain.jpg"))
    video("mjpeg", "yuvj420p", count=2)(Path("plain.avi"))
    Path("plain.toml").write_text("")
    (VIDEOS | PHOTOS | CONFIGS)[name](Path(name))
    code = run_command(arguments(name), Fakes)
    said = capsys.readouterr().err
    refuse_faults(said)
    if code == 0:
        assert Path("out.mp4").is_file()
    else:
        assert code == 1
        assert said.startswith("Error: ")
        assert said.count("\n") == 1
    assert not [path for path in tmp_path.iterdir() if "unfinished" in path.name or ".part" in path.name]


def test_a_video_that_names_others_reads_none_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Playlists are text: what they name is neither opened nor fetched."""
    for name in ("playlist.m3u8", "list.ffconcat", "session.sdp"):
        VIDEOS[name](tmp_path / name)
        photo(kind="JPEG")(tmp_path / "plain.jpg")
        command = ["render", "--avatar", str(tmp_path / "plain.jpg"), "--driving", str(tmp_path / name), "--out"]
        assert run_command([*command, str(tmp_path / "out.mp4")], Fakes) == 1
        assert "cannot be read as a video" in capsys.readouterr().err
