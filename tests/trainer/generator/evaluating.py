"""A small panel, a portrait and a clip of it, for the judge's tests: networks with random weights, a face moved by geometry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from engine.head import load_head
from engine.portrait import load_portrait
from engine.track import Tracker
from engine.values import EXPRESSION_NAMES, Coefficients, Picture
from tests.engine.conftest import MONA_LISA
from trainer.generator.evaluation.models import EvaluationModels
from trainer.generator.evaluation.pictures import VideoFile
from trainer.generator.perceptual import Perceptual
from trainer.generator.subject import SourceSubject
from trainer.identity import IdentityNetwork
from trainer.metrics.frechet import Lite0Features

FRAMES = 6


def make_models() -> EvaluationModels:
    torch.manual_seed(0)
    template = torch.tensor([(-0.6, -0.3), (-0.2, -0.3), (0.2, -0.3), (0.6, -0.3), (0.0, 0.3)])
    identity = IdentityNetwork(nn.Sequential(nn.AvgPool2d(2), nn.Flatten()), 16, template)
    return EvaluationModels(load_head(), Tracker("picture"), Perceptual(None), Lite0Features(None), (identity,))


def make_subject(models: EvaluationModels) -> SourceSubject:
    portrait = load_portrait(MONA_LISA)
    return SourceSubject.fitted(models.head, portrait.crop, portrait.face)


def moved(own: Coefficients, k: int) -> Coefficients:
    """A smile, a look aside and a turn that come and go, and one frame with closed eyes."""
    t = float(np.sin(2 * np.pi * k / FRAMES + 0.4))  # no two alike
    expression, gaze, pose = own.expression.copy(), own.gaze.copy(), own.pose.copy()
    for name in ("mouthSmileLeft", "mouthSmileRight", "jawOpen"):
        expression[EXPRESSION_NAMES.index(name)] += 0.3 + 0.3 * t
    expression[8:10] = k % FRAMES == 4
    gaze[[0, 2]] += 0.2 * t
    pose[:3] += np.float32(0.15 * t)
    return replace(own, expression=expression, gaze=gaze, pose=pose)


def make_clip(subject: SourceSubject, path: Path) -> Path:
    with VideoFile(path, 10) as film:
        for k in range(FRAMES):
            film.add(subject.picture(subject.prior(moved(subject.coefficients, k))))
    return path


def write_film(path: Path, pictures: list[Picture]) -> Path:
    with VideoFile(path, 10) as film:
        for picture in pictures:
            film.add(picture)
    return path
