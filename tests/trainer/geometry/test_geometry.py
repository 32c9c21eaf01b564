"""The evaluation of geometry: what it asks, and what it reports of one person."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from engine.errors import ConfigError
from engine.values import EXPRESSION_NAMES, Coefficients
from trainer.cli import app
from trainer.geometry.moments import all_moments


def run(*options: str) -> None:
    result = CliRunner().invoke(app, ["evaluate", "geometry", *options])
    if result.exception is not None:
        raise result.exception


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("geometry") / "report"
    run("--out", str(out), "--people", "1", "--only", "roll", "--alone")
    return out


def test_every_named_shape_is_asked_for() -> None:
    asked = {name for moment in all_moments() for name in moment.expression}
    assert asked >= {name for name in EXPRESSION_NAMES if not name.startswith("eyeLook")}
    names = [moment.name for moment in all_moments()]
    assert len(set(names)) == len(names)


def test_a_portrait_that_smiles_already_is_asked_to_smile_fully() -> None:
    own = Coefficients.neutral()
    smile = [EXPRESSION_NAMES.index("mouthSmileLeft"), EXPRESSION_NAMES.index("mouthSmileRight")]
    own.expression[smile] = 0.3, 0.5
    (moment,) = (moment for moment in all_moments() if moment.name == "mouthSmile")
    np.testing.assert_allclose(moment.of_portrait(own, 1.0).expression[smile], 1)
    np.testing.assert_array_equal(moment.of_person(Coefficients.neutral()).expression[smile], 1)


def test_a_tilted_head_is_nearer_to_the_truth_than_the_portrait(report: Path) -> None:
    found = json.loads((report / "report.json").read_text())
    errors = found["tables"]["Errors"]["roll 12"]
    assert 0 < errors["person"] < 0.8 * errors["person, unmoved"]
    assert errors["face"] < errors["person"]
    assert 0.85 < errors["sharpness in motion"] < 1.25
    reading = found["tables"]["Readings"]["roll"]
    assert reading["true / asked"] == pytest.approx(1, abs=0.15)
    assert 0.7 < reading["drawn / true"] < 1.1
    assert [record["moment"] for record in found["records"]] == ["roll +12", "roll -12"]


def test_the_report_shows_every_moment(report: Path) -> None:
    (sheet,) = report.glob("person-*.png")
    assert cv2.imread(str(sheet)) is not None
    assert "roll 12" in (report / "report.md").read_text()


def test_an_unknown_group_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No group"):
        run("--out", str(tmp_path), "--only", "jump")
