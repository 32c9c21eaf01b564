"""Pictures for people: what the regressor sees in a batch."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

GREEN, RED = (0, 255, 0), (255, 0, 0)
TILE_PX = 256


def landmark_grid(pictures: Tensor, true: Tensor, predicted: Tensor) -> Tensor:
    """(N, 3, S, S) −1…1 and two times (N, 478, 2) → (3, 256, 256 N) 0…1: true points green, predicted ones red."""
    tiles = []
    for picture, green, red in zip(pictures.cpu(), true.cpu(), predicted.cpu(), strict=True):
        small = ((picture.permute(1, 2, 0).numpy() + 1) * 127.5).astype(np.uint8)
        tile = cv2.resize(small, (TILE_PX, TILE_PX), interpolation=cv2.INTER_LINEAR)
        for points, colour in ((green, GREEN), (red, RED)):
            for x, y in ((points.numpy() + 1) * TILE_PX / 2).clip(-1, TILE_PX).astype(int):
                cv2.circle(tile, (int(x), int(y)), 1, colour, -1)
        tiles.append(tile)
    return torch.from_numpy(np.concatenate(tiles, 1)).permute(2, 0, 1).float() / 255
