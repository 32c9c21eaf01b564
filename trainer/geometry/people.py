"""A rendered person before a camera: the picture of any moment, and what each of its pixels shows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.crop import SQUARE_LIFT, SQUARE_PER_FACE, cut
from engine.head import HeadModel
from engine.render import create_renderer
from engine.values import Coefficients, Floats, Mask, Picture, Square
from trainer.data.synthetic.background import draw_background
from trainer.data.synthetic.camera import frame
from trainer.data.synthetic.light import draw_light
from trainer.data.synthetic.people import draw_person
from trainer.data.synthetic.scene import SUPERSAMPLING, PersonRenderer, build_person_mesh
from trainer.data.synthetic.source_map import source_map
from trainer.geometry.moments import BODY_SHIFT, BODY_TURN, Moment, rest

SIZE_PX = 640
SQUARE_SHARE = 0.8  # of the picture, that a portrait's square takes: it needs nothing from beyond the border


@dataclass(frozen=True, eq=False)
class TruePicture:
    """image (N, N, 3) RGB uint8; mask (N, N) ``MaskLabel``; landmarks (478, 2) [px]; screen (V, 3) of the vertices."""

    image: Picture
    mask: NDArray[np.uint8]
    landmarks: Floats
    screen: Floats

    def crop(self, square: Square, size_px: int) -> Picture:
        """The square of the image as a portrait cuts it."""
        return cut(self.image, square, size_px)


class RenderedModel:
    """One person in one light before one background, photographed with a yaw of ``start_deg``."""

    def __init__(self, number: int, head: HeadModel, start_deg: float) -> None:
        self._head = head
        self._mesh = build_person_mesh(draw_person(number, head), head)
        self._light = draw_light(np.random.default_rng([number, 1]))
        self._background = draw_background(np.random.default_rng([number, 2]), SIZE_PX * SUPERSAMPLING, ())
        self._renderer, self._rasteriser = PersonRenderer(SIZE_PX), create_renderer("cpu", SIZE_PX)
        self.rest = self._at_rest(start_deg)
        self.portrait = self.photograph(rest(start_deg))

    @property
    def depth_dm(self) -> float:
        """Of the head at rest, from the camera."""
        return 10 - float(self.rest.pose[5])

    def photograph(self, moment: Moment) -> TruePicture:
        """The person at a moment; shoulders go along a little."""
        z = moment.of_person(self.rest)
        body = self.rest.pose * np.array([1 / 3, 1 / 3, 1 / 3, 1, 1, 1], np.float32)
        body += np.concatenate([BODY_TURN * moment.turn, BODY_SHIFT * moment.shift])
        taken = self._renderer.take(self._mesh, z, body.astype(np.float32), self._light, self._background.copy())
        points = self._head.landmarks(taken.screen[: len(self._head.mean_shape)])
        landmarks = ((points[:, :2] + 1) * (SIZE_PX / 2)).astype(np.float32)
        image = (np.clip(taken.picture, 0, 1) * 255 + 0.5).astype(np.uint8)
        return TruePicture(image, taken.mask, landmarks, taken.screen)

    def newly_seen(self, now: TruePicture) -> Mask:
        """(N, N) where a picture shows what the portrait does not."""
        _, visible = source_map(self._mesh, self.portrait.screen, now.screen, self._rasteriser)
        hidden = cv2.morphologyEx((~visible).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        return np.asarray(hidden > 0)

    def _at_rest(self, start_deg: float) -> Coefficients:
        person, neutral = self._mesh.person, Coefficients.neutral()
        shape = person.head.shape(neutral.expression, neutral.gaze)
        turn = np.array([0, np.radians(start_deg), 0], np.float32)
        size = SQUARE_SHARE * 2 / SQUARE_PER_FACE
        where = frame(self._head.landmarks(shape), turn, size, np.array([0, SQUARE_LIFT * size]))
        pose = np.concatenate([turn, where]).astype(np.float32)
        return Coefficients(person.identity, neutral.expression, person.texture, self._light.illumination, pose, neutral.gaze)
