"""The judge's small parts: which frame is the source, sums, tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.values import BLINKS, Coefficients, Face
from tests.fakes import fake_face, flat
from trainer.blind.sheet import KEY, SHEET
from trainer.data.shards import CROP_PX
from trainer.generator.evaluation.experiments import file_name
from trainer.generator.evaluation.inputs import calmest, portrait_of
from trainer.generator.evaluation.metrics import MetricAccumulator, against, agreement, similarities
from trainer.generator.evaluation.models import MeasuredFace
from trainer.generator.evaluation.pictures import BLIND_ROWS, BlindComparison
from trainer.generator.evaluation.report import Table, write_data


def face(blink: float) -> Face:
    scores = np.zeros(52, np.float32)
    scores[BLINKS] = blink
    return replace(fake_face(), blendshapes=scores)


def test_the_source_is_calm_and_like_the_others() -> None:
    faces = [face(blink) for blink in (0.1, 0.2, 0.0, 0.9, 0.8, 0.7)]
    features = np.zeros((6, 4), np.float32)
    features[2] = 5  # the calmest has something before the face
    features[1] = 0.1
    assert calmest(faces) == 2
    assert portrait_of(faces, features) == 0


def test_a_picture_without_a_face_counts_against_its_method() -> None:
    accumulator = MetricAccumulator()
    accumulator.add(None, {"PSNR": 10.0})
    accumulator.add(None, {"PSNR": 20.0, "ID": 1.0})
    summary = accumulator.summary([], "FD")
    assert (summary["PSNR"], summary["ID"], summary["face found"]) == (15, 1, 0)
    assert np.isnan(summary["FD"])


def seen(blink: float) -> MeasuredFace:
    nothing = np.zeros(2, np.float32)
    return MeasuredFace(Coefficients.neutral(), face(blink).blendshapes, nothing, (nothing,), nothing)


def test_methods_are_compared_over_people_in_the_same_pictures() -> None:
    ours, theirs = MetricAccumulator(), MetricAccumulator()
    for number in range(12):
        person, hard = f"person {number // 3}", float(number % 5)
        theirs.add(None, {"PSNR": 20 + hard, "perceptual, face": 0.2 + hard, "ID": 0.9}, person)
        ours.add(None, {"PSNR": 20.5 + hard, "perceptual, face": 0.5 * (0.2 + hard)} | ({"ID": 0.8} if number else {}), person)
    found = against(ours, theirs)
    assert set(found) == {"PSNR +", "perceptual, face ×", "ID +"}
    for name, wanted in (("PSNR +", 0.5), ("perceptual, face ×", 0.5), ("ID +", -0.1)):
        assert (found[name].value, found[name].low, found[name].high) == pytest.approx((wanted,) * 3)
    few = MetricAccumulator()
    few.add(None, {"PSNR": 1.0}, "alone")
    assert against(few, few) == {}


def test_a_second_identity_network_has_its_own_column() -> None:
    one = replace(seen(0.1), identity=(np.array([1.0, 0]), np.array([0.6, 0.8])))
    other = replace(seen(0.1), identity=(np.array([0.8, 0.6]), np.array([0.6, 0.8])))
    assert similarities("ID", one, other) == {"ID": pytest.approx(0.8), "ID, second network": pytest.approx(1)}


def test_blinks_count_where_the_driver_blinks() -> None:
    driver = [seen(blink) for blink in (0.1, 0.7, 0.9, 0.1)]
    assert agreement([seen(0.6) for _ in driver], driver)["blink recall"] == 1
    assert agreement([seen(blink) for blink in (0.9, 0.2, 0.8, 0.1)], driver)["blink recall"] == 0.5
    assert "blink recall" not in agreement(driver, [seen(0.2) for _ in driver])


def test_tables_show_every_cell_and_stay_json(tmp_path: Path) -> None:
    table = Table("Table 1", "A note.", {"a<b": {"PSNR": float("inf"), "new": 1.5}, "c": {"PSNR": 20.123}})
    assert "| a<b | inf | 1.5000 |\n| c | 20.12 |  |" in table.markdown()
    assert "<th>a&lt;b</th><td>inf</td><td>1.5000</td>" in table.html()
    write_data(tmp_path, {"most": 4}, [table])
    stored = json.loads((tmp_path / "report.json").read_text(), parse_constant=pytest.fail)
    assert stored["tables"]["Table 1"] == {"a<b": {"PSNR": None, "new": 1.5}, "c": {"PSNR": 20.123}}


def test_the_blind_sheet_is_told_by_its_key_alone(tmp_path: Path) -> None:
    blind = BlindComparison("geometry", "ours")
    for _ in range(BLIND_ROWS + 5):
        blind.add(flat((0, 0, 0)), flat((0, 0, 0)), flat((0, 0, 200)), flat((200, 0, 0)))
    blind.write(tmp_path)
    sheet = cv2.imread(str(tmp_path / SHEET))
    pairs = json.loads((tmp_path / KEY).read_text())["pairs"]
    key = {number: pair["A"] for number, pair in pairs.items()}
    assert len({pair["pair"] for pair in pairs.values()}) == BLIND_ROWS
    assert set(key.values()) == {"geometry", "ours"}
    height = sheet.shape[0] // BLIND_ROWS
    for number, name in key.items():
        blue, _, red = sheet[(int(number) - 1) * height + 200, 2 * CROP_PX + 200].tolist()
        assert (red > blue) == (name == "ours")


def test_file_names_are_plain() -> None:
    assert file_name("cross-1-Ada & Co/é.jpg") == "cross-1-Ada_Co_é.jpg"
