"""Which part of the photograph the output shows: a view that contains the animated square.

The square is shown between ``SMALLEST`` and 1 of the output's shorter side; at 1280×720 that is 512 to 720 px, so the animated
512 px are enlarged 1.0 to 1.4 times. Of the sizes in this range the one is taken that needs least invented surroundings; among
equals the smallest, which is the sharpest and shows most of the photograph. The view leaves the photograph at the bottom only
when nothing else fits: shoulders that end in mid-air look wrong, a wall that goes on above the head does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.values import Square

SMALLEST = 512 / 720
STEPS = 25
NEGLIGIBLE = 0.01  # difference in invented area that nobody sees


@dataclass(frozen=True)
class View:
    """A rectangle of the photograph: ``left``, ``top`` and size in its pixels, and the output pixels per photo pixel."""

    left_px: float
    top_px: float
    width_px: float
    height_px: float
    scale: float

    def place(self, square: Square) -> tuple[float, float, float]:
        """Left, top and side of the square in output pixels."""
        half = square.side_px / 2
        left = (square.centre_x_px - half - self.left_px) * self.scale
        top = (square.centre_y_px - half - self.top_px) * self.scale
        return left, top, square.side_px * self.scale


def frame_view(photo_size: tuple[int, int], square: Square, output_size: tuple[int, int]) -> View:
    """The view of a photo (width, height) for an output (width, height), by the rule above."""
    smallest = 1.0 if output_size[0] == output_size[1] else SMALLEST
    views = [view_at(photo_size, square, output_size, fraction) for fraction in np.linspace(smallest, 1.0, STEPS)]
    least = min(invented(view, photo_size) for view in views)
    return next(view for view in views if invented(view, photo_size) <= least + NEGLIGIBLE)


def view_at(photo_size: tuple[int, int], square: Square, output_size: tuple[int, int], fraction: float) -> View:
    """The best view that shows the square at about ``fraction`` of the output's shorter side, on whole output pixels."""
    scale = round(fraction * min(output_size)) / square.side_px
    width, height = output_size[0] / scale, output_size[1] / scale
    half = square.side_px / 2
    left = fitted(square.centre_x_px - half, square.side_px, width, photo_size[0], rest_at_end=False)
    top = fitted(square.centre_y_px - half, square.side_px, height, photo_size[1], rest_at_end=True)
    return View(*snapped(square, left, top, scale), width, height, scale)


def snapped(square: Square, left: float, top: float, scale: float) -> tuple[float, float]:
    """Left and top moved by less than a pixel so that the square's corner falls on an output pixel."""
    corner_x, corner_y = square.centre_x_px - square.side_px / 2, square.centre_y_px - square.side_px / 2
    return corner_x - round((corner_x - left) * scale) / scale, corner_y - round((corner_y - top) * scale) / scale


def fitted(start: float, length: float, view: float, photo: float, *, rest_at_end: bool) -> float:
    """Where the view starts on one axis so that it holds start…start + length and, as far as it can, stays in 0…photo.

    A view that fits centres the interval, then moves into the photo. One that does not fit either ends with the photo
    (``rest_at_end``) or stays centred.
    """
    wanted = start + length / 2 - view / 2
    if view <= photo:
        wanted = min(max(wanted, 0.0), photo - view)
    elif rest_at_end:
        wanted = photo - view
    return min(max(wanted, start + length - view), start)


def invented(view: View, photo_size: tuple[int, int]) -> float:
    """The fraction of the view that the photograph does not cover."""
    across = min(view.left_px + view.width_px, photo_size[0]) - max(view.left_px, 0.0)
    down = min(view.top_px + view.height_px, photo_size[1]) - max(view.top_px, 0.0)
    return 1.0 - max(across, 0.0) * max(down, 0.0) / (view.width_px * view.height_px)
