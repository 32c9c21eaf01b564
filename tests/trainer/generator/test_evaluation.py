"""The evaluation on a clip whose truth is known: the Mona Lisa, moved by geometry."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from engine.errors import ConfigError, InputError
from engine.generator.far import FarGenerator
from engine.generator.manifest import LIVE_BUNDLE
from engine.generator.variants import LIVE, TINY_LIVE
from engine.track import Tracker
from engine.values import Coefficients
from tests.engine.conftest import MONA_LISA
from tests.trainer.generator.evaluating import FRAMES, make_clip, make_models, make_subject, moved, write_film
from trainer.generator.evaluation import experiments
from trainer.generator.evaluation.areas import areas_of, face_mask
from trainer.generator.evaluation.command import evaluate_generator, open_methods, parse_named
from trainer.generator.evaluation.editing import EDITS, EditingExperiment
from trainer.generator.evaluation.experiments import evaluate
from trainer.generator.evaluation.inputs import HeldOutPortrait, longest_run, open_portrait, sampled_runs
from trainer.generator.evaluation.methods import COPIED, GEOMETRY, BundleMethod, Method, TorchMethod, copied, geometry
from trainer.generator.evaluation.metrics import agreement, steadiness
from trainer.generator.evaluation.models import EvaluationModels, FaceMeasurer
from trainer.generator.evaluation.reenactment import drive
from trainer.generator.export import untrained
from trainer.generator.subject import SourceSubject

METHODS = {COPIED: copied, GEOMETRY: geometry}


@pytest.fixture(scope="module")
def models() -> Iterator[EvaluationModels]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # single pictures: as the command does
    made = make_models()
    with made.tracker:
        yield made
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def subject(models: EvaluationModels) -> SourceSubject:
    return make_subject(models)


@pytest.fixture(scope="module")
def clip(subject: SourceSubject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(subject, tmp_path_factory.mktemp("clip") / "mona lisa.mp4")


@pytest.fixture(scope="module")
def report(models: EvaluationModels, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The report's folder, and what the terminal shows."""
    out = tmp_path_factory.mktemp("report") / "out"
    with (out.parent / "terminal.txt").open("w") as file:
        console = Console(file=file, record=True, width=200)
        evaluate(models, METHODS, [clip], [MONA_LISA], out, most=FRAMES, notes=["By nobody."], console=console)
    return out, console.export_text()


def test_geometry_is_nearer_to_its_own_clip_than_a_copy(report: tuple[Path, str]) -> None:
    found = json.loads((report[0] / "report.json").read_text())["tables"]
    same = found["Table 1: same-identity reconstruction"]
    for measure in ("perceptual", "perceptual, mouth and eyes", "Angle", "Gaze", "Exp"):
        assert same[GEOMETRY][measure] < same[COPIED][measure], measure
    assert same[GEOMETRY]["PSNR"] > same[COPIED]["PSNR"] + 1
    assert same[GEOMETRY]["r yaw"] > 0.9
    assert (same[COPIED]["r yaw"], same[COPIED]["ID"], same[COPIED]["face found"]) == (0, pytest.approx(1), 1)
    stills = found["Table 1 on photographs: sources made by geometry"]
    assert stills[GEOMETRY]["PSNR"] > stills[COPIED]["PSNR"] + 3
    assert stills[GEOMETRY]["perceptual, mouth and eyes"] < 0.7 * stills[COPIED]["perceptual, mouth and eyes"]
    cross = found["Table 2: cross-identity motion transfer"]
    assert cross[GEOMETRY]["Angle"] < cross[COPIED]["Angle"]
    assert cross[COPIED]["jitter"] == 0
    edits = found["Table 3, edit by edit"]
    assert edits["yaw +20"]["asked"] == 20
    assert edits["yaw +20"][f"{GEOMETRY}: found"] > 8 > edits["yaw +20"][f"{COPIED}: found"] == 0
    assert edits["yaw -20"][f"{GEOMETRY}: found"] < -8


def test_the_tables_are_whole(report: tuple[Path, str]) -> None:
    out, shown = report
    tables = json.loads((out / "report.json").read_text())["tables"]
    columns = {
        "Table 1": ("PSNR", "perceptual", "perceptual, mouth and eyes", "Exp", "Angle", "Gaze", "ID", "ID driving",
                    "FD-EffLite0"),
        "Table 2": ("Exp", "Angle", "Gaze", "ID", "FD-EffLite0", "r jaw", "r smile", "r blink", "r yaw", "r pitch", "r roll",
                    "r gaze", "jitter", "gaze lag"),
        "Table 3": ("Exp", "Angle", "ID", "FD-EffLite0"),
    }  # fmt: skip
    for title, wanted in columns.items():
        (rows,) = (table for name, table in tables.items() if name.startswith(f"{title}:"))
        assert list(rows) == list(METHODS)
        for row in rows.values():
            assert set(wanted) <= {name for name, value in row.items() if value is not None}
    assert list(tables["Table 3, edit by edit"]) == [edit.name for edit in EDITS]
    assert "| pure geometry |" in shown
    assert "By nobody." in (out / "report.html").read_text()


def test_two_evaluations_of_a_bundle_give_the_same(models: EvaluationModels) -> None:
    """Each opens its own generator: one engine draws from the first picture to the last."""
    portrait, edits = MONA_LISA, [edit for edit in EDITS if edit.name in ("jawOpen", "yaw +20", "gaze +0.4")]

    def measured() -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]], list[bytes]]:
        with BundleMethod(LIVE_BUNDLE) as method:
            shown = open_portrait(models, {"live": method}, portrait)
            experiment = EditingExperiment(["live"], shown.features, models.frechet)
            pictures = [picture.tobytes() for edit in edits for picture in experiment.edit(shown, edit)]
        return experiment.table(), experiment.edits(edits), pictures

    assert measured() == measured()


def test_every_link_of_the_page_leads_to_a_file(report: tuple[Path, str]) -> None:
    out, _ = report
    page = (out / "report.html").read_text(encoding="utf-8")
    links = re.findall(r'src="([^"]+)"', page)
    assert {Path(link).suffix for link in links} == {".mp4", ".jpg", ".png"}
    assert all((out / link).stat().st_size > 1000 for link in links)
    assert {path.name for path in out.iterdir()} == {*links, "report.html", "report.json"}


def test_what_is_equal_is_perfect(models: EvaluationModels, subject: SourceSubject) -> None:
    pictures = [subject.picture(subject.prior(moved(subject.coefficients, k))) for k in range(5)]
    measurer = FaceMeasurer(models, pictures[0])
    run = [measurer.look(picture) for picture in pictures]
    everywhere = np.ones((512, 512), bool)
    z = moved(subject.coefficients, 1)
    areas = areas_of(run[1].points, subject.outline(z), subject.prior(z).coverage)
    found = models.distances(pictures[1], models.target(pictures[1], everywhere, areas))
    names = ["", ", face", ", mouth and eyes", ", mouth", ", eyes"]
    nothing = pytest.approx(0, abs=1e-9)
    assert found == {f"PSNR{name}": np.inf for name in names} | {f"perceptual{name}": nothing for name in names}
    assert models.distances(pictures[0], models.target(pictures[1], everywhere, areas))["PSNR"] < 40
    upper = everywhere.copy()
    upper[300:] = False
    altered = pictures[1].copy()
    altered[300:] = 0
    unseen = models.distances(altered, models.target(pictures[1], upper, areas))
    assert unseen["PSNR"] == np.inf
    assert unseen["perceptual, eyes"] == nothing
    assert not [name for name in unseen if name.endswith(", mouth")]  # nothing of it is known
    assert {name: value for name, value in agreement(run, run).items() if value < 0.999} == {}
    assert steadiness(run, run) == {"jitter": pytest.approx(1), "gaze lag": 0}


def test_each_area_is_where_it_should_be(models: EvaluationModels, subject: SourceSubject) -> None:
    own = subject.coefficients
    mesh, coverage = subject.outline(own), subject.prior(own).coverage.copy()
    points = FaceMeasurer(models, subject.crop).first.points
    areas = areas_of(points, mesh, coverage)
    assert set(areas) == {"face", "mouth and eyes", "mouth", "eyes"}
    assert not (areas["mouth"] & areas["eyes"]).any()
    np.testing.assert_array_equal(areas["mouth"] | areas["eyes"], areas["mouth and eyes"])
    assert (areas["mouth and eyes"] & areas["face"]).sum() > 0.97 * areas["mouth and eyes"].sum()
    assert 0.05 < areas["face"].mean() < 0.5
    assert areas["face"].sum() < (coverage > 0).sum()  # scalp and neck are no face
    assert not face_mask(mesh, np.zeros_like(coverage)).any()


def test_many_people_are_measured_and_not_shown(
    models: EvaluationModels, subject: SourceSubject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of whom three are the same one here, prepared once, and one shows no face."""
    measurer = FaceMeasurer(models, subject.crop)

    def prepared(models: EvaluationModels, methods: object, path: Path) -> HeldOutPortrait:
        if path.stem == "nobody":
            raise InputError("nobody.png shows no face.")
        return HeldOutPortrait(path.stem, measurer, subject, {}, (measurer.first.features,))

    def itself(self: SourceSubject, tracker: Tracker, z: Coefficients) -> SourceSubject:
        return self

    monkeypatch.setattr(experiments, "open_portrait", prepared)
    monkeypatch.setattr(SourceSubject, "made_up", itself)

    def brighter(by: int) -> Method:
        return lambda subject: lambda z, prior: np.minimum(subject.crop, 255 - by) + np.uint8(by)

    methods = {GEOMETRY: brighter(4), "brighter": brighter(10)}
    with (tmp_path / "terminal.txt").open("w") as file:
        console = Console(file=file, record=True, width=300)
        given = [tmp_path / f"{name}.png" for name in ("first", "second", "third", "nobody")]
        evaluate(models, methods, [], [], tmp_path / "out", people=given, moments=1, most=4, notes=[], console=console)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"report.html", "report.json"}
    assert "Left out" in console.export_text()
    tables = json.loads((tmp_path / "out" / "report.json").read_text())["tables"]
    assert set(tables["Photographs of many people, brought back"]) == set(methods)
    found = tables["Against pure geometry, many people"]["PSNR, face +"]
    assert found["brighter, from"] <= found["brighter"] <= found["brighter, to"] < -0.5


def test_a_driver_at_rest_leaves_the_portrait_as_it_is(subject: SourceSubject) -> None:
    own, closed = subject.coefficients, np.full(2, 0.6, np.float32)
    rest = moved(own, 1)
    np.testing.assert_allclose(drive(own, rest, rest, closed).vector(), own.vector(), atol=1e-6)
    shut = rest.expression.copy()
    shut[8:10] = 0.6
    np.testing.assert_allclose(drive(own, type(own)(**{**vars(rest), "expression": shut}), rest, closed).expression[8:10], 1)


def test_an_untrained_network_draws_geometry(subject: SourceSubject) -> None:
    z = moved(subject.coefficients, 2)
    prior = subject.prior(z)
    drawn = [method(subject)(z, prior).astype(int) for method in (geometry, TorchMethod(untrained(LIVE), Path("a.pt")))]
    assert np.abs(drawn[0] - drawn[1]).mean() < 0.5


def test_another_size_is_refused() -> None:
    with pytest.raises(InputError, match=r"tiny\.pt draws pictures of 32 px; wanted a generator of 512 px"):
        TorchMethod(FarGenerator(TINY_LIVE), Path("tiny.pt"))


def test_a_clip_without_a_face_is_refused(models: EvaluationModels, tmp_path: Path) -> None:
    path = write_film(tmp_path / "grey.mp4", [np.full((96, 96, 3), 90, np.uint8)] * 4)
    for take in (sampled_runs, longest_run):
        with pytest.raises(InputError, match=r"grey\.mp4: no face was found in \d frames"):
            take(path, models.tracker, 4)
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(InputError, match=r"text\.mp4 cannot be read as a video"):
        sampled_runs(tmp_path / "text.mp4", models.tracker, 4)


def test_the_source_is_calm_and_typical(models: EvaluationModels, clip: Path) -> None:
    takes = sampled_runs(clip, models.tracker, 4)
    assert 2 <= sum(len(take.crops) for take in takes) <= 4
    assert len(longest_run(clip, models.tracker, 6).crops) <= 6


def test_methods_have_names_of_their_own() -> None:
    assert parse_named("runs/live1/last.pt") == ("live1", Path("runs/live1/last.pt"))
    assert parse_named("no flow=a/last.pt") == ("no flow", Path("a/last.pt"))
    assert parse_named("assets/live") == ("live", Path("assets/live"))
    assert list(open_methods([], [], ExitStack())) == [COPIED, GEOMETRY]
    with pytest.raises(ConfigError, match="There is nothing to evaluate on"):
        evaluate_generator(Path("out"), Path("a.pth"), Path("b.dat"))
