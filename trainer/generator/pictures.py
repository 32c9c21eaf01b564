"""Pictures for people: what the generator makes of a batch, row by row."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.generator.far import Output
from engine.values import Floats, Picture
from trainer.generator.batches import GeneratorBatch

TILE_PX = 256
COLUMNS = ("source", "driving", "I_3D", "flow", "warped", "output")
LARGEST_FLOW = 0.25  # crop units, at which a colour is full


def grid(batch: GeneratorBatch, output: Output, rows: int) -> Tensor:
    """(3, 256 rows, 256 × 6) 0…1: a row per pair, the columns are ``COLUMNS``; no driving picture for somebody else's motion."""
    shown = slice(0, rows)
    driving = torch.zeros_like(batch.photo)
    driving[: len(batch.target)] = batch.target
    flow = torch.from_numpy(np.stack([flow_colours(f) for f in output.flow[shown].permute(0, 2, 3, 1).detach().cpu().numpy()]))
    warped = output.image if output.picture is None else output.picture
    columns = [x[shown].detach().cpu() for x in (batch.photo, driving, batch.drive.render)]
    columns += [flow.permute(0, 3, 1, 2).float() / 127.5 - 1, *(x[shown].detach().cpu() for x in (warped, output.image))]
    small = [functional.interpolate(x, size=(TILE_PX, TILE_PX), mode="area") for x in columns]
    lines = torch.cat(small, 3)
    return ((torch.cat(list(lines), 1) + 1) / 2).clamp(0, 1)


def flow_colours(flow: Floats) -> Picture:
    """(H, W, 2) crop units → (H, W, 3) RGB uint8: the hue is the direction, the saturation how far; white is no motion."""
    length, angle = np.hypot(flow[..., 0], flow[..., 1]), np.arctan2(flow[..., 1], flow[..., 0])
    hue = ((angle + np.pi) / (2 * np.pi) * 180) % 180
    saturation = np.clip(length / LARGEST_FLOW, 0, 1) * 255
    hsv = np.stack([hue, saturation, np.full_like(hue, 255)], -1).astype(np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)
