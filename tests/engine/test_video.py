"""Videos of every kind are read as a player shows them, as far as they go. All are made here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.values import Picture
from engine.video import Times, VideoDamage, read_frames, video_info
from engine.video_frame import oriented

WIDTH, HEIGHT, FPS = 96, 64, 25
CORNERS = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200), "grey": (120, 120, 120)}


def corners(width: int = WIDTH, height: int = HEIGHT) -> Picture:
    """A quarter each: red top left, green top right, blue bottom left, grey bottom right."""
    picture = np.empty((height, width, 3), np.uint8)
    quarters = ((slice(height // 2), slice(height // 2, None)), (slice(width // 2), slice(width // 2, None)))
    colours = iter(CORNERS.values())
    for rows in quarters[0]:
        for columns in quarters[1]:
            picture[rows, columns] = next(colours)
    return picture


def seen(image: Picture) -> list[str]:
    """The names of the colours top left, top right, bottom left, bottom right."""
    height, width = image.shape[:2]
    places = [(height // 4, width // 4), (height // 4, width * 3 // 4), (height * 3 // 4, width // 4)]
    places.append((height * 3 // 4, width * 3 // 4))
    return [min(CORNERS, key=lambda name: int(np.abs(image[place] - np.array(CORNERS[name], int)).sum())) for place in places]


def write(
    path: Path,
    pictures: Iterator[Picture] | list[Picture],
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    prepare: Callable[[Any], None] = lambda _stream: None,
    layout: str = "rgb24",
) -> Path:
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(codec, rate=FPS)
        pictures = list(pictures)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        prepare(stream)
        for picture in pictures:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format=layout).reformat(format=pixels)))
        file.mux(stream.encode(None))
    return path


def first(path: Path) -> Picture:
    return next(read_frames(path)).image


# which way up


TURNS = {
    (1, 0, 0, 1): "red green blue grey",
    (-1, 0, 0, 1): "green red grey blue",  # a mirror
    (1, 0, 0, -1): "blue grey red green",
    (-1, 0, 0, -1): "grey blue green red",
    (0, 1, -1, 0): "blue red grey green",  # a quarter clockwise
    (0, -1, 1, 0): "green grey red blue",
    (0, 1, 1, 0): "red blue green grey",  # mirrored and turned
    (0, -1, -1, 0): "grey green blue red",
}


@pytest.mark.parametrize("matrix", TURNS)
def test_the_whole_display_matrix_is_applied(matrix: tuple[int, int, int, int], tmp_path: Path) -> None:
    a, b, c, d = (value * 65536 for value in matrix)
    path = write(
        tmp_path / "a.mp4", [corners()] * 3, prepare=lambda stream: stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
    )
    image = first(path)
    assert seen(image) == TURNS[matrix].split()
    assert image.shape[:2] == ((HEIGHT, WIDTH) if matrix[0] else (WIDTH, HEIGHT))
    info = video_info(path)
    assert (info.height_px, info.width_px) == image.shape[:2]


@settings(derandomize=True)
@given(st.tuples(*[st.integers(-(2**31), 2**31 - 1)] * 4))
def test_whatever_the_matrix_no_pixel_is_lost(matrix: tuple[int, int, int, int]) -> None:
    picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert sorted(oriented(picture, matrix).ravel()) == list(range(24))


# shape


@pytest.mark.parametrize(
    ("aspect", "shape"),
    [
        (Fraction(2), (HEIGHT, 2 * WIDTH)),
        (Fraction(1, 2), (2 * HEIGHT, WIDTH)),
        (Fraction(16, 15), (HEIGHT, 102)),
        (Fraction(500), (HEIGHT, WIDTH)),
    ],
)
def test_pixels_become_square(aspect: Fraction, shape: tuple[int, int], tmp_path: Path) -> None:
    def prepare(stream: Any) -> None:
        stream.codec_context.sample_aspect_ratio = aspect

    image = first(write(tmp_path / "a.mp4", [corners()] * 2, prepare=prepare))
    assert image.shape[:2] == shape
    assert seen(image) == list(CORNERS)


def test_frames_may_change_their_size(tmp_path: Path) -> None:
    parts = [write(tmp_path / f"{n}.ts", [corners(w, h)] * 5) for n, (w, h) in enumerate([(96, 64), (48, 32), (128, 96)])]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = list(read_frames(path))
    assert {frame.image.shape[:2] for frame in frames} == {(64, 96), (32, 48), (96, 128)}
    assert all(seen(frame.image) == list(CORNERS) for frame in frames)
    assert np.diff([frame.time_s for frame in frames]).min() > 0
    assert frames[-1].time_s < 1.0  # the file's clock begins anew with every part


# colours

LONG = 100  # frames: too many to be read in the time that a test has, if each of them took seconds


@pytest.mark.parametrize(("transfer", "white", "grey"), [(16, 0.58, 0.4), (18, 0.75, 0.45)])
def test_high_dynamic_range_is_shown_as_white_and_grey(transfer: int, white: float, grey: float, tmp_path: Path) -> None:
    """PQ's 203 cd/m² and HLG's 75 % are the white of paper (ITU-R BT.2408)."""
    path, levels = tmp_path / "a.mkv", [*[white] * LONG, grey]
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("ffv1", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace, context.color_range = transfer, 9, 9, 1
        for number, level in enumerate(levels):
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p10le")
            frame.pts = number
            for plane, value in zip(frame.planes, (64 + round(876 * level), 512, 512), strict=True):
                plane.update(np.full(plane.buffer_size // 2, value, np.uint16).tobytes())
            frame.color_trc, frame.color_primaries, frame.colorspace, frame.color_range = transfer, 9, 9, 1
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    images = [frame.image.astype(int) for frame in read_frames(path)]
    assert len(images) == len(levels)
    assert max(np.ptp(image) for image in images) <= 3  # no tint
    assert min(image.min() for image in images[:LONG]) > 235
    assert 80 < images[LONG].mean() < 160


@pytest.mark.parametrize("pixels", ["yuv420p10le", "yuv422p10le", "rgb24", "gray"])
def test_other_pixel_formats_keep_their_colours(pixels: str, tmp_path: Path) -> None:
    name, codec = ("a.mov", "png") if pixels == "rgb24" else ("a.mkv", "ffv1")
    image = first(write(tmp_path / name, [corners()], codec=codec, pixels=pixels))
    if pixels == "gray":
        assert np.ptp(image, axis=2).max() == 0
    else:
        assert seen(image) == list(CORNERS)
        assert np.abs(image[8, 8].astype(int) - CORNERS["red"]).max() < 6


@pytest.mark.parametrize(("alpha", "wanted"), [(255, (200, 100, 50)), (0, (128, 128, 128)), (128, (164, 114, 89))])
def test_what_is_transparent_is_grey(alpha: int, wanted: tuple[int, int, int], tmp_path: Path) -> None:
    picture = np.full((HEIGHT, WIDTH, 4), (200, 100, 50, alpha), np.uint8)
    image = first(write(tmp_path / "a.mov", [picture], codec="png", pixels="rgba", layout="rgba"))
    assert np.abs(image.astype(int) - wanted).max() <= 1


# damage


def noisy(count: int) -> list[Picture]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8) for _ in range(count)]


@pytest.mark.parametrize(
    ("name", "codec", "pixels"), [("a.mp4", "libx264", "yuv420p"), ("a.avi", "mjpeg", "yuvj420p"), ("a.mkv", "mpeg4", "yuv420p")]
)
def test_reading_goes_on_after_damage_and_says_so(name: str, codec: str, pixels: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, noisy(96), codec=codec, pixels=pixels, prepare=lambda stream: setattr(stream, "gop_size", 12))
    whole, damage = VideoDamage(), VideoDamage()
    assert len(list(read_frames(path, damage=whole))) == 96
    assert (whole.faults, whole.sentence(path)) == (0, "")
    data = bytearray(path.read_bytes())
    data[len(data) * 2 // 5 : len(data) * 2 // 5 + 4096] = bytes(4096)
    path.write_bytes(data)
    frames = list(read_frames(path, damage=damage))
    assert frames[-1].time_s > 90 / FPS
    assert len(frames) == damage.read > 80
    assert f"{damage.read} " in damage.sentence(path)
    assert "damaged or cut off" in damage.sentence(path)


def test_a_video_that_was_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    write(path, noisy(50), codec="mjpeg", pixels="yuvj420p")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    damage = VideoDamage()
    frames = list(read_frames(path, damage=damage))
    assert 10 < len(frames) < 40
    assert "of 50 frames were read" in damage.sentence(path)


@pytest.fixture(scope="module")
def six_frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("video") / "six.mp4", noisy(6))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.binary(min_size=1, max_size=400), place=st.integers(0, 10_000))
def test_no_damage_ends_in_anything_but_frames_or_a_sentence(data: bytes, place: int, six_frames: Path) -> None:
    path = six_frames.with_name("fuzzed.mp4")
    content = bytearray(six_frames.read_bytes())
    content[place % len(content) : place % len(content) + len(data)] = data
    path.write_bytes(content)
    try:
        assert all(frame.image.dtype == np.uint8 for frame in read_frames(path))
    except InputError as error:
        assert str(path) in str(error)  # noqa: PT017 — either is right


# streams


def two_streams(path: Path, dispositions: tuple[Disposition, Disposition], codecs: tuple[str, str]) -> Path:
    """A small stream, and one with the corners."""
    with av.open(str(path), "w") as file:
        streams: list[Any] = [file.add_stream(codec, rate=FPS) for codec in codecs]
        for stream, disposition, picture in zip(streams, dispositions, (corners(16, 16), corners()), strict=True):
            stream.height, stream.width = picture.shape[:2]
            stream.pix_fmt = "rgb24" if stream.codec.name == "png" else "yuv420p"
            stream.disposition = disposition
        for stream, picture in zip(streams, (corners(16, 16), corners()), strict=True):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=stream.pix_fmt)))
            file.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "dispositions", "codecs"),
    [
        ("a.mkv", (Disposition(0), Disposition.default), ("ffv1", "ffv1")),
        ("a.mp4", (Disposition.attached_pic, Disposition.default), ("png", "libx264")),
        ("b.mp4", (Disposition.attached_pic, Disposition(0)), ("png", "mpeg4")),
    ],
)
def test_the_best_stream_is_read_not_the_first(
    name: str, dispositions: tuple[Disposition, Disposition], codecs: tuple[str, str], tmp_path: Path
) -> None:
    assert first(two_streams(tmp_path / name, dispositions, codecs)).shape == (HEIGHT, WIDTH, 3)


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    covers = (Disposition.attached_pic, Disposition.attached_pic)
    with pytest.raises(InputError, match="no picture track"):
        video_info(two_streams(path, covers, ("png", "png")))


# times


@pytest.mark.parametrize(
    ("given_s", "wanted_s"),
    [
        ([None, None, None], [0, 0.04, 0.08]),
        ([5.0, 5.04, None, 5.12], [0, 0.04, 0.08, 0.12]),
        ([0, 0.04, 0.04, 0.08], [0, 0.04, 0.041, 0.08]),
        ([100, 100.04, 3.0, 3.04], [0, 0.04, 0.08, 0.12]),
        ([0, 0.04, 95443.0, 95443.04], [0, 0.04, 0.08, 0.12]),
        ([float("nan"), 1.0, 1.04], [0, 0.04, 0.08]),
    ],
)
def test_times_rise_from_zero(given_s: list[float | None], wanted_s: list[float]) -> None:
    times = Times(0.04, jumps=True)
    assert [times.next(time_s) for time_s in given_s] == pytest.approx(wanted_s)


@settings(derandomize=True)
@given(st.lists(st.none() | st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=30), st.booleans())
def test_times_rise_whatever_the_file_says(given_s: list[float | None], jumps: bool) -> None:
    times = Times(0.04, jumps=jumps)
    got = [times.next(time_s) for time_s in given_s]
    assert got == sorted(set(got))
