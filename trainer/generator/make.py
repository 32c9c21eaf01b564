"""Making scenes of every kind: rendered people, frames of clips, and photographs whose source is made by geometry.

What is to be shown is always as a camera saw it, or as the renderer did: geometry makes sources, never targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from engine.conventions import place, project
from engine.errors import InputError
from engine.head import HeadModel
from engine.portrait import load_portrait
from engine.regress.crops import carry_pose, tight_crop
from engine.track import Tracker
from engine.values import FACE_POINTS, Coefficients, Face, Floats, Picture
from trainer.data.shards import CROP_PX, ShardFolder
from trainer.data.synthetic import SyntheticHeads
from trainer.data.synthetic.head_state import draw_head_state
from trainer.generator.registration import registered
from trainer.generator.scenes import SourcePhoto, TargetFrame, TrainingScene
from trainer.generator.subject import CROP, SourceSubject, largest_face
from trainer.regressor.make import random_animation

SIDEWAYS_RAD = 1.0  # a source seen from farther aside than this is no portrait


class SceneMaker:
    """Makes scenes; serves one thread. ``moments``: with a target per source; one without is added to each."""

    def __init__(self, head: HeadModel, seed: int, moments: int) -> None:
        self._head, self._seed, self._moments = head, seed, moments
        self._tracker = Tracker("picture")

    def close(self) -> None:
        """Closes the tracker; may be called again."""
        self._tracker.close()

    def __enter__(self) -> SceneMaker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def synthetic(self, heads: SyntheticHeads, index: int) -> TrainingScene | None:
        """A rendered person in one light; None when no face is found in the source."""
        shown = heads.webcam_frames(index, self._moments + 1)
        rng = np.random.default_rng([self._seed, 1, index])
        return self._person_in(shown[0].image, [one.image for one in shown[1:]], shown[0].person, rng)

    def series(self, crops: ShardFolder, places: Sequence[int], number: int) -> TrainingScene | None:
        """Crops of one person, see ``series_of``: a random one as the source, others as targets."""
        rng = np.random.default_rng([self._seed, 2, places[0], number])
        chosen = rng.permutation(np.array(places))[: self._moments + 1]
        images = [crops[int(place)].image for place in chosen]
        return self._person_in(images[0], images[1:], int(crops.person[chosen[0]]), rng)

    def photograph(self, path: Path, number: int) -> TrainingScene | None:
        """A photograph as the target, and as the source what geometry makes of it in another moment."""
        rng = np.random.default_rng([self._seed, 3, number])
        portrait = load_portrait(path)
        real = SourceSubject.fitted(self._head, portrait.crop, portrait.face)
        try:
            subject = real.made_up(self._tracker, random_animation(real.coefficients, rng))
        except InputError:
            return None
        moment = describe(subject, real.coefficients, portrait.face, portrait.crop)
        return self._scene(subject, [moment], _person(path), rng)

    def _person_in(
        self, source: Picture, targets: Sequence[Picture], person: int, rng: np.random.Generator
    ) -> TrainingScene | None:
        face = largest_face(self._tracker, source)
        if face is None:
            return None
        subject = SourceSubject.fitted(self._head, source, face)
        if abs(subject.coefficients.pose[1]) > SIDEWAYS_RAD:
            return None
        moments = [moment for target in targets if (moment := self._same(subject, target)) is not None]
        return self._scene(subject, moments, person, rng) if moments else None

    def _scene(self, subject: SourceSubject, moments: list[TargetFrame], person: int, rng: np.random.Generator) -> TrainingScene:
        matte = (subject.matte * 255).round().astype(np.uint8)
        z, points = subject.coefficients.vector(), _seen(subject.face)
        own = SourcePhoto(subject.crop, matte, subject.foreground, subject.plate, z, points)
        return TrainingScene(person, own, (*moments, self._cross(subject, rng)))

    def _same(self, subject: SourceSubject, target: Picture) -> TargetFrame | None:
        face = largest_face(self._tracker, target)
        return None if face is None else describe(subject, subject.follow(face), face, target)

    def _cross(self, subject: SourceSubject, rng: np.random.Generator) -> TargetFrame:
        """Somebody else's motion: a habit, gaze and turn that this photograph has never shown."""
        moment, own = draw_head_state(rng), subject.coefficients
        expression = np.clip(moment.expression, 0, 1)
        expression[52:] = own.expression[52:]
        turn = np.concatenate([moment.turn * 0.5, np.zeros(3)]).astype(np.float32)
        z = replace(own, expression=expression.astype(np.float32), pose=own.pose + turn, gaze=moment.gaze)
        return describe(subject, z, None, None)


def describe(subject: SourceSubject, z: Coefficients, face: Face | None, target: Picture | None) -> TargetFrame:
    """Everything that geometry knows of a moment, and the ``target`` brought to where it expects it.

    Without a ``face`` its landmarks are where the head's points come to lie.
    """
    points = subject.points(z)
    expected = ((project(place(points, z.pose))[:, :2] + 1) * (CROP_PX / 2)).astype(np.float32)
    square = tight_crop(expected)
    pose = carry_pose(points[:FACE_POINTS], z.pose, CROP, square)
    prior = subject.prior(z)
    return TargetFrame(
        z.vector(),
        prior.flow.astype(np.float16),
        prior.render.copy(),
        (prior.render_weight * 255).round().astype(np.uint8),
        prior.coverage > 0,
        (expected * (2 / CROP_PX) - 1).astype(np.float32) if face is None else _seen(face),
        np.array([square.centre_x_px, square.centre_y_px, square.side_px], np.float32),
        pose,
        None if target is None else registered(target, subject.picture(prior)),
    )


def series_of(crops: ShardFolder) -> list[list[int]]:
    """Crops that show one person alike: the frames of each clip, and all photographs of somebody of whom there are several."""
    by_clip, by_person = _grouped(crops.clip), _grouped(crops.person)
    clips = [places for places in by_clip.values() if len(places) > 1]
    alone = {places[0] for places in by_clip.values() if len(places) == 1}
    albums = [[crop for crop in places if crop in alone] for places in by_person.values()]
    return clips + [places for places in albums if len(places) > 1]


def _grouped(numbers: NDArray[np.int64]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for crop, number in enumerate(numbers.tolist()):
        groups.setdefault(number, []).append(crop)
    return groups


def _seen(face: Face) -> Floats:
    return CROP.normalise(face.landmarks)[:, :2].astype(np.float32)


def _person(path: Path) -> int:
    from trainer.data.inputs import number  # the same name is the same person

    return int(number(path.stem))
