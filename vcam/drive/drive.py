"""From tracked faces to what the portrait does: regress → smooth → retarget, and what happens when no face is seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from engine.crop import square_around
from engine.values import BLINKS, EXPRESSION, GAZE, ILLUMINATION, POSE, TEXTURE, Coefficients, Face, Floats, Picture, Square
from vcam.drive.idle import alive
from vcam.drive.neutral import Neutral
from vcam.drive.retarget import Gains, retarget
from vcam.drive.smoothing import OneEuro, Smoothing

NO_IMAGE = np.zeros((1, 1, 3), np.uint8)
State = Literal["waiting", "driving", "holding", "idle", "privacy"]


class Regressor(Protocol):
    """What turns a face into coefficients; ``engine.regress`` has them."""

    def meet(self, image: Picture, face: Face, square: Square) -> None:
        """Looks at a new person."""

    def regress(self, image: Picture, face: Face, square: Square) -> Coefficients:
        """z of one frame."""


@dataclass(frozen=True)
class DriveOptions:
    """How faces become motion. Times in seconds.

    hold_s     a lost face is held so long before the portrait comes to rest
    privacy_s  after so long without a face the privacy card is shown; 0 = never
    """

    gains: Gains = field(default_factory=Gains)
    rotation: Smoothing = field(default_factory=lambda: Smoothing(1.0, 2.5))
    translation: Smoothing = field(default_factory=lambda: Smoothing(0.6, 1.5))
    expression: Smoothing = field(default_factory=lambda: Smoothing(1.0, 2.5))
    eyelids: Smoothing = field(default_factory=lambda: Smoothing(3.0, 6.0))
    gaze: Smoothing = field(default_factory=lambda: Smoothing(1.2, 3.0))
    hold_s: float = 0.7
    privacy_s: float = 0.0


@dataclass(frozen=True)
class Motion:
    """What to show now: the coefficients, and why they are what they are."""

    z: Coefficients
    state: State


class Drive:
    """One driver and one portrait. Times come from the caller's clock (capture or media time)."""

    EASE_S = 0.9  # from held to rest
    TAKE_UP_S = 0.25  # from what was shown to the driver, when a face comes (back)

    def __init__(self, source: Coefficients, regressor: Regressor, options: DriveOptions | None = None) -> None:
        self._source, self._regressor = source, regressor
        self._options = options or DriveOptions()
        self._smooth = OneEuro(*_channels(self._options))
        self._square: Square | None = None
        self._neutral: Neutral | None = None
        self._shown = source
        self._lost_s: float | None = None  # since when no face is seen
        self._taken_up_s = 0.0  # since when one is seen
        self._from = source  # what was shown when the face came or went

    def use(self, source: Coefficients) -> None:
        """Changes the portrait; what is known of the driver stays."""
        self._source = self._shown = self._from = source

    def recalibrate(self) -> None:
        """Takes the driver's next frame as the neutral one."""
        self._square = self._neutral = None
        self._smooth.reset()

    def resume(self, time_s: float) -> None:
        """After a rest: eases into idling at once, and the face counts as lost only since now."""
        self._lost_s, self._from = time_s - self._options.hold_s, self._shown

    def step(self, face: Face | None, time_s: float, image: Picture | None = None) -> Motion:
        """The motion at ``time_s``, given the face of the newest frame or None, and the frame's ``image``."""
        motion = (
            self._driven(face, time_s, NO_IMAGE if image is None else image) if face is not None else self._without_face(time_s)
        )
        self._shown = motion.z
        return motion

    def _driven(self, face: Face, time_s: float, image: Picture) -> Motion:
        if self._lost_s is not None or self._square is None:
            self._taken_up_s, self._from, self._lost_s = time_s, self._shown, None
            self._smooth.reset()
        if self._square is None:
            self._square = square_around(face)
            self._regressor.meet(image, face, self._square)
        driver = Coefficients.from_vector(self._smooth(self._regressor.regress(image, face, self._square).vector(), time_s))
        if self._neutral is None:
            self._neutral = Neutral(driver, time_s)
        self._neutral.learn(driver, time_s)
        z = retarget(self._source, driver, self._neutral, self._options.gains)
        return Motion(_between(self._from, z, (time_s - self._taken_up_s) / self.TAKE_UP_S), "driving")

    def _without_face(self, time_s: float) -> Motion:
        if self._lost_s is None:
            self._lost_s, self._from = time_s, self._shown
        if self._square is None:
            return Motion(alive(self._source, time_s), "waiting")
        gone_s = time_s - self._lost_s
        if gone_s < self._options.hold_s:
            return Motion(self._from, "holding")
        z = _between(self._from, alive(self._source, time_s), (gone_s - self._options.hold_s) / self.EASE_S)
        private = 0 < self._options.privacy_s <= gone_s
        return Motion(z, "privacy" if private else "idle")


def _between(a: Coefficients, b: Coefficients, share: float) -> Coefficients:
    if share >= 1:
        return b
    t = np.float32(max(0.0, share) ** 2 * (3 - 2 * max(0.0, share)))
    return Coefficients.from_vector(a.vector() + t * (b.vector() - a.vector()))


def _channels(options: DriveOptions) -> tuple[Floats, Floats]:
    """(261,) One-Euro settings in z's order; what does not move is smoothed as expression is, to no effect."""
    expression = [options.expression] * EXPRESSION
    expression[BLINKS] = [options.eyelids] * 2
    still = [options.expression] * 80
    pose = [options.rotation] * 3 + [options.translation] * (POSE - 3)
    by_channel = [*still, *expression, *[options.expression] * (TEXTURE + ILLUMINATION), *pose, *[options.gaze] * GAZE]
    rest, speed = zip(*((s.rest_hz, s.speed_hz) for s in by_channel), strict=True)
    return np.array(rest, np.float32), np.array(speed, np.float32)
