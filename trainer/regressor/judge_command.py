"""``python -m trainer evaluate regressor``: landmarks, a network, and both, side by side (docs/regressor.md)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from engine.head import HeadModel, load_head
from engine.regress.joint import JointRegressor
from engine.regress.landmarks import LandmarkRegressor
from engine.regress.network import REGRESSOR, NetworkRegressor
from trainer.data.synthetic import Sample, SyntheticHeads
from trainer.regressor.evaluate import Regressors, judge_clip, judge_exact, judge_motion, judge_still
from trainer.regressor.make import animated_portraits
from trainer.regressor.report import show_table, write_report

SEED, SIZE_PX, STILL_PEOPLE = 5, 256, 6

evaluate = typer.Typer(no_args_is_help=True, help="Measure what was trained.")


@evaluate.callback()
def _evaluate() -> None:
    """Measure what was trained."""


@evaluate.command("regressor")
def evaluate_regressor(
    out: Annotated[Path, typer.Option(help="Folder of the report: report.json and plots.")],
    network: Annotated[Path, typer.Option(help="Folder of an exported network.")] = REGRESSOR,
    pictures: Annotated[int, typer.Option(help="Pictures of held-out synthetic people; 0 = none.")] = 200,
    portrait: Annotated[
        list[Path] | None, typer.Option(help="A photograph that was held out, to be animated; repeatable.")
    ] = None,
    each: Annotated[int, typer.Option(min=1, help="Moments of each portrait.")] = 60,
    clip: Annotated[list[Path] | None, typer.Option(help="A video that was held out; may be given several times.")] = None,
    most: Annotated[int, typer.Option(help="Frames of a clip at most.")] = 1000,
) -> None:
    """Judge the landmark regressor, the network, and both together, side by side."""
    head = load_head()
    regressors = side_by_side(head, network)
    heads = SyntheticHeads(SIZE_PX, SEED, split="test", head=head)
    synthetic = judge_exact(head, _first(heads, pictures), regressors) if pictures else {}
    portraits = judge_motion(animated_portraits(portrait, each, SEED, typer.echo), regressors) if portrait else {}
    still = judge_still([sample.image for sample in _first(heads, min(pictures, STILL_PEOPLE))], regressors) if pictures else {}
    clips = [judge_clip(path, regressors, most=most) for path in clip or ()]
    show_table(Console(), write_report(out, synthetic, portraits, still, clips))


def side_by_side(head: HeadModel, network: Path) -> Regressors:
    """Makers of the regressors; the networks are opened once. Each remembers its own crop."""
    learned, joint = NetworkRegressor(head, network), JointRegressor(head, NetworkRegressor(head, network))
    return {"landmarks": lambda: LandmarkRegressor(head), "network": lambda: learned, "both": lambda: joint}


def _first(heads: SyntheticHeads, count: int) -> Iterator[Sample]:
    return (heads.sample(k) for k in range(count))
