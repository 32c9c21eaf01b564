"""Cutting sheets of framed pictures."""

from __future__ import annotations

import numpy as np

from tests.trainer.data.sheet_maker import framed_sheet
from trainer.data.recipe import cut_frames, framed_pictures


def test_the_pictures_come_row_by_row_without_their_frames() -> None:
    cut = cut_frames(framed_sheet(3, 4))

    assert [int(np.median(picture)) for picture in cut] == [20 + 10 * k for k in range(12)]
    assert max(int(picture.max()) for picture in cut) < 200


def test_a_shirt_as_white_as_the_frame_does_not_hide_a_picture() -> None:
    sheet = framed_sheet(2, 2)
    top, left = np.argwhere((sheet == 30).all(axis=2)).min(axis=0)
    bottom, right = np.argwhere((sheet == 30).all(axis=2)).max(axis=0)
    sheet[bottom - (bottom - top) // 3 : bottom + 1, left + 30 : right - 30] = 255

    assert [picture.shape for picture in cut_frames(sheet)] == [cut_frames(sheet)[0].shape] * 4


def test_what_has_no_frames_gives_nothing() -> None:
    assert cut_frames(np.full((200, 300, 3), 90, np.uint8)) == []
    assert framed_pictures(b"no picture") == []
