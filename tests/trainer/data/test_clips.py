"""Clips: runs of crops that share one square, and what of them a camera saw."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.values import Face, Picture
from engine.video import Frame
from trainer.data.clips import Rejects, clips

SIZE = (400, 300)  # width, height


class Finder:
    """A tracker that finds a face of 150 px at the next of these places."""

    def __init__(self, places: list[tuple[float, float] | None]) -> None:
        self._places = iter(places)

    def find_all(self, picture: Picture) -> list[Face]:
        place = next(self._places)
        if place is None:
            return []
        points = np.zeros((478, 3), np.float32)
        points[:, :2] = place
        points[0, 1] -= 75
        points[1, 1] += 75
        return [Face(points, np.zeros(52, np.float32), SIZE)]


def frames(count: int) -> Iterator[Frame]:
    return (Frame(np.full((SIZE[1], SIZE[0], 3), 200, np.uint8), k / 25) for k in range(count))


def test_a_crop_knows_where_its_picture_ends() -> None:
    """The square is 315 px wide: centred at (200, 127.5) it reaches 30 px beyond the upper edge alone."""
    (clip,) = clips(frames(2), Finder([(200, 150), (205, 150)]), Rejects())  # type: ignore[arg-type]
    assert len(clip.crops) == 2
    rows, columns = clip.known.any(1), clip.known.any(0)
    assert abs(int(np.argmax(rows)) - 30 * 512 / 315) < 2
    assert rows[-1]
    assert columns.all()


def test_a_face_that_is_lost_or_leaves_its_square_begins_a_new_clip() -> None:
    rejects = Rejects()
    found = list(clips(frames(5), Finder([(150, 150), (152, 150), None, (150, 150), (260, 150)]), rejects))  # type: ignore[arg-type]
    assert [len(clip.crops) for clip in found] == [2, 1, 1]
    assert rejects.reasons == {"no face found": 1}
