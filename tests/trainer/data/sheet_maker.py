"""Drawing sheets of framed pictures."""

from __future__ import annotations

import numpy as np

from engine.values import Picture

CELL_WIDTH, CELL_HEIGHT, GAP, FRAME = 120, 90, 24, 5


def framed_sheet(rows: int, columns: int) -> Picture:
    """A grey sheet; the k-th framed picture, row by row, is flat 20 + 10 k."""
    height, width = rows * (CELL_HEIGHT + GAP) + GAP, columns * (CELL_WIDTH + GAP) + GAP
    sheet = np.full((height, width, 3), 180, np.uint8)
    for k in range(rows * columns):
        top, left = GAP + k // columns * (CELL_HEIGHT + GAP), GAP + k % columns * (CELL_WIDTH + GAP)
        sheet[top : top + CELL_HEIGHT, left : left + CELL_WIDTH] = 255
        sheet[top + FRAME : top + CELL_HEIGHT - FRAME, left + FRAME : left + CELL_WIDTH - FRAME] = 20 + 10 * k
    return sheet
