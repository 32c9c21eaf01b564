"""Figures of an evaluation: similarities (figure 6), motion over time, and what a flow does to features (figure 3)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.generator.flow import pixel_grid, shrink, warp
from engine.values import Coefficients, Picture
from trainer.data.sheets import save_sheet, sheet
from trainer.generator.evaluation.editing import EDITS
from trainer.generator.evaluation.inputs import HeldOutPortrait
from trainer.generator.evaluation.methods import TorchMethod
from trainer.generator.evaluation.metrics import curves
from trainer.generator.evaluation.models import as_picture, as_tensor
from trainer.generator.evaluation.reenactment import Runs
from trainer.generator.pictures import flow_colours
from trainer.metrics.motion import sorted_similarities
from trainer.plotting import plotted


def figure6(path: Path, similarities: Mapping[str, list[float]]) -> None:
    """Identity similarity of every pair, sorted by the last method's: the same column is the same pair."""
    arrays = {name: np.array(values, np.float32) for name, values in similarities.items()}
    with plotted(path, (9, 4)) as (axes,):
        for name, values in sorted_similarities(arrays, list(arrays)[-1]).items():
            axes.plot(values, ".", markersize=3, label=name)
        axes.set_xlabel("pair")
        axes.set_ylabel("identity similarity")
        axes.legend(fontsize=8)


def plot_motion(path: Path, runs: Runs) -> None:
    """Channels over the frames: the driver in black, methods in colours."""
    seen = {name: ([a for a, _ in both], [b for _, b in both]) for name, both in runs.items() if len(both) > 1}
    if not seen:
        return
    by_method = {name: (curves(found), curves(driver)) for name, (found, driver) in seen.items()}
    channels = list(next(iter(by_method.values()))[0])
    with plotted(path, (11, 1.6 * len(channels)), len(channels)) as rows:
        for axes, channel in zip(rows, channels, strict=True):
            driver = next(iter(by_method.values()))[1][channel]
            axes.plot(driver - driver[0], color="black", linewidth=1.2, label="driver")
            for name, (found, _) in by_method.items():
                axes.plot(found[channel] - found[channel][0], linewidth=0.8, label=name)
            axes.set_ylabel(channel)
        rows[0].legend(fontsize=7, loc="upper right", ncols=3)


FIGURE3_EDITS = ("jawOpen", "mouthSmile", "eyeBlink", "yaw +20")
FIGURE3_COLUMNS = ("source", "I_3D", "prior flow", "learned flow x 10", "features", "warped features", "warped picture", "output")
LEARNED_GAIN = 10.0
TILE_PX = 256


def figure3(path: Path, network: TorchMethod, posed: HeldOutPortrait) -> None:
    """A row for each of some edits of a portrait."""
    rows = [_figure3_row(network, posed, edit.apply(posed.subject.coefficients)) for edit in EDITS if edit.name in FIGURE3_EDITS]
    save_sheet(
        [line for row in rows for line in sheet(list(zip(FIGURE3_COLUMNS, row, strict=True)), len(FIGURE3_COLUMNS), TILE_PX)],
        path,
    )


@torch.inference_mode()
def _figure3_row(network: TorchMethod, posed: HeldOutPortrait, z: Coefficients) -> list[Picture]:
    prior = posed.subject.prior(z)
    output = network.output(posed.subject, z, prior)
    flow = output.flow[0].permute(1, 2, 0).numpy()
    given = prior.flow if network.generator.variant.flow_prior else np.zeros_like(prior.flow)
    features = network.generator.source(as_tensor(posed.subject.crop))[-1]
    size = features.shape[-1]
    warped = warp(features, pixel_grid(size) + shrink(output.flow, size))
    axes = _main_axes(features)
    picture = output.image if output.picture is None else output.picture
    return [
        posed.subject.crop,
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
