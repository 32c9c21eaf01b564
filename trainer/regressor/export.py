"""``python -m trainer export-regressor``: the averaged network of a run becomes the folder that the camera reads."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import torch
import typer
from torch import nn

from engine.head import load_head
from engine.manifest import MANIFEST
from engine.regress.network import GRAPH, INPUT, OUTPUT, REGRESSOR, write_regressor_manifest
from engine.runtime.sessions import pick, probe
from engine.values import COEFFICIENTS, Floats
from trainer.regressor.loop import load_average
from trainer.regressor.network import RegressorNet
from trainer.regressor.share import measure_share
from trainer.training.onnx_file import round_to_halves, write_onnx


def export_regressor(
    checkpoint: Annotated[Path, typer.Argument(help="last.pt of a run.")],
    out: Annotated[Path, typer.Option(help="Folder of the exported network.")] = REGRESSOR,
    portrait: Annotated[
        list[Path] | None,
        typer.Option(help="A photograph that was not learned from: it tells how far the network is to be believed; repeatable."),
    ] = None,
    each: Annotated[int, typer.Option(min=1, help="Moments of each portrait.")] = 60,
) -> None:
    """Export a trained regressor to ONNX, with the manifest, the shares and the self-test that the camera needs."""
    network = load_average(checkpoint)
    with TemporaryDirectory() as folder:
        made = Path(folder)
        nothing = np.zeros(COEFFICIENTS, np.float32)
        write_regressor(network, made, nothing)
        if portrait:
            write_regressor(network, made, measure_share(load_head(), made, portrait, each, typer.echo))
        else:
            typer.echo(
                'Without --portrait nobody knows how far it is to be believed: beside the landmarks ("both") it counts nothing.'
            )
        out.mkdir(parents=True, exist_ok=True)
        for name in (GRAPH, MANIFEST):
            shutil.move(made / name, out / name)
    typer.echo(f"{out}: {', '.join(f'{path.name} {path.stat().st_size:,} bytes' for path in sorted(out.iterdir()))}")


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
