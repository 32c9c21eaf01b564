"""Photographs of every kind are read upright and in RGB, or refused in one sentence."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, features

from engine.errors import InputError
from engine.picture import LARGEST_SIDE_PX, read_picture

RED, BLUE = (220, 30, 30), (30, 30, 220)


@pytest.fixture
def two_halves() -> Image.Image:
    """40×20, left half red, right half blue."""
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:, :20], picture[:, 20:] = RED, BLUE
    return Image.fromarray(picture)


def assert_halves(picture: np.ndarray) -> None:
    assert picture.shape == (20, 40, 3)
    assert picture.dtype == np.uint8
    assert np.abs(picture[10, 5].astype(int) - RED).max() < 12
    assert np.abs(picture[10, 34].astype(int) - BLUE).max() < 12


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "tiff", "gif", "avif"])
def test_reads_ordinary_formats(tmp_path: Path, two_halves: Image.Image, ending: str) -> None:
    if ending == "avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    two_halves.save(tmp_path / f"p.{ending}")
    assert_halves(read_picture(tmp_path / f"p.{ending}"))


@pytest.mark.parametrize(
    ("orientation", "turn"), [(3, Image.Transpose.ROTATE_180), (6, Image.Transpose.ROTATE_90), (8, Image.Transpose.ROTATE_270)]
)
def test_applies_the_exif_orientation(tmp_path: Path, two_halves: Image.Image, orientation: int, turn: Image.Transpose) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    two_halves.transpose(turn).save(tmp_path / "p.jpg", exif=exif, quality=95, subsampling=0)
    assert_halves(read_picture(tmp_path / "p.jpg"))


def test_lays_transparency_over_neutral_grey(tmp_path: Path) -> None:
    layers = np.full((10, 10, 4), (200, 180, 160, 255), np.uint8)
    layers[:, 5:, 3] = 0
    Image.fromarray(layers).save(tmp_path / "p.png")
    picture = read_picture(tmp_path / "p.png")
    assert tuple(picture[0, 0]) == (200, 180, 160)
    assert len(set(picture[0, 9].tolist())) == 1
    assert 64 <= picture[0, 9, 0] <= 192


def test_reads_a_wholly_transparent_picture(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "p.png")
    assert (read_picture(tmp_path / "p.png") == 128).all()


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path: Path, two_halves: Image.Image, mode: str) -> None:
    path = tmp_path / ("p.jpg" if mode == "CMYK" else "p.png")
    two_halves.convert(mode).save(path)
    picture = read_picture(path)
    assert picture.shape == (20, 40, 3)
    assert abs(int(picture[10, 5].sum()) - int(picture[10, 34].sum())) < 160 or mode == "1"


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 32896, np.uint16)).save(tmp_path / "p.png")
    assert (np.abs(read_picture(tmp_path / "p.png").astype(int) - 128) <= 1).all()


def test_colours_of_an_embedded_profile_become_srgb(tmp_path: Path, two_halves: Image.Image) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    two_halves.save(tmp_path / "p.png", icc_profile=profile)
    assert_halves(read_picture(tmp_path / "p.png"))
    two_halves.save(tmp_path / "broken.png", icc_profile=b"not a profile")
    assert_halves(read_picture(tmp_path / "broken.png"))


def test_large_photographs_are_reduced(tmp_path: Path) -> None:
    Image.new("RGB", (9000, 6700), RED).save(tmp_path / "p.jpg", quality=30)
    picture = read_picture(tmp_path / "p.jpg")
    assert max(picture.shape) <= LARGEST_SIDE_PX
    assert picture.shape[1] / picture.shape[0] == pytest.approx(9000 / 6700, rel=0.01)


def test_a_picture_far_too_large_is_refused_unread(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 20000, 8, 2, 0, 0, 0))
    (tmp_path / "p.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )
    with pytest.raises(InputError, match=r"megapixels"):
        read_picture(tmp_path / "p.png")


def test_refusals_name_the_file_and_the_reason(tmp_path: Path, two_halves: Image.Image) -> None:
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)).save(whole, "JPEG")
    files = {
        "missing.jpg": (None, "does not exist"),
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"hello, I am no picture", "not a picture"),
        "cut.jpg": (whole.getvalue()[: len(whole.getvalue()) // 2], "damaged or cut off"),
        "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64, "HEIC"),
        "cut.png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10", "picture"),
    }
    for name, (content, reason) in files.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=reason) as refused:
            read_picture(tmp_path / name)
        assert name in str(refused.value)
        assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match="folder"):
        read_picture(tmp_path)
