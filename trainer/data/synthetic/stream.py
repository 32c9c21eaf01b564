"""Synthetic heads as an endless stream: sample k depends on the seed and k alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.head import HeadModel, load_head
from engine.render import create_renderer
from engine.values import Coefficients, Floats, Mask, Picture
from trainer.data.synthetic.background import draw_background
from trainer.data.synthetic.camera import degrade, draw_place
from trainer.data.synthetic.head_state import HeadState, draw_head_state
from trainer.data.synthetic.light import Light, draw_light
from trainer.data.synthetic.people import draw_person
from trainer.data.synthetic.scene import SUPERSAMPLING, PersonMesh, PersonRenderer, RenderedPerson, build_person_mesh
from trainer.data.synthetic.source_map import source_map

Split = Literal["train", "test"]
TEST_PEOPLE = 1000  # people 0…999 are held out for tests
TRAIN_PEOPLE = 10_000_000
SWAY_DM = np.array([0.12, 0.06, 0.2], np.float32)  # of a head before a webcam, standard deviations
_KEPT_SCENES = 8


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture and all that is known of it.

    image      (N, N, 3) RGB uint8
    z          (261,) the exact coefficients, see ``engine.values.Coefficients``
    mask       (N, N) uint8, see ``Layer``
    landmarks  (478, 2) the tracker's points in pixels of the image (its edges at 0 and N), exact, seen or not
    person     who: the same number is the same shape, skin, hair and clothes
    """

    image: Picture
    z: Floats
    mask: NDArray[np.uint8]
    landmarks: Floats
    person: int


@dataclass(frozen=True, eq=False)
class MappedPair:
    """Two frames of one person; flow (N, N, 2) from the driving one back into the source (``engine.conventions``), exact for all
    that belongs to the person, and visible (N, N), whether the source shows it."""

    source: Sample
    driving: Sample
    flow: Floats
    visible: Mask


class SyntheticHeads:
    """Renders on demand; one object serves one thread, several with the same arguments give the same pictures."""

    def __init__(
        self,
        size: int = 256,
        seed: int = 0,
        *,
        split: Split = "train",
        people: int | None = None,
        backgrounds: Sequence[Picture] = (),
        head: HeadModel | None = None,
    ) -> None:
        """``people``: draw from only so many (default: all of the split's). ``backgrounds``: RGB pictures to use among others."""
        self.size, self.seed, self.split = size, seed, split
        self._people = people or (TRAIN_PEOPLE if split == "train" else TEST_PEOPLE)
        self._first = TEST_PEOPLE if split == "train" else 0
        self._backgrounds = backgrounds
        self.head = head or load_head()
        self._renderer_of_people = PersonRenderer(size)
        self._renderer = create_renderer("cpu", size)
        self._meshes: OrderedDict[int, PersonMesh] = OrderedDict()

    def __iter__(self) -> Iterator[Sample]:
        index = 0
        while True:
            yield self.sample(index)
            index += 1

    def sample(self, index: int) -> Sample:
        """Picture ``index`` ≥ 0."""
        rng = np.random.default_rng([self.seed, index, self.split == "test", 0])
        sample, _ = self._take(rng, self._draw_person(rng), draw_light(rng), int(rng.integers(2**62)))
        return sample

    def pair(self, index: int) -> tuple[Sample, Sample]:
        """Two frames of one video: the same person, light, background; another expression, gaze, pose and place."""
        (source, _), (driving, _) = self._frames(index)
        return source, driving

    def webcam_frames(self, index: int, count: int) -> list[Sample]:
        """``count`` frames of one person before a webcam: calm turns, and a head that stays about where it is at first."""
        rng = np.random.default_rng([self.seed, index, self.split == "test", 2])
        number, light, background = self._draw_person(rng), draw_light(rng), int(rng.integers(2**62))
        camera, mesh = int(rng.integers(2**62)), self._mesh(number)
        samples: list[Sample] = []
        seat: Floats | None = None
        for _ in range(count):
            moment = draw_head_state(rng, calm=True)
            z = self._coefficients(rng, mesh, moment, light)
            if seat is None:
                seat = z.pose[3:]
            else:
                place = seat + rng.normal(0, 1, 3) * SWAY_DM
                z = replace(z, pose=np.concatenate([z.pose[:3], place]).astype(np.float32))
            lens = np.random.default_rng(camera)  # one camera treats all frames alike
            samples.append(self._render(lens, number, z, moment.body_turn, light, background)[0])
        return samples

    def mapped_pair(self, index: int) -> MappedPair:
        """The same two frames, and where the first one shows what the second one shows."""
        (source, before), (driving, after) = self._frames(index)
        flow, visible = source_map(self._mesh(source.person), before.screen, after.screen, self._renderer)
        return MappedPair(source, driving, flow, visible)

    def _frames(self, index: int) -> tuple[tuple[Sample, RenderedPerson], tuple[Sample, RenderedPerson]]:
        rng = np.random.default_rng([self.seed, index, self.split == "test", 1])
        number, light, background = self._draw_person(rng), draw_light(rng), int(rng.integers(2**62))
        return self._take(rng, number, light, background), self._take(rng, number, light, background)

    def _draw_person(self, rng: np.random.Generator) -> int:
        return self._first + int(rng.integers(self._people))

    def _take(self, rng: np.random.Generator, number: int, light: Light, background_seed: int) -> tuple[Sample, RenderedPerson]:
        moment = draw_head_state(rng)
        z = self._coefficients(rng, self._mesh(number), moment, light)
        return self._render(rng, number, z, moment.body_turn, light, background_seed)

    def _render(
        self, camera: np.random.Generator, number: int, z: Coefficients, body_turn: Floats, light: Light, background_seed: int
    ) -> tuple[Sample, RenderedPerson]:
        background = draw_background(np.random.default_rng(background_seed), self.size * SUPERSAMPLING, self._backgrounds)
        body = np.concatenate([body_turn, z.pose[3:]]).astype(np.float32)
        rendered = self._renderer_of_people.take(self._mesh(number), z, body, light, background)
        points = self.head.landmarks(rendered.screen[: len(self.head.mean_shape)])
        landmarks = ((points[:, :2] + 1) * (self.size / 2)).astype(np.float32)
        return Sample(degrade(camera, rendered.picture), z.vector(), rendered.mask, landmarks, number), rendered

    def _coefficients(self, rng: np.random.Generator, mesh: PersonMesh, moment: HeadState, light: Light) -> Coefficients:
        person = mesh.person
        shape = person.head.shape(moment.expression, moment.gaze)
        where = draw_place(rng, self.head.landmarks(shape), moment.turn)
        pose = np.concatenate([moment.turn, where]).astype(np.float32)
        return Coefficients(person.identity, moment.expression, person.texture, light.illumination, pose, moment.gaze)

    def _mesh(self, number: int) -> PersonMesh:
        if number not in self._meshes:
            self._meshes[number] = build_person_mesh(draw_person(number, self.head), self.head)
        self._meshes.move_to_end(number)
        while len(self._meshes) > _KEPT_SCENES:
            self._meshes.popitem(last=False)
        return self._meshes[number]
