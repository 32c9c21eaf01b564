"""Judging puts regressors side by side."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from engine.errors import InputError
from engine.head import HeadModel
from engine.regress.network import REGRESSOR
from engine.values import BETA, EXPRESSION_NAMES, Coefficients, Face, Picture, Square
from trainer.data.synthetic import Sample, SyntheticHeads
from trainer.regressor.evaluation import measures
from trainer.regressor.evaluation.channels import BY_PREFIX, CHANNEL_GROUPS, agreement_by_group, by_group
from trainer.regressor.evaluation.command import side_by_side
from trainer.regressor.evaluation.measures import (
    ClipCurves,
    Observations,
    evaluate_clip,
    evaluate_exact,
    evaluate_motion,
    evaluate_still,
    observe,
)
from trainer.regressor.evaluation.report import show_table, write_report
from trainer.regressor.make import AnimatedFrame


class FakeTracker:
    """Finds a face in every picture that is not black."""

    def __init__(self, mode: str = "video") -> None:
        pass

    def track(self, image: np.ndarray, time_s: float) -> Face | None:  # type: ignore[type-arg]
        if not image.any():
            return None
        points = np.random.default_rng(int(time_s * 100)).uniform(10, 50, (478, 3)).astype(np.float32)
        return Face(points, np.full(52, time_s, np.float32), (64, 64))

    def find_all(self, image: np.ndarray) -> list[Face]:  # type: ignore[type-arg]
        face = self.track(image, 0.0)
        return [] if face is None else [face]

    def __enter__(self) -> FakeTracker:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Fixed:
    """Answers z0 moved by its bias, and by the frame's first score."""

    def __init__(self, bias: float) -> None:
        self.bias = bias

    def meet(self, image: Picture, face: Face, square: Square) -> None:
        pass

    def regress(self, image: Picture, face: Face, square: Square) -> Coefficients:
        z = Coefficients.neutral().vector()
        z[251:254] += self.bias + face.blendshapes[0] * np.array([1, -1, 0.5], np.float32)
        z[80:132] = face.blendshapes
        return Coefficients.from_vector(z)


REGRESSORS = {"landmarks": lambda: Fixed(0.1), "network": lambda: Fixed(0.05)}


@pytest.fixture
def fake_tracker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "Tracker", FakeTracker)


@pytest.mark.usefixtures("fake_tracker")
def test_regressors_are_judged_on_the_same_faces(head: HeadModel) -> None:
    z = Coefficients.neutral().vector()
    white, black = np.full((64, 64, 3), 255, np.uint8), np.zeros((64, 64, 3), np.uint8)
    mask, points = np.zeros((64, 64), np.uint8), np.zeros((478, 2), np.float32)
    found = evaluate_exact(head, [Sample(white, z, mask, points, 0), Sample(black, z, mask, points, 1)], REGRESSORS)
    assert found["landmarks"]["Angle"] == pytest.approx(2 * found["network"]["Angle"], rel=1e-4)
    assert found["network"]["found"] == 0.5
    still = evaluate_still([white], REGRESSORS)
    assert still["network"]["jitter_Angle"] == pytest.approx(still["landmarks"]["jitter_Angle"], rel=1e-3)


@pytest.mark.usefixtures("fake_tracker")
def test_a_constant_bias_is_no_motion(head: HeadModel) -> None:
    """Of two people whose z is off by another constant each, motion is seen exactly."""
    white = np.full((64, 64, 3), 255, np.uint8)
    rng, seen = np.random.default_rng(0), []
    for person in range(2):
        for _ in range(4):
            z = Coefficients.neutral().vector()
            z[80:144], z[251:261] = rng.uniform(0, 1, 64), rng.normal(0, 0.1, 10)
            seen.append(AnimatedFrame(white, z, person))
    answers = iter([one.z + 0.3 * one.person + 0.1 for one in seen])

    class Biased(Fixed):
        def regress(self, image: Picture, face: Face, square: Square) -> Coefficients:
            return Coefficients.from_vector(next(answers))

    found = evaluate_motion(observe(seen, {"biased": lambda: Biased(0)}))["biased"]
    assert [found[name] for name in ("Exp_named", "Angle", "Gaze")] == pytest.approx([0, 0, 0], abs=1e-5)
    assert [found[f"r {name}"] for name in ("jaw", "blink", "yaw")] == pytest.approx([1, 1, 1], abs=1e-4)


def test_no_face_in_any_picture_is_said(head: HeadModel) -> None:
    black = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(InputError, match="no face in 1 pictures"):
        observe([AnimatedFrame(black, Coefficients.neutral().vector(), 0)], REGRESSORS)


def moments(people: int, rng: np.random.Generator) -> Observations:
    """Eight moments each; "half" is wrong by half as much as "first" in everything, "lids" only there."""
    z = np.tile(Coefficients.neutral().vector(), (8 * people, 1))
    z[:, 80:132], z[:, 251:261] = rng.uniform(0, 1, (8 * people, 52)), rng.normal(0, 0.1, (8 * people, 10))
    wrong = rng.normal(0, 0.1, z.shape).astype(np.float32)
    only_lids = wrong.copy()
    only_lids[:, CHANNEL_GROUPS["lids"]] *= 0.25
    found = {"first": z + wrong, "half": z + 0.5 * wrong, "lids": z + only_lids}
    return Observations(z, found, np.repeat(np.arange(people), 8), 1.0)


def test_each_channel_is_compared_over_people() -> None:
    seen = moments(12, np.random.default_rng(0))
    ratios = by_group(seen, "first")
    assert set(ratios) == {"half", "lids"}
    for group, one in ratios["half"].items():
        assert (group, one.value) == (group, pytest.approx(0.5, abs=1e-3))
        assert one.low <= one.value <= one.high
    assert ratios["lids"]["lids"].high < 0.3
    assert ratios["lids"]["jaw"].low == pytest.approx(1, abs=1e-4)
    agreement = agreement_by_group(seen)
    assert agreement["half"]["gaze up"] > agreement["first"]["gaze up"] > 0.5


def test_every_named_expression_belongs_to_one_channel_group() -> None:
    parts = [group for group in CHANNEL_GROUPS if group in BY_PREFIX]
    places = [place for group in parts for place in CHANNEL_GROUPS[group]]
    assert len(places) == len(set(places))
    left_out = {name for k, name in enumerate(EXPRESSION_NAMES, BETA.start) if k not in places}
    assert all(name.startswith(("eyeLook", "tongue")) for name in left_out)  # what gaze says, and what no geometry shows


@pytest.mark.usefixtures("fake_tracker")
def test_a_clip_gives_curves_and_a_report(head: HeadModel, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, (64, 64))
    for _ in range(8):
        writer.write(np.full((64, 64, 3), 200, np.uint8))
    writer.release()
    curves = evaluate_clip(path, REGRESSORS, most=6)
    assert len(curves.tracker["jaw"]) == 6
    assert curves.agreement()["network"]["jaw"] == pytest.approx(1)
    measures = {"landmarks": {"Exp": 2.0}, "network": {"Exp": 1.0}}
    portraits = moments(3, np.random.default_rng(1))
    content = write_report(tmp_path / "report", measures, portraits, measures, [curves])
    assert json.loads((tmp_path / "report" / "report.json").read_text()) == content
    assert {p.name for p in (tmp_path / "report").iterdir()} == {"report.json", "errors.png", "portraits.png", "clip.png"}
    console = Console(record=True, width=100, file=(tmp_path / "table.txt").open("w"))
    show_table(console, content)
    shown = console.export_text()
    assert "clip.mp4" in shown
    assert "half / first" in shown
    console.file.close()


@pytest.mark.usefixtures("fake_tracker")
def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"no video")
    with pytest.raises(InputError, match=r"a\.mp4 cannot be read as a video"):
        evaluate_clip(path, REGRESSORS)


def test_curves_agree_channel_by_channel() -> None:
    ramp = np.arange(4, dtype=np.float32)
    curves = ClipCurves("a", {"jaw": ramp}, {"network": {"jaw": -ramp}})
    assert curves.agreement() == {"network": {"jaw": pytest.approx(-1)}}


def test_two_evaluations_give_the_same(head: HeadModel) -> None:
    """Each opens its own networks: one engine runs them from the first picture to the last."""
    heads = SyntheticHeads(256, 5, split="test", head=head)
    samples = [heads.sample(k) for k in range(2)]

    def measured() -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
        with side_by_side(head, REGRESSOR) as regressors:
            return evaluate_exact(head, samples, regressors), evaluate_still([samples[0].image], regressors)

    assert repr(measured()) == repr(measured())
