"""Making scenes of every kind: rendered people, frames of clips, and photographs whose source is made by geometry.

What is to be shown is always as a camera saw it, or as the renderer did: geometry makes sources, never targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

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
from trainer.data.synthetic.moments import draw_moment
from trainer.generator.registration import registered
from trainer.generator.scenes import Moment, Scene, Source
from trainer.generator.sitter import CROP, Sitter, largest_face
from trainer.regressor.make import animated_moment

SIDEWAYS_RAD = 1.0  # a source seen from farther aside than this is no portrait


class SceneMaker:
    """Makes scenes; serves one thread. ``moments``: with a target per source; one without is added to each."""

    def __init__(self, head: HeadModel, seed: int, moments: int) -> None:
        self._head, self._seed, self._moments = head, seed, moments
        self._tracker = Tracker("picture")

    def synthetic(self, heads: SyntheticHeads, index: int) -> Scene | None:
        """A rendered person in one light; None when no face is found in the source."""
        takes = heads.sitting(index, self._moments + 1)
        rng = np.random.default_rng([self._seed, 1, index])
        return self._person_in(takes[0].image, [take.image for take in takes[1:]], takes[0].person, rng)

    def series(self, crops: ShardFolder, places: Sequence[int], number: int) -> Scene | None:
        """Crops of one person, see ``series_of``: a random one as the source, others as targets."""
        rng = np.random.default_rng([self._seed, 2, places[0], number])
        chosen = rng.permutation(np.array(places))[: self._moments + 1]
        images = [crops[int(place)].image for place in chosen]
        return self._person_in(images[0], images[1:], int(crops.person[chosen[0]]), rng)

    def photograph(self, path: Path, number: int) -> Scene | None:
        """A photograph as the target, and as the source what geometry makes of it in another moment."""
        rng = np.random.default_rng([self._seed, 3, number])
        portrait = load_portrait(path)
        real = Sitter.fitted(self._head, portrait.crop, portrait.face)
        try:
            sitter = real.made_up(self._tracker, animated_moment(real.coefficients, rng))
        except InputError:
            return None
        moment = describe(sitter, real.coefficients, portrait.face, portrait.crop)
        return self._scene(sitter, [moment], _person(path), rng)

    def _person_in(self, source: Picture, targets: Sequence[Picture], person: int, rng: np.random.Generator) -> Scene | None:
        face = largest_face(self._tracker, source)
        if face is None:
            return None
        sitter = Sitter.fitted(self._head, source, face)
        if abs(sitter.coefficients.pose[1]) > SIDEWAYS_RAD:
            return None
        moments = [moment for target in targets if (moment := self._same(sitter, target)) is not None]
        return self._scene(sitter, moments, person, rng) if moments else None

    def _scene(self, sitter: Sitter, moments: list[Moment], person: int, rng: np.random.Generator) -> Scene:
        matte = (sitter.matte * 255).round().astype(np.uint8)
        own = Source(sitter.crop, matte, sitter.plate, sitter.coefficients.vector(), _seen(sitter.face))
        return Scene(person, own, (*moments, self._cross(sitter, rng)))

    def _same(self, sitter: Sitter, target: Picture) -> Moment | None:
        face = largest_face(self._tracker, target)
        return None if face is None else describe(sitter, sitter.follow(face), face, target)

    def _cross(self, sitter: Sitter, rng: np.random.Generator) -> Moment:
        """Somebody else's motion: a habit, gaze and turn that this photograph has never shown."""
        moment, own = draw_moment(rng), sitter.coefficients
        expression = np.clip(moment.expression, 0, 1)
        expression[52:] = own.expression[52:]
        turn = np.concatenate([moment.turn * 0.5, np.zeros(3)]).astype(np.float32)
        z = replace(own, expression=expression.astype(np.float32), pose=own.pose + turn, gaze=moment.gaze)
        return describe(sitter, z, None, None)


def describe(sitter: Sitter, z: Coefficients, face: Face | None, target: Picture | None) -> Moment:
    """Everything that geometry knows of a moment, and the ``target`` brought to where it expects it.

    Without a ``face`` its landmarks are where the head's points come to lie.
    """
    points = sitter.points(z)
    expected = ((project(place(points, z.pose))[:, :2] + 1) * (CROP_PX / 2)).astype(np.float32)
    square = tight_crop(expected)
    pose = carry_pose(points[:FACE_POINTS], z.pose, CROP, square)
    prior = sitter.prior(z)
    return Moment(
        z.vector(),
        prior.flow.astype(np.float16),
        prior.render.copy(),
        (prior.render_weight * 255).round().astype(np.uint8),
        prior.coverage > 0,
        (expected * (2 / CROP_PX) - 1).astype(np.float32) if face is None else _seen(face),
        np.array([square.centre_x_px, square.centre_y_px, square.side_px], np.float32),
        pose,
        None if target is None else registered(target, sitter.picture(prior)),
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
