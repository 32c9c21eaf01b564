"""Sheets of expressions: many framed pictures of one person on one picture, cut into single ones."""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Picture

FRAME_GREY = 205  # a frame's lines are lighter than this in every channel
_WIDTHS, _HEIGHTS = (0.1, 0.5), (0.1, 0.5)  # of a framed picture, as parts of the sheet's
_FILLED = 0.6  # of a frame's inside, at least: the rest is as light as the frame (shirts)
_INSET_PX = 6  # what a frame's soft edge may take of the picture


def framed_pictures(sheet: bytes) -> list[bytes]:
    """Picture file → JPEG files of what is inside its light frames, row by row; none when there are no frames."""
    picture = cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return []
    return [_jpeg(part) for part in cut_frames(np.asarray(picture, np.uint8))]


def cut_frames(sheet: Picture) -> list[Picture]:
    """The same for pixels (H, W, 3)."""
    inside = (sheet.min(axis=2) < FRAME_GREY).astype(np.uint8)
    _, _, found, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
    boxes = [(int(x), int(y), int(w), int(h)) for x, y, w, h, area in found[1:] if _is_framed(w, h, area, sheet.shape)]
    tallest = max((h for _, _, _, h in boxes), default=1)
    boxes.sort(key=lambda box: (round(box[1] / tallest), box[0]))
    return [sheet[y + _INSET_PX : y + h - _INSET_PX, x + _INSET_PX : x + w - _INSET_PX] for x, y, w, h in boxes]


def _is_framed(width: int, height: int, area: int, shape: tuple[int, ...]) -> bool:
    wide, high = width / shape[1], height / shape[0]
    in_range = _WIDTHS[0] < wide < _WIDTHS[1] and _HEIGHTS[0] < high < _HEIGHTS[1]
    return bool(in_range and area > _FILLED * width * height)


def _jpeg(picture: Picture) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
