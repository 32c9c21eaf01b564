"""Figure 3: the flow that a trained network predicts, and what it does to source features and picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.generator.flow import pixel_grid, shrink, warp
from engine.values import Coefficients, Picture
from trainer.data.report import save_sheet, sheet
from trainer.generator.judge.editing import EDITS
from trainer.generator.judge.methods import Networked, layers_of
from trainer.generator.judge.panel import as_picture
from trainer.generator.judge.posed import Posed
from trainer.generator.pictures import flow_colours

SHOWN = ("jawOpen", "mouthSmile", "eyeBlink", "yaw +20")
COLUMNS = ("source", "I_3D", "prior flow", "learned flow x 10", "features", "warped features", "warped picture", "output")
LEARNED_GAIN = 10.0
TILE_PX = 256


def figure3(path: Path, network: Networked, posed: Posed) -> None:
    """A row for each of some edits of a portrait."""
    rows = [_row(network, posed, edit.apply(posed.sitter.coefficients)) for edit in EDITS if edit.name in SHOWN]
    save_sheet([line for row in rows for line in sheet(list(zip(COLUMNS, row, strict=True)), len(COLUMNS), TILE_PX)], path)


@torch.inference_mode()
def _row(network: Networked, posed: Posed, z: Coefficients) -> list[Picture]:
    prior, layers = posed.sitter.prior(z), layers_of(posed.sitter)
    output = network.output(layers, z, prior)
    flow = output.flow[0].permute(1, 2, 0).numpy()
    given = prior.flow if network.generator.variant.flow_prior else np.zeros_like(prior.flow)
    features = network.generator.source(layers.foreground)[-1]
    size = features.shape[-1]
    warped = warp(features, pixel_grid(size) + shrink(output.flow, size))
    axes = _main_axes(features)
    picture = output.image if output.picture is None else output.picture
    return [
        posed.sitter.crop,
        prior.render.copy(),
        flow_colours(given),
        flow_colours((flow - given) * LEARNED_GAIN),
        _coloured(features, axes),
        _coloured(warped, axes),
        as_picture(picture),
        as_picture(output.image),
    ]


def _main_axes(features: Tensor) -> Tensor:
    """(1, C, H, W) → (C, 3): the three directions in which they vary most."""
    flat = features[0].flatten(1).T
    vectors: Tensor = torch.linalg.eigh(torch.cov(flat.T)).eigenvectors
    return vectors[:, -3:]


def _coloured(features: Tensor, axes: Tensor) -> Picture:
    """Features as colours along these directions, the middle grey."""
    values = torch.einsum("chw,ck->khw", features[0] - features[0].mean((1, 2), keepdim=True), axes)
    values = values / (2 * values.std((1, 2), keepdim=True) + 1e-6)
    return as_picture(values[None])
