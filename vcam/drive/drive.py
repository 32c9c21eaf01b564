"""From observations to what the portrait does: smooth → retarget, and what happens when there is no driver."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from engine.values import BLINKS, EXPRESSION, GAZE, ILLUMINATION, POSE, TEXTURE, Coefficients, Floats
from vcam.drive.gains import Gains, Limits
from vcam.drive.gaze import GazeMap
from vcam.drive.idle import IdleLife, alive
from vcam.drive.look import looking_at_camera
from vcam.drive.neutral import Neutral, Rest
from vcam.drive.retarget import retarget
from vcam.drive.smoothing import OneEuro, Smoothing
from vcam.motion import Observation, State, displaced, motion_vector


@dataclass(frozen=True)
class DriveOptions:
    """How observations become motion. Times in seconds.

    mirror     the portrait's left moves as the driver's right
    look_at_camera  how much of the gaze goes to the camera instead of where the driver looks, 0…1
    hold_s     the expression of a lost driver is held so long before the portrait comes to rest
    privacy_s  after so long without a driver the privacy card is shown; 0 = never

    The cut-offs are the lowest that let quick motion pass. Rendered drivers at 30 frames a second, read by tracker and regressor
    (nods of 9° at 1.3 Hz, shakes of 22° at 0.8 Hz, syllables at 3.3 Hz, expressions that come in 0.2 to 0.3 s): out/in has the
    slope 0.99 in pitch, 1.01 in yaw and roll, 0.9 to 0.95 in the jaw, 0.96 to 1.0 in the other expressions, 7 to 18 ms later; a
    still face keeps a fifth of its trembling (second differences), of brows and lips a third.
    """

    gains: Gains = field(default_factory=Gains)
    limits: Limits = field(default_factory=Limits)
    mirror: bool = False
    look_at_camera: float = 0.0
    idle: IdleLife = field(default_factory=IdleLife)
    rotation: Smoothing = field(default_factory=lambda: Smoothing(1.5, 10.0))
    translation: Smoothing = field(default_factory=lambda: Smoothing(0.9, 3.0))
    expression: Smoothing = field(default_factory=lambda: Smoothing(1.5, 10.0))
    eyelids: Smoothing = field(default_factory=lambda: Smoothing(4.0, 10.0))
    gaze: Smoothing = field(default_factory=lambda: Smoothing(1.5, 6.0))
    hold_s: float = 0.7
    privacy_s: float = 0.0


class Driven(NamedTuple):
    """What to show now: z_des, and why it is what it is."""

    z: Coefficients
    state: State


class Drive:
    """One driver and one portrait. Times come from the motion source's clock (capture or media time)."""

    EASE_S = 0.9  # from held to rest
    TAKE_UP_S = 0.25  # from what was shown to the driver, when one comes (back)

    def __init__(self, source: Coefficients, options: DriveOptions | None = None) -> None:
        """``source``: z_s of the portrait."""
        self._source = source
        self._options = options or DriveOptions()
        self._smooth = OneEuro(*_channels(self._options))
        self._neutrals: dict[str, Neutral] = {}  # of each motion source's driver
        self._gaze_maps: dict[str, GazeMap] = {}  # of each motion source
        self._remembered: dict[str, Rest] = {}  # of sources whose drivers were not seen yet
        self._driver_number = 0
        self._from_source = ""  # the motion source of the last driver
        self._met = False  # whether a driver was seen since the start, or since the last calibration
        self._shown = source
        self._lost_s: float | None = None  # since when there is no driver
        self._taken_up_s = 0.0  # since when there is one
        self._from = source  # what was shown when the driver came or went

    @property
    def source(self) -> Coefficients:
        """z_s of the portrait."""
        return self._source

    def use(self, source: Coefficients) -> None:
        """Changes the portrait; what is known of the driver stays."""
        self._source = self._shown = self._from = source

    def configure(self, options: DriveOptions) -> None:
        """Changes the options; what is known of the driver stays."""
        self._options = options
        self._smooth.configure(*_channels(options))

    def rest(self, source: str) -> Rest | None:
        """What is known of the rest of a motion source's driver."""
        neutral = self._neutrals.get(source)
        return None if neutral is None else neutral.rest()

    def remember(self, source: str, rest: Rest) -> None:
        """Begins with what was known of a source's driver at an earlier start, from their next observation on."""
        self._neutrals.pop(source, None)
        self._remembered[source] = rest

    def correct_gaze(self, source: str, gaze: GazeMap) -> None:
        """From now on the gaze of that source's driver is corrected; ahead is rest."""
        self._gaze_maps[source] = gaze
        neutral = self._neutrals.get(source)
        if neutral is not None:
            neutral.gaze[:] = 0

    def forget(self) -> None:
        """Nothing is known of any driver any more."""
        self._neutrals.clear()
        self._met = False
        self._smooth.reset()

    def recalibrate(self) -> None:
        """Takes the driver's next observation as the one at rest."""
        self._neutrals.pop(self._from_source, None)
        self._met = False
        self._smooth.reset()

    def resume(self, time_s: float) -> None:
        """After a pause: eases into idling at once, and the driver counts as lost only since now."""
        self._lost_s, self._from = time_s - self._options.hold_s, self._shown

    def step(self, observation: Observation, source: str = "") -> Driven:
        """The motion at the time of an observation. ``source`` made it: each has a rest of its own, and a change fades."""
        driver = observation.driver
        shown = self._without(observation.time_s) if driver is None else self._driven(driver, observation, source)
        self._shown = shown.z
        return shown

    def _driven(self, driver: Coefficients, observation: Observation, source: str) -> Driven:
        time_s = observation.time_s
        if source != self._from_source:
            self._from_source, self._driver_number, self._met = source, observation.driver_number, False
        if observation.driver_number != self._driver_number:
            self._driver_number = observation.driver_number
            self.recalibrate()
        if self._lost_s is not None or not self._met:
            self._taken_up_s, self._from, self._lost_s, self._met = time_s, self._shown, None, True
            self._smooth.reset()
        z = displaced(self._source, motion_vector(driver)) if observation.relative else self._retargeted(driver, time_s)
        z = looking_at_camera(z, self._options.look_at_camera)
        return Driven(_between(self._from, z, (time_s - self._taken_up_s) / self.TAKE_UP_S), "driving")

    def _retargeted(self, driver: Coefficients, time_s: float) -> Coefficients:
        source = self._from_source
        if source in self._gaze_maps:
            driver = replace(driver, gaze=self._gaze_maps[source].corrected(driver.gaze))
        driver = Coefficients.from_vector(self._smooth(driver.vector(), time_s))
        if source not in self._neutrals:
            self._neutrals[source] = Neutral(driver, time_s, self._remembered.pop(source, None))
        neutral = self._neutrals[source]
        neutral.learn(driver, time_s)
        options = self._options
        return retarget(self._source, driver, neutral, options.gains, options.limits, mirror=options.mirror)

    def _without(self, time_s: float) -> Driven:
        if self._lost_s is None:
            self._lost_s, self._from = time_s, self._shown
        if not self._met:
            return Driven(self._alive(time_s), "waiting")
        gone_s = time_s - self._lost_s
        if gone_s < self._options.hold_s:
            return Driven(self._from, "holding")
        z = _between(self._from, self._alive(time_s), (gone_s - self._options.hold_s) / self.EASE_S)
        private = 0 < self._options.privacy_s <= gone_s
        return Driven(z, "privacy" if private else "idle")

    def _alive(self, time_s: float) -> Coefficients:
        """The portrait without a driver."""
        return looking_at_camera(alive(self._source, time_s, self._options.idle), self._options.look_at_camera)


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
