"""What of a folder of photographs is used, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.animator import Animator, PreparedPortrait
from engine.photographs.selection import MOST, select
from engine.picture_file import write_picture
from engine.portrait import Portrait
from tests.engine.conftest import HOPPER, MONA_LISA
from tests.engine.photographs.test_person import OPEN, SMILE, moved


@pytest.fixture(scope="module")
def smile(tmp_path_factory: pytest.TempPathFactory, animator: Animator, hopper_source: PreparedPortrait) -> Path:
    """The portrait's person, smiling."""
    animator.use(hopper_source)
    path = tmp_path_factory.mktemp("photographs") / "smile.png"
    write_picture(path, animator.animate(moved(hopper_source.coefficients, {**SMILE, **OPEN})))
    return path


def test_what_can_be_used_is_and_the_rest_is_named_with_its_reason(
    tmp_path: Path, smile: Path, hopper: Portrait, hopper_source: PreparedPortrait
) -> None:
    grey, torn, nobody = (tmp_path / f"{name}.png" for name in ("grey", "torn", "nobody"))
    write_picture(grey, np.repeat(hopper.crop.mean(2, keepdims=True), 3, 2).astype(np.uint8))
    torn.write_bytes(smile.read_bytes()[:2000])
    write_picture(nobody, np.full((300, 300, 3), 90, np.uint8))
    ticks: list[int] = []
    selection = select(hopper_source.fit, hopper, [HOPPER, grey, torn, nobody, smile, smile], lambda: ticks.append(1))
    assert [one.path for one in selection.chosen] == [smile]
    assert len(ticks) == 6
    reasons = ("the same picture as the first", "black and white", "damaged", "No face", f"the same picture as {smile}")
    for sentence, reason in zip(selection.left_out, reasons, strict=True):
        assert reason in sentence
        assert sentence.endswith("It is left out.")


def test_another_face_in_another_light_is_left_out(hopper: Portrait, hopper_source: PreparedPortrait) -> None:
    selection = select(hopper_source.fit, hopper, [MONA_LISA])
    assert not selection.chosen
    assert str(MONA_LISA) in selection.left_out[0]


def test_no_more_are_used_than_are_measured_for(smile: Path, hopper: Portrait, hopper_source: PreparedPortrait) -> None:
    assert MOST == 12
    assert not select(hopper_source.fit, hopper, []).left_out
