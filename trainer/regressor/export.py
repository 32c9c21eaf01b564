"""``python -m trainer export-regressor``: the averaged network of a run becomes the folder that the camera reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import nn

from engine.regress.network import GRAPH, INPUT, OUTPUT, REGRESSOR, write_regressor_manifest
from engine.runtime.bundle import HEAD_ASSET, file_sha256
from engine.runtime.sessions import pick, probe
from trainer.regressor.loop import load_average
from trainer.regressor.network import RegressorNet
from trainer.training.onnx_file import round_to_halves, write_onnx


def export_regressor(
    checkpoint: Annotated[Path, typer.Argument(help="last.pt of a run.")],
    out: Annotated[Path, typer.Option(help="Folder of the exported network.")] = REGRESSOR,
) -> None:
    """Export a trained regressor to ONNX, with the manifest and the self-test that the camera checks."""
    write_regressor(load_average(checkpoint), out)
    typer.echo(f"{out}: {', '.join(f'{path.name} {path.stat().st_size:,} bytes' for path in sorted(out.iterdir()))}")


def write_regressor(network: RegressorNet, folder: Path) -> None:
    """Writes the graph and its manifest. Rounds the network's large parameters to half precision, in place."""
    network = network.eval()
    nn.utils.convert_conv2d_weight_memory_format(network, torch.contiguous_format)
    round_to_halves(network)
    shape = (1, 3, network.size, network.size)
    write_onnx(network, {INPUT: torch.zeros(shape)}, [OUTPUT], folder / GRAPH, {"graph": "regressor", "licence": "MIT"})
    with torch.inference_mode():
        answer = network(torch.from_numpy(probe({INPUT: shape})[INPUT]))
    write_regressor_manifest(folder, network.size, pick(answer.numpy()), file_sha256(HEAD_ASSET))
