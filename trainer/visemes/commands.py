"""``python -m trainer visemes`` and ``evaluate visemes``: the network that hears what the lips do."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import InputError
from engine.visemes import VISEME_NETWORK
from trainer.requirements import needs_packages


@needs_packages
def visemes(
    out: Annotated[Path, typer.Option(help="Where to write the network.")] = VISEME_NETWORK,
    passes: Annotated[int, typer.Option(min=1, help="How often each sentence is heard, in other rooms and noise.")] = 4,
    epochs: Annotated[int, typer.Option(min=1, help="How often all that is learned from.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
) -> None:
    """Train the network of the plug-in lipsync on synthetic speech; espeak-ng and flite must be installed."""
    # the imports are here so that `trainer --help` does not wait for torch
    import numpy as np
    import torch
    from rich.progress import Progress

    from trainer.visemes.speech import Espeak
    from trainer.visemes.training import VisemeNetwork, save, streams, train
    from trainer.visemes.voices import learned

    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # several are slower for so small a network
    with Progress() as progress:
        said = list(progress.track(learned(Espeak(), rng), description="sentences"))
        hearing = progress.add_task("rooms and noise", total=passes * len(said))
        bands, labels = streams(said, passes, rng, lambda: progress.advance(hearing))
        learning = progress.add_task("learning", total=epochs)
        network = VisemeNetwork()
        for loss in train(network, bands, labels, epochs):
            progress.update(learning, advance=1, description=f"learning, loss {loss:.3f}")
    try:
        save(network, out)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror or error}.") from error
    typer.echo(f"{out}: {out.stat().st_size / 1e3:.0f} kB, SHA-256 {hashlib.sha256(out.read_bytes()).hexdigest()}")


@needs_packages
def evaluate_visemes(
    network: Annotated[Path, typer.Option(help="What `python -m trainer visemes` wrote.")] = VISEME_NETWORK,
) -> None:
    """Evaluate how often visemes are heard as what they are, on sentences and voices not learned from."""
    # the imports are here so that `trainer --help` does not wait for scipy
    from rich.console import Console
    from rich.markdown import Markdown

    from trainer.visemes.evaluation import evaluate
    from trainer.visemes.speech import Espeak
    from trainer.visemes.voices import measured

    for table in evaluate(measured(Espeak()), network):
        Console().print(Markdown(table.markdown()))
