"""The driving stage: observation → motion of the present avatar. Holds no picture."""

from __future__ import annotations

from engine.values import Coefficients
from vcam.drive import Drive, DriveOptions
from vcam.drive.gaze import GazeCalibration
from vcam.drive.memory import RestMemory
from vcam.interfaces import Clock
from vcam.messages import Messages
from vcam.motion import MotionFrame, Observation
from vcam.stats import Stats

KEEP_EVERY_S = 60.0  # between writings of what is known of the drivers' rest
PATIENCE_S = 0.5  # without an observation for so long, the driver counts as gone (a webcam in the dark gives 5 pictures/s)


class DrivingStage:
    """``use`` an avatar, then ``step`` for every observation, or without one when none came. Belongs to one thread."""

    def __init__(
        self, options: DriveOptions, *, clock: Clock, messages: Messages, stats: Stats, memory: RestMemory | None = None
    ) -> None:
        """``memory``: of resting faces, from one start to the next; None = nothing is remembered."""
        self._memory = memory
        self._recalled: set[str] = set()  # sources whose rest was looked for, for the present avatar
        self._kept_s = clock.now()
        self._gaze: GazeCalibration | None = None
        self._avatar = ""
        self._options, self._clock, self._messages, self._stats = options, clock, messages, stats
        self._avatar_id = 0
        self._drive: Drive | None = None
        self._observed_s = clock.now()
        self._recalibrating = False
        self.driver_seen = False  # at the last step

    def use(self, avatar_id: int, source: Coefficients, name: str = "") -> None:
        """Drives this avatar from the next step on; ``source`` is its z_s, under ``name`` its drivers' rest is remembered."""
        self.keep()
        self._avatar_id, self._avatar, self._recalled = avatar_id, name, set()
        if self._drive is None:
            self._drive = Drive(source, self._options)
        else:
            self._drive.use(source)

    @property
    def rest(self) -> Coefficients | None:
        """z_s of the present avatar; None before the first."""
        return None if self._drive is None else self._drive.source

    def configure(self, options: DriveOptions) -> None:
        """Changes gains, smoothing and times from the next step on."""
        self._options = options
        if self._drive is not None:
            self._drive.configure(options)

    def recalibrate(self) -> None:
        """The next driver that is seen becomes the one at rest."""
        self._recalibrating = True

    def resume(self) -> None:
        """After a pause: the avatar comes alive at the next step, also without an observation."""
        now = self._clock.now()
        self._observed_s, self.driver_seen = now - PATIENCE_S, False
        if self._drive is not None:
            self._drive.resume(now)

    def look(self, x: float, y: float) -> None:
        """A dot to be looked at is shown in this direction, as of ``GazeCalibration.look``; the first begins a calibration."""
        self._gaze = self._gaze or GazeCalibration()
        self._gaze.look(x, y, self._clock.now())

    def finish_gaze(self, source: str) -> float:
        """Corrects the gaze of that source's driver from now on by what was seen; how far off the dots it is [degrees]. Raises
        InputError when it is not to be trusted."""
        calibration, self._gaze = self._gaze or GazeCalibration(), None
        gaze, off_deg = calibration.result()
        if self._drive is not None:
            self._drive.correct_gaze(source, gaze)
        if self._memory is not None:
            self._memory.keep_gaze(source, gaze)
            self._memory.save()
        return off_deg

    def forget(self) -> None:
        """Other sources move the avatar from now on: what was known of drivers is kept for the next start and forgotten here."""
        self.keep()
        self._recalled = set()
        if self._drive is not None:
            self._drive.forget()

    def keep(self) -> None:
        """Keeps the drivers' rest for the next start."""
        if self._memory is None or self._drive is None:
            return
        rests = [(source, rest) for source in self._recalled if (rest := self._drive.rest(source)) is not None]
        for source, rest in rests:
            self._memory.keep(source, self._avatar, rest)
        if rests:
            self._memory.save()

    def step(self, observation: Observation | None, source: str, *, remembered_as: str | None = None) -> MotionFrame | None:
        """The motion of an observation, or of the present moment; None when there is nothing to say yet. ``source`` names where
        observations come from, ``remembered_as`` as in ``MotionSource``."""
        drive = self._drive
        if drive is None:
            return None
        now = self._clock.now()
        if observation is not None:
            self._observed_s = now
        elif now - self._observed_s >= PATIENCE_S:
            observation = Observation(None, now)
        else:
            return None
        if observation.driver is not None and remembered_as == source:
            self._recall(drive, source, observation.driver_number)
        if observation.driver is not None and self._recalibrating:
            self._recalibrating = False
            drive.recalibrate()
            self._messages.say("Calibrated: the face of this moment is the one at rest.")
        self.driver_seen = observation.driver is not None
        if observation.driver is not None and self._gaze is not None:
            self._gaze.add(observation.driver, now)
        with self._stats.measure("drive"):
            driven = drive.step(observation, source)
        return MotionFrame(driven.z, driven.state, observation.time_s, observation.captured_s, source, self._avatar_id)

    def _recall(self, drive: Drive, source: str, driver_number: int) -> None:
        """Begins with what is remembered of a source's first driver, and keeps it now and then; later ones are strangers."""
        if self._memory is None:
            return
        now = self._clock.now()
        if driver_number:
            if source in self._recalled:
                self.keep()
                self._recalled.discard(source)
        elif source not in self._recalled:
            self._recalled.add(source)
            rest = self._memory.recall(source, self._avatar)
            if rest is not None:
                drive.remember(source, rest)
            gaze = self._memory.recall_gaze(source)
            if gaze is not None:
                drive.correct_gaze(source, gaze)
        elif now - self._kept_s >= KEEP_EVERY_S:
            self._kept_s = now
            self.keep()
