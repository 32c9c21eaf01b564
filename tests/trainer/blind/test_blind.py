"""Who answers cannot know which is which, and what they answered is counted right."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from engine.errors import InputError
from tests.fakes import flat
from trainer.blind import sheet as module
from trainer.blind.answers import ANSWERS, Answer, at_least, parse_answer, record, scores
from trainer.blind.sheet import KEY, SHEET, read_pairs, write_sheet
from trainer.cli import app
from trainer.data.sheets import save_sheet

PAIRS, TILE_PX = 12, 64
COLOURS = {"before": (200, 0, 0), "after": (0, 0, 200), "source": (0, 200, 0)}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CROP_PX", TILE_PX)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name, colour in COLOURS.items():
        for number in range(PAIRS):
            save_sheet([flat(colour)[:TILE_PX, :TILE_PX]], tmp_path / name / f"{number:02d}.png")
    return tmp_path


def call(*words: object, given: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["blind", *map(str, words)], input=given)
    return result.exit_code, str(result.exception) if isinstance(result.exception, InputError) else result.output


def make(folders: Path, *more: object) -> Path:
    out = folders / "look"
    code, said = call("make", folders / "before", folders / "after", "--out", out, "--beside", folders / "source", *more)
    assert (code, f"{PAIRS} pairs" in said) == (0, True)
    return out


def key_of(folder: Path) -> dict[str, dict[str, str]]:
    pairs: dict[str, dict[str, str]] = json.loads((folder / KEY).read_text())["pairs"]
    return pairs


def test_the_key_alone_tells_what_is_where(folders: Path) -> None:
    out = make(folders)
    sheet, key = cv2.imread(str(out / SHEET))[..., ::-1], key_of(out)
    assert len({pair["pair"] for pair in key.values()}) == PAIRS
    height = sheet.shape[0] // PAIRS
    for number, pair in key.items():
        row = (int(number) - 1) * height + 20
        for place, method in enumerate(("source", pair["A"], pair["B"])):
            assert np.abs(sheet[row, place * TILE_PX + 20].astype(int) - COLOURS[method]).max() < 12
    assert {pair["A"] for pair in key.values()} == {"before", "after"}


def test_each_sheet_is_shuffled_anew_unless_a_seed_is_given(folders: Path) -> None:
    orders = [key_of(make(folders, *seed)) for seed in ([], [], ["--seed", 3], ["--seed", 3])]
    assert orders[0] != orders[1]
    assert orders[2] == orders[3]


def test_answers_are_recorded_and_scored(folders: Path) -> None:
    out = make(folders)
    right = {number: "A" if pair["A"] == "after" else "B" for number, pair in key_of(out).items()}
    wrong = {"A": "B", "B": "A"}
    said = [f"{better}!" if k < 5 else better if k < 9 else f"{wrong[better]}?" for k, better in enumerate(right.values())]
    assert call("answer", out, "--by", "Ada", "--answers", " ".join(said))[0] == 0
    assert call("answer", out, "--by", "Bob", given="\n".join(said) + "\n")[0] == 0
    found = scores(out)
    assert set(found) == {"Ada", "Bob", "all together"}
    ada = found["Ada"]
    assert (ada.method, ada.chosen, ada.pairs) == ("after", 9, PAIRS)
    assert ada.certain == {"clear": 5, "slight": 4, "a coin's toss": 0}
    assert ada.against == {"clear": 0, "slight": 0, "a coin's toss": 3}
    assert ada.chance == pytest.approx(0.073, abs=0.001)
    assert found["all together"].chosen == 18
    code, shown = call("score", out)
    assert code == 0
    assert "after: 9 of 12 (5 clear, 4 slight, 0 a coin's toss; against it" in shown


def test_guessing_is_told_from_seeing() -> None:
    assert at_least(0, 20) == 1
    assert at_least(16, 20) == pytest.approx(0.0059, abs=1e-4)
    assert at_least(1, 1) == 0.5


def test_what_does_not_fit_is_refused_and_nothing_is_lost(folders: Path) -> None:
    out = make(folders)
    record(out, "Ada", [Answer("A", "clear")] * PAIRS)
    before = (out / ANSWERS).read_bytes()
    for answers, by, reason in (("A B", "Bob", "12 pairs; got 2"), (" ".join(["A"] * PAIRS), "Ada", "answered already"),
                                ("C " * PAIRS, "Bob", "An answer is A or B")):  # fmt: skip
        code, said = call("answer", out, "--by", by, "--answers", answers)
        assert (code, reason in said) == (1, True), said
    assert (out / ANSWERS).read_bytes() == before
    assert parse_answer("b!") == Answer("B", "clear")
    with pytest.raises(InputError, match="no blind sheet"):
        scores(folders)
    with pytest.raises(InputError, match="no two pictures of one name"):
        read_pairs(folders / "before", out, [])


def test_nobody_has_answered_yet(folders: Path) -> None:
    out = folders / "new"
    write_sheet(read_pairs(folders / "before", folders / "after", []), ("before", "after"), out, np.random.default_rng(0))
    with pytest.raises(InputError, match="Nobody has answered"):
        scores(out)
