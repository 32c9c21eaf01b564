"""``python -m trainer``: from nothing to a bundle that the camera loads, in steps that go on where they were stopped.

data → regressor → generator → evaluation. Every step is a command of its own, called here as the function it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from trainer.requirements import require_packages
from trainer.steps import Step, StepRecord, run_steps

FEATURES = "efficientnet-lite0-57934424.pth"
IDENTITY = "dlib_face_recognition_resnet_model_v1.dat"
JUDGE = "faceres.json"  # an identity network that takes part in no training
GENERATED = "generated-*"  # folders of portraits that make albums: series, not photographs
HOUR_S = 3600.0
HELD_OUT = 7  # of so many people of the stock portraits one is not learned from

# What two cores without a GPU do in a second, for the expected hours.
HEADS_PER_S, EXAMPLES_PER_S, SCENES_PER_S, REGRESSED_PER_S, GENERATED_PER_S, EVALUATED_PER_S = 10.0, 5.0, 0.7, 40.0, 2.0, 1.0


@dataclass(frozen=True)
class Sizes:
    """How much of everything.

    heads              rendered heads for the regressor
    portraits          photographs to learn from, at most
    moments            that each of them is shown in, for the regressor
    regressor_images   length of the regressor's training
    people             rendered people among the scenes
    per_series         scenes of each clip and album
    per_photograph     scenes of each photograph
    generator_images   length of the generator's training
    evaluated             pictures and frames that evaluation looks at
    """

    heads: int = 20_000
    portraits: int = 1_000
    moments: int = 100
    regressor_images: int = 200_000
    people: int = 400
    per_series: int = 15
    per_photograph: int = 10
    generator_images: int = 100_000
    evaluated: int = 60


WHOLE = Sizes()
QUICK = Sizes(
    heads=40,
    portraits=3,
    moments=2,
    regressor_images=64,
    people=2,
    per_series=1,
    per_photograph=1,
    generator_images=16,
    evaluated=6,
)


def make_everything(
    folder: Path, sizes: Sizes, packages: Path | None, clips: Sequence[Path], portraits: Sequence[Path], console: Console
) -> None:
    """All steps, into ``folder``. ``packages``: fetched already; ``clips``, ``portraits``: held out, to evaluate on.

    Raises MissingPackagesError, and HifiHeadError with the name of the step that failed.
    """
    require_packages()
    record = StepRecord(folder, asdict(sizes))
    steps = [*data_steps(folder, sizes, packages), *training_steps(folder, sizes)]
    run_steps([*steps, *evaluation_steps(folder, sizes, clips, portraits)], record, console)
    console.print(
        f'The camera uses it with bundle = "{(folder / "live").resolve()}" under [runtime] in config.toml, and '
        f'network = "{(folder / "regressor").resolve()}" under [tracking]; '
        f"how good it is, {folder / 'reports' / 'generator' / 'report.html'} tells.",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip


def data_steps(folder: Path, sizes: Sizes, packages: Path | None) -> list[Step]:
    """What is learned from: free packages, examples for the regressor, scenes for the generator."""
    from trainer.data.commands import recipe
    from trainer.generator.commands import scenes
    from trainer.regressor.commands import examples

    free, sets, made = folder / "free", folder / "examples", folder / "scenes"
    shown = min(sizes.portraits, 52)

    def prepared() -> None:
        examples(sets / "frames", shards=free, without=[path.parent for path in held_out(free)])

    def animate() -> None:
        apart = {path.parent for path in held_out(free)}
        learned = [path for path in photographs(free, sizes.portraits) if path.parent not in apart]
        examples(sets / "portraits", portrait=learned, each=sizes.moments)

    def photographed() -> None:
        scenes(made / "photographs", photographs=photographs(free, sizes.portraits), per_photograph=sizes.per_photograph)

    return [
        Step("free clips and portraits", free / "skipped.txt", 0.1, lambda: recipe(free, packages)),
        Step("examples: rendered heads", sets / "heads", _hours(sizes.heads, HEADS_PER_S),
             lambda: examples(sets / "heads", synthetic=sizes.heads)),
        Step("examples: frames of clips", sets / "frames", 0.05, prepared),
        Step("examples: animated portraits", sets / "portraits", _hours(shown * sizes.moments, EXAMPLES_PER_S), animate),
        Step("scenes: rendered people", made / "people", _hours(sizes.people, SCENES_PER_S),
             lambda: scenes(made / "people", synthetic=sizes.people)),
        Step("scenes: clips and albums", made / "series", _hours(25 * sizes.per_series, SCENES_PER_S),
             lambda: scenes(made / "series", shards=free, per_series=sizes.per_series)),
        Step("scenes: photographs", made / "photographs", _hours(shown * sizes.per_photograph, SCENES_PER_S), photographed),
    ]  # fmt: skip


def training_steps(folder: Path, sizes: Sizes) -> list[Step]:
    """Both trainings, and what the camera loads of them."""
    from trainer.generator.commands import export, generator
    from trainer.regressor.commands import export_regressor, regressor

    sets, made, runs, weights = folder / "examples", folder / "scenes", folder / "runs", weights_of(folder)

    def train_regressor() -> None:
        shares = [f"{sets / 'heads'}:0.5", f"{sets / 'portraits'}:0.3", f"{sets / 'frames'}:0.2"]
        regressor(shares, runs / "regressor", weights=weights / FEATURES, images=sizes.regressor_images)

    def train_generator() -> None:
        generator(
            [f"{made / 'series'}:0.5", f"{made / 'photographs'}:0.35", f"{made / 'people'}:0.15"],
            runs / "generator",
            features=weights / FEATURES,
            regressor=runs / "regressor" / "last.pt",
            identity=weights / IDENTITY,
            images=sizes.generator_images,
        )

    def export_network() -> None:
        export_regressor(runs / "regressor" / "last.pt", folder / "regressor", held_out(folder / "free"), sizes.evaluated)

    data = (
        f"{sizes.people} rendered heads of the program's own; free stock portraits, generated people and two clips of one man "
        "from package registries (docs/data.md)."
    )
    return [
        Step("regressor", runs / "regressor" / "last.pt", _hours(sizes.regressor_images, REGRESSED_PER_S), train_regressor),
        Step("regressor for the camera", folder / "regressor" / "manifest.json", _hours(7 * sizes.evaluated, EXAMPLES_PER_S),
             export_network),
        Step("generator", runs / "generator" / "last.pt", _hours(sizes.generator_images, GENERATED_PER_S), train_generator),
        Step("bundle for the camera", folder / "live" / "manifest.json", 0.01,
             lambda: export(runs / "generator" / "last.pt", data, out=folder / "live")),
    ]  # fmt: skip


def evaluation_steps(folder: Path, sizes: Sizes, clips: Sequence[Path], portraits: Sequence[Path]) -> list[Step]:
    """Reports on both; without clips and portraits of the user's, on rendered people whom no training has seen."""
    from trainer.generator.evaluation.command import evaluate_generator
    from trainer.generator.evaluation.inputs import CLIP, PORTRAITS, render_test_people
    from trainer.regressor.evaluation.command import evaluate_regressor

    test_people, reports, weights = folder / "test-people", folder / "reports", weights_of(folder)
    given = bool(clips or portraits)
    clips = list(clips) if given else [test_people / CLIP]
    portraits = list(portraits) if given else [test_people / name for name in PORTRAITS]
    media = ", ".join(str(path) for path in [*clips, *portraits])

    def report_on_generator() -> None:
        evaluate_generator(
            reports / "generator",
            weights / FEATURES,
            [weights / IDENTITY, weights / JUDGE],
            bundle=[f"live={folder / 'live'}"],
            checkpoint=[f"live in torch={folder / 'runs' / 'generator' / 'last.pt'}"],
            clip=list(clips),
            portrait=list(portraits),
            most=sizes.evaluated,
        )

    def report_on_regressor() -> None:
        evaluate_regressor(
            reports / "regressor",
            folder / "regressor",
            sizes.evaluated,
            list(portraits),
            sizes.evaluated,
            list(clips),
            sizes.evaluated,
        )

    rendered = [Step("people to evaluate on", test_people / CLIP, 0.02, lambda: render_test_people(test_people, sizes.evaluated))]
    return [
        *([] if given else rendered),
        Step("report on the regressor", reports / "regressor" / "report.json", _hours(2 * sizes.evaluated, EVALUATED_PER_S),
             report_on_regressor, media),
        Step("report on the generator", reports / "generator" / "report.html", _hours(20 * sizes.evaluated, EVALUATED_PER_S),
             report_on_generator, media),
    ]  # fmt: skip


def weights_of(folder: Path) -> Path:
    """Where the recipe puts the networks that losses look through."""
    return folder / "free" / "packages" / "weights"


def photographs(free: Path, most: int) -> list[Path]:
    """The recipe's stock portraits; those of generated people are albums, and among the series."""
    portraits = free / "packages" / "data" / "portraits"
    people = sorted(path for path in portraits.iterdir() if path.is_dir() and not path.match(GENERATED))
    return [picture for person in people for picture in sorted(person.iterdir())][:most]


def held_out(free: Path) -> list[Path]:
    """A photograph of every seventh person: the regressor learns from no picture of theirs, and they tell what it is worth."""
    first = {path.parent: path for path in reversed(photographs(free, 10**6))}
    return sorted(first.values())[::HELD_OUT]


def _hours(count: int, per_s: float) -> float:
    return count / per_s / HOUR_S
