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
from engine.values import Coefficients, Face, Picture, Square
from trainer.data.synthetic import Sample, SyntheticHeads
from trainer.regressor.evaluation import measures
from trainer.regressor.evaluation.command import side_by_side
from trainer.regressor.evaluation.measures import ClipCurves, evaluate_clip, evaluate_exact, evaluate_motion, evaluate_still
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

    found = evaluate_motion(seen, {"biased": lambda: Biased(0)})["biased"]
    assert [found[name] for name in ("Exp_named", "Angle", "Gaze")] == pytest.approx([0, 0, 0], abs=1e-5)
    assert [found[f"r {name}"] for name in ("jaw", "blink", "yaw")] == pytest.approx([1, 1, 1], abs=1e-4)


def test_no_face_in_any_picture_is_said(head: HeadModel) -> None:
    black = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(InputError, match="no face in 1 pictures"):
        evaluate_motion([AnimatedFrame(black, Coefficients.neutral().vector(), 0)], REGRESSORS)


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
    content = write_report(tmp_path / "report", measures, measures, measures, [curves])
    assert json.loads((tmp_path / "report" / "report.json").read_text()) == content
    assert {p.name for p in (tmp_path / "report").iterdir()} == {"report.json", "errors.png", "portraits.png", "clip.png"}
    console = Console(record=True, width=100, file=(tmp_path / "table.txt").open("w"))
    show_table(console, content)
    assert "clip.mp4" in console.export_text()
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
    samples = [heads.sample(k) for k in range(3)]

    def measured() -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
        with side_by_side(head, REGRESSOR) as regressors:
            return evaluate_exact(head, samples, regressors), evaluate_still([samples[0].image], regressors)

    assert repr(measured()) == repr(measured())
