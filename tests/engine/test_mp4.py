"""The colours of a file: those of BT.601 in limited range, as its tag says."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from engine.mp4 import YUV_BT601, Mp4File, i420
from engine.values import Picture


def exact_planes(picture: Picture) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Y, U and V as ``i420`` wants them, not rounded."""
    yuv = picture @ YUV_BT601[:, :3].T + YUV_BT601[:, 3]
    return yuv[..., 0], *np.moveaxis((yuv[::2, ::2] + yuv[1::2, ::2] + yuv[::2, 1::2] + yuv[1::2, 1::2])[..., 1:] / 4, -1, 0)


@pytest.mark.parametrize("size", [(64, 48), (130, 70)])
def test_planes_are_those_of_the_exact_arithmetic(size: tuple[int, int]) -> None:
    width, height = size
    picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    picture.flags.writeable = False
    planes = i420(picture)
    assert planes.shape == (height * 3 // 2, width)
    found = planes[:height], *planes[height:].reshape(2, height // 2, width // 2)
    for plane, wanted in zip(found, exact_planes(picture), strict=True):
        assert np.abs(plane - wanted).max() < 1.2


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (190, 150, 130)])
def test_a_file_shows_the_colours_that_were_sent(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    picture = np.full((96, 128, 3), colour, np.uint8)
    with Mp4File(tmp_path / "a.mp4", (128, 96), 30) as file:
        file.send(picture)
    with av.open(str(tmp_path / "a.mp4")) as container:
        (frame,) = container.decode(video=0)
    assert (frame.colorspace, frame.color_range) == (6, 1)
    assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - picture).max() <= 6
