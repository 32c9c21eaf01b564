"""The averaged network of a run becomes the folder that the camera reads."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn

from engine.head import HeadModel, load_head
from engine.manifest import MANIFEST
from engine.regress.landmarks import LandmarkRegressor
from engine.regress.network import GRAPH, INPUT, OUTPUT, NetworkRegressor, write_regressor_manifest
from engine.runtime.sessions import pick, probe
from engine.values import ANGLES, BETA, COEFFICIENTS, TAU, Floats
from trainer.data.mirror import Mirror, mirror_of
from trainer.regressor.evaluation.measures import observe
from trainer.regressor.make import animated_portraits
from trainer.regressor.network import RegressorNet
from trainer.regressor.training import load_average
from trainer.training.onnx_file import round_to_halves, write_onnx


def write_export(checkpoint: Path, out: Path, portraits: Sequence[Path], each: int, say: Callable[[str], None]) -> None:
    """Exports the averaged network of a run into ``out``; arguments as of the command ``export-regressor``.

    Raises InputError, AssetError.
    """
    network = load_average(checkpoint)
    with TemporaryDirectory() as folder:
        made = Path(folder)
        nothing = np.zeros(COEFFICIENTS, np.float32)
        write_regressor(network, made, nothing)
        if portraits:
            write_regressor(network, made, measure_share(load_head(), made, portraits, each, say))
        else:
            say('Without --portrait nobody knows how far it is to be believed: beside the landmarks ("both") it counts nothing.')
        out.mkdir(parents=True, exist_ok=True)
        for name in (GRAPH, MANIFEST):
            shutil.move(made / name, out / name)


def write_regressor(network: RegressorNet, folder: Path, share: Floats) -> None:
    """Writes graph and manifest, with ``share`` (261,). Rounds the network's large parameters to half precision, in place."""
    network = network.eval()
    nn.utils.convert_conv2d_weight_memory_format(network, torch.contiguous_format)
    round_to_halves(network)
    shape = (1, 3, network.size, network.size)
    write_onnx(network, {INPUT: torch.zeros(shape)}, [OUTPUT], folder / GRAPH, {"graph": "regressor", "licence": "MIT"})
    with torch.inference_mode():
        answer = network(torch.from_numpy(probe({INPUT: shape})[INPUT]))
    write_regressor_manifest(folder, network.size, pick(answer.numpy()), share)


SEED = 77
OTHER_EYE = [2, 3, 0, 1]


def measure_share(head: HeadModel, folder: Path, portraits: Sequence[Path], each: int, say: Callable[[str], None]) -> Floats:
    """(261,) for the exported network in ``folder``, on ``each`` moments of every portrait. ``say`` hears of those without a
    face; InputError when no other is left."""
    shown = animated_portraits(portraits, each, SEED, say)
    with NetworkRegressor(head, folder, "onnxruntime", fixed=True) as learned:
        seen = observe(shown, {"landmarks": lambda: LandmarkRegressor(head), "network": lambda: learned}).departures()
    return fit_share(seen.found["landmarks"], seen.found["network"], seen.truths, mirror_of(head))


def fit_share(landmarks: Floats, network: Floats, truth: Floats, mirror: Mirror) -> Floats:
    """(261,) 0…1 of β, the angles and τ, from (N, 261) each; the rest stays the landmarks'.

    w is what brings l + w (n − l) nearest to the truth in the least squares, the same for the left and the right of a face. Of it
    counts 2w − 1, and nothing below: the network has learned from portraits that were animated in this very way, the landmarks
    have not, so one that is only as good is not believed.
    """
    difference, wanted = network - landmarks, truth - landmarks
    products, squares = (difference * wanted).sum(0), (difference**2).sum(0)
    for group, partner in ((BETA, mirror.expression), (TAU, OTHER_EYE)):
        for sums in (products, squares):
            sums[group] = sums[group] + sums[group][partner]
    share = np.zeros(COEFFICIENTS, np.float32)
    for group in (BETA, ANGLES, TAU):
        share[group] = np.clip(2 * products[group] / np.maximum(squares[group], 1e-9) - 1, 0, 1)
    return share
