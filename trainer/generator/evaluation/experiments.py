"""The experiments one after another, and the report."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, product
from pathlib import Path

from av.error import FFmpegError
from rich.console import Console
from rich.progress import Progress

from engine.errors import InputError
from engine.values import Floats, Picture
from trainer.blind.sheet import KEY, SHEET
from trainer.data.sheets import save_sheet, sheet
from trainer.generator.evaluation import explain
from trainer.generator.evaluation.editing import EDITS, EditingExperiment
from trainer.generator.evaluation.figures import figure3, figure6, plot_motion
from trainer.generator.evaluation.inputs import DrivingClip, HeldOutPortrait, open_driving_clip, open_portrait, sampled_runs
from trainer.generator.evaluation.methods import COPIED, GEOMETRY, Method, TorchMethod
from trainer.generator.evaluation.metrics import MetricAccumulator, against
from trainer.generator.evaluation.models import EvaluationModels
from trainer.generator.evaluation.pictures import (
    TILE_PX,
    BlindComparison,
    ComparisonVideo,
    ReportFile,
    ShowRow,
)
from trainer.generator.evaluation.reconstruction import MOMENTS, ClipReconstruction, PhotographReconstruction
from trainer.generator.evaluation.reenactment import CrossIdentityReenactment
from trainer.generator.evaluation.report import Table, write_data, write_page

TITLE = "Generators, evaluated on held-out clips and portraits"
SLIDES_PER_S = 4.0  # of frames that are far apart in their clip


@dataclass
class Evaluation:
    """What the experiments share, and what came of them so far."""

    models: EvaluationModels
    methods: Mapping[str, Method]
    out: Path
    progress: Progress
    tables: list[Table] = field(default_factory=list)
    files: list[ReportFile] = field(default_factory=list)
    _blind: BlindComparison = field(init=False)

    def __post_init__(self) -> None:
        self._blind = BlindComparison(GEOMETRY, list(self.methods)[-1])

    def same(self, clips: Sequence[Path], most: int) -> None:
        """Table 1."""
        experiment = ClipReconstruction(self.models, self.methods)
        for number, path in enumerate(clips, 1):
            task = self.progress.add_task(f"same identity, {path.name}", total=None)
            runs = sampled_runs(path, self.models.tracker, most)
            rows = sum(len(run.crops) for run in runs)
            self.progress.update(task, total=rows)
            with self._video(f"same-{number}-{path.stem}", f"Same identity: {path.name}", SLIDES_PER_S, rows) as video:
                for run in runs:
                    experiment.add_run(run, path.stem, self._shown(video), partial(self.progress.advance, task))
            self.files += video.files
        self.tables.append(Table("Table 1: same-identity reconstruction", explain.SAME, experiment.table()))
        self._against(experiment.accumulators, "clips")
        self._figure6("same", {name: accumulator.similarities for name, accumulator in experiment.accumulators.items()})

    def stills(self, portraits: Sequence[HeldOutPortrait]) -> None:
        """Table 1 on photographs."""
        experiment = PhotographReconstruction(self.models, self.methods, _real(portraits))
        for number, posed in enumerate(portraits, 1):
            task = self.progress.add_task(f"{posed.name} from made-up sources", total=MOMENTS)
            with self._video(f"still-{number}-{posed.name}", f"Made-up sources: {posed.name}", SLIDES_PER_S, MOMENTS) as video:
                experiment.photograph(posed, video, partial(self.progress.advance, task))
            self.files += video.files
        self.tables.append(Table("Table 1 on photographs: sources made by geometry", explain.STILLS, experiment.table()))
        self._against(experiment.accumulators, "photographs")

    def people(self, photographs: Sequence[Path], moments: int) -> None:
        """Table 1 on photographs of many people, of whom no picture is kept."""
        found = self._people(photographs)
        first = next(found, None)
        if first is None:
            raise InputError("No photograph of --people shows a face that can be measured: give others.")
        experiment = PhotographReconstruction(self.models, self.methods, real := [*first.features])
        for posed in chain([first], found):
            real += posed.features if posed is not first else ()
            experiment.photograph(posed, _not_shown, _not_told, moments)
        self.tables.append(Table("Photographs of many people, brought back", explain.STILLS, experiment.table()))
        self._against(experiment.accumulators, "many people")

    def _people(self, photographs: Sequence[Path]) -> Iterator[HeldOutPortrait]:
        """Of each with a face; the others are left out and told."""
        task = self.progress.add_task("many people", total=len(photographs))
        for path in photographs:
            try:
                yield open_portrait(self.models, self.methods, path)
            except InputError as error:
                self.progress.console.print(f"Left out: {error}", markup=False, highlight=False)
            self.progress.advance(task)

    def _against(self, accumulators: Mapping[str, MetricAccumulator], of: str) -> None:
        """What each method changes against pure geometry, where there are people enough."""
        rows: dict[str, dict[str, float]] = {}
        for name in (name for name in accumulators if name not in (COPIED, GEOMETRY)):
            for measure, one in against(accumulators[name], accumulators[GEOMETRY]).items():
                rows.setdefault(measure, {}).update({name: one.value, f"{name}, from": one.low, f"{name}, to": one.high})
        if rows:
            self.tables.append(Table(f"Against pure geometry, {of}", explain.AGAINST, rows))

    def cross(self, portraits: Sequence[HeldOutPortrait], drivers: Sequence[DrivingClip]) -> None:
        """Table 2."""
        experiment = CrossIdentityReenactment(list(self.methods), _real(portraits), self.models.frechet)
        for number, (posed, driver) in enumerate(product(portraits, drivers), 1):
            task = self.progress.add_task(f"{posed.name} moved by {driver.name}", total=len(driver.pictures))
            name = file_name(f"cross-{number}-{posed.name}-{driver.name}")
            with self._video(name, f"{posed.name} moved by {driver.name}", driver.fps, len(driver.pictures)) as video:
                runs = experiment.pair(posed, driver, self._shown(video), partial(self.progress.advance, task))
            plot_motion(self.out / f"{name}.png", runs)
            self.files += [
                *video.files,
                ReportFile(f"{name}.png", f"{posed.name} moved by {driver.name}, change over frames"),
            ]
        self.tables.append(Table("Table 2: cross-identity motion transfer", explain.CROSS, experiment.table()))
        self._figure6("cross", {name: accumulator.similarities for name, accumulator in experiment.accumulators.items()})

    def editing(self, portraits: Sequence[HeldOutPortrait]) -> None:
        """Table 3."""
        experiment = EditingExperiment(list(self.methods), _real(portraits), self.models.frechet)
        task = self.progress.add_task("editing", total=len(portraits) * len(EDITS))
        for number, posed in enumerate(portraits, 1):
            lines = []
            for edit in EDITS:
                pictures = experiment.edit(posed, edit)
                lines += sheet(
                    [(edit.name, posed.subject.crop), *zip(self.methods, pictures, strict=True)], 1 + len(pictures), TILE_PX
                )
                self.progress.advance(task)
            file = file_name(f"editing-{number}-{posed.name}.jpg")
            save_sheet(lines, self.out / file)
            self.files.append(ReportFile(file, f"Editing of {posed.name}: portrait, then each method"))
        self.tables.append(Table("Table 3: editing with 3D control", explain.EDITING, experiment.table()))
        self.tables.append(Table("Table 3, edit by edit", explain.EDITS, experiment.edits()))

    def figure3(self, portraits: Sequence[HeldOutPortrait]) -> None:
        """Of every method that is a network in torch."""
        networks = {name: method for name, method in self.methods.items() if isinstance(method, TorchMethod)}
        for (name, network), (number, posed) in product(networks.items(), enumerate(portraits, 1)):
            file = file_name(f"figure3-{name}-{number}-{posed.name}.jpg")
            figure3(self.out / file, network, posed)
            self.files.append(ReportFile(file, f"Figure 3: flow and warped features of {name}, {posed.name}"))

    def blind(self) -> None:
        """The sheet for fresh eyes, where there is something trained."""
        if list(self.methods)[-1] not in (COPIED, GEOMETRY):
            self._blind.write(self.out)
            self.files.append(ReportFile(SHEET, f"A blind look: which of A and B is better? {KEY} tells what they are"))

    def _shown(self, video: ComparisonVideo) -> ShowRow:
        order = list(self.methods).index(GEOMETRY)

        def show(pictures: Sequence[Picture]) -> None:
            video(pictures)
            source, driving, *drawn = pictures
            self._blind.add(source, driving, drawn[order], drawn[-1])

        return show

    def _video(self, name: str, caption: str, fps: float, rows: int) -> ComparisonVideo:
        columns = ["source", "driving", *self.methods]
        return ComparisonVideo(
            self.out, file_name(name), columns, caption=f"{caption}: {' | '.join(columns)}", fps=fps, rows=rows
        )

    def _figure6(self, name: str, similarities: Mapping[str, list[float]]) -> None:
        figure6(self.out / f"figure6-{name}.png", similarities)
        self.files.append(ReportFile(f"figure6-{name}.png", f"Figure 6: identity similarity, {name} identity"))


def evaluate(
    models: EvaluationModels,
    methods: Mapping[str, Method],
    clips: Sequence[Path],
    portraits: Sequence[Path],
    out: Path,
    *,
    people: Sequence[Path] = (),
    moments: int = 4,
    most: int,
    notes: Sequence[str],
    console: Console,
) -> None:
    """All experiments that clips and portraits allow, into the folder ``out``. ``people``: photographs of many, measured in
    so many ``moments`` each and not shown; ``notes``: sentences on the measuring networks.

    Raises InputError for a clip or portrait without a face, and when the report cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with Progress(console=console) as progress:
            evaluation = Evaluation(models, methods, out, progress)
            posed = [open_portrait(models, methods, path) for path in portraits]
            if clips:
                evaluation.same(clips, most)
            if posed:
                evaluation.stills(posed)
            if people:
                evaluation.people(people, moments)
            if clips and posed:
                evaluation.cross(posed, [open_driving_clip(models, path, most) for path in clips])
            if clips:
                evaluation.blind()
            if posed:
                evaluation.editing(posed)
                evaluation.figure3(posed)
        about = [f"Clips: {_names(clips)}. Portraits: {_names(portraits)}. At most {most} frames of a clip.", *notes]
        settings = {"clips": [p.name for p in clips], "portraits": [p.name for p in portraits], "most": most, "notes": notes}
        write_data(out, settings, evaluation.tables)
        page = write_page(out, TITLE, about, evaluation.tables, evaluation.files)
    except (OSError, FFmpegError) as error:
        raise InputError(f"The report in {out} cannot be written: {error}.") from error
    for table in evaluation.tables:
        console.print(table.markdown(), soft_wrap=True, markup=False, highlight=False)
    console.print(f"{page}", soft_wrap=True, markup=False, highlight=False)


def file_name(text: str) -> str:
    """The same without what file systems and links do not like."""
    return re.sub(r"[^\w.+-]+", "_", text)


def _not_shown(pictures: Sequence[Picture]) -> None:
    """Of people whose pictures stay where they are."""


def _not_told() -> None:
    """Of moments whose person is counted."""


def _real(portraits: Sequence[HeldOutPortrait]) -> list[Floats]:
    return [features for posed in portraits for features in posed.features]


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths) or "none"
