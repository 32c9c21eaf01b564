"""``python -m trainer evaluate regressor``: landmarks, a network, and both, side by side (docs/regressor.md)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.regress.network import REGRESSOR
from trainer.requirements import needs_packages

if TYPE_CHECKING:
    from engine.head import HeadModel
    from trainer.data.synthetic import Sample, SyntheticHeads
    from trainer.regressor.evaluation.measures import Regressors

SEED, SIZE_PX, STILL_PEOPLE = 5, 256, 6
ENGINE = "onnxruntime"


@needs_packages
def evaluate_regressor(
    out: Annotated[Path, typer.Option(help="Folder of the report: report.json and plots.")],
    network: Annotated[Path, typer.Option(help="Folder of an exported network.")] = REGRESSOR,
    pictures: Annotated[int, typer.Option(help="Pictures of held-out synthetic people; 0 = none.")] = 200,
    portrait: Annotated[
        list[Path] | None, typer.Option(help="A photograph that was held out, or a folder of them, to be animated; repeatable.")
    ] = None,
    each: Annotated[int, typer.Option(min=1, help="Moments of each portrait.")] = 60,
    clip: Annotated[list[Path] | None, typer.Option(help="A video that was held out; may be given several times.")] = None,
    most: Annotated[int, typer.Option(help="Frames of a clip at most.")] = 1000,
) -> None:
    """Evaluate the landmark regressor, the network, and both together, side by side."""
    # the imports are here so that `trainer --help` does not wait for mediapipe
    from rich.console import Console

    from engine.head import load_head
    from trainer.data.inputs import photographs_in
    from trainer.data.synthetic import SyntheticHeads
    from trainer.regressor.evaluation.measures import evaluate_clip, evaluate_exact, evaluate_still, observe
    from trainer.regressor.evaluation.report import show_table, write_report
    from trainer.regressor.make import animated_portraits

    head = load_head()
    with side_by_side(head, network) as regressors:
        heads = SyntheticHeads(SIZE_PX, SEED, split="test", head=head)
        synthetic = evaluate_exact(head, _first(heads, pictures), regressors) if pictures else {}
        shown = animated_portraits(photographs_in(portrait), each, SEED, typer.echo) if portrait else None
        portraits = None if shown is None else observe(shown, regressors)
        people = [sample.image for sample in _first(heads, min(pictures, STILL_PEOPLE))]
        still = evaluate_still(people, regressors) if people else {}
        clips = [evaluate_clip(path, regressors, most=most) for path in clip or ()]
    show_table(Console(), write_report(out, synthetic, portraits, still, clips))


@contextmanager
def side_by_side(head: HeadModel, network: Path) -> Iterator[Regressors]:
    """Makers of the regressors, each of which remembers its own crop; the networks are opened once, and closed at the end. One
    engine runs them throughout, the same on every machine."""
    from engine.regress.joint import JointRegressor  # late, for the same reason
    from engine.regress.landmarks import LandmarkRegressor
    from engine.regress.network import NetworkRegressor

    with (
        NetworkRegressor(head, network, ENGINE, fixed=True) as learned,
        JointRegressor(head, NetworkRegressor(head, network, ENGINE, fixed=True)) as joint,
    ):
        yield {"landmarks": lambda: LandmarkRegressor(head), "network": lambda: learned, "both": lambda: joint}


def _first(heads: SyntheticHeads, count: int) -> Iterator[Sample]:
    return (heads.sample(k) for k in range(count))
