"""The evaluation of several photographs, on pictures that a portrait was made to show."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.animator import Animator
from engine.errors import InputError
from engine.picture_file import write_picture
from engine.portrait import load_portrait
from engine.values import EXPRESSION_NAMES
from tests.engine.conftest import HOPPER
from trainer.cli import app
from trainer.photographs import command
from trainer.photographs.evaluation import GEOMETRY, METHODS, Judged, tables


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder: at rest, a jaw half open, and a jaw a little farther open."""
    folder = tmp_path_factory.mktemp("person")
    with Animator("onnxruntime", fixed=True) as animator:
        z = animator.set_source(load_portrait(HOPPER)).coefficients
        for name, jaw in (("0-rest", 0.0), ("1-open", 0.4), ("2-wide", 0.5)):
            beta = z.expression.copy()
            beta[EXPRESSION_NAMES.index("jawOpen")] += jaw
            write_picture(folder / f"{name}.png", animator.animate(replace(z, expression=beta)))
    return folder


def test_a_person_is_judged_by_what_was_held_out(person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.generator.perceptual.Lite0", _random_lite0)
    options = [str(person), "--out", str(tmp_path / "report"), "--features", "none", "--given", "1", "--show"]
    result = CliRunner().invoke(app, ["evaluate", "photographs", *options])
    assert result.exception is None, result.output
    (picture,) = json.loads((tmp_path / "report" / "report.json").read_text())["pictures"]
    assert set(picture["measures"]) == set(METHODS)
    assert picture["measures"][GEOMETRY]["PSNR, mouth"] > 15
    assert (tmp_path / "report" / f"{person.name}.png").exists()
    assert "Held-out pictures" in (tmp_path / "report" / "report.md").read_text()


def test_nothing_held_out_is_told(person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.generator.perceptual.Lite0", _random_lite0)
    options = [str(person), "--out", str(tmp_path / "report"), "--features", "none"]
    result = CliRunner().invoke(app, ["evaluate", "photographs", *options])
    assert isinstance(result.exception, InputError)
    assert "after the first 6" in result.output
    assert command.ENGINE == "onnxruntime"


def test_enough_people_give_intervals() -> None:
    def judged(name: str, better: float) -> Judged:
        one = {"PSNR, face": 20.0, "perceptual, face": 0.5}
        several = {"PSNR, face": 20.0 + better, "perceptual, face": 0.5 / (1 + better)}
        return Judged(name, {method: one if method.startswith("one") else several for method in METHODS})

    _, against = tables([judged(name, 1.0) for name in "abc"])
    assert against.rows["PSNR, face +"]["value"] == pytest.approx(1)
    assert against.rows["perceptual, face ×"]["value"] == pytest.approx(0.5)
    assert against.rows["PSNR, face +"]["better in"] == 1
    assert len(tables([judged("a", 1.0)])) == 1


def _random_lite0(weights: Path | None) -> object:
    from trainer.regressor.lite0 import Lite0

    return Lite0(None)
