"""Camera → face → the driver's coefficients. The only part of the program, beside the cameras themselves, that ever holds a
picture of the camera; what leaves it are observations, which are numbers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from engine.crop import square_around
from engine.resource import Resource
from engine.values import Coefficients, Face, Picture, Square
from engine.video import Frame
from vcam.interfaces import Clock, Closable
from vcam.messages import Messages
from vcam.motion import Observation, Priority
from vcam.stats import Stats

REOPEN_TRACKER_S = 2.0


class Camera(Closable, Protocol):
    """Something that delivers frames: newest wins, each frame is handed out once."""

    def start(self) -> None:
        """Begins to capture, on a thread of its own. Returns at once."""
        ...

    def take(self, timeout_s: float) -> Frame | None:
        """The newest frame not yet taken, waiting up to ``timeout_s`` for one; None when there is none."""
        ...

    def rest(self) -> None:
        """Gives the device back until ``wake``; no frames come meanwhile. Returns at once."""
        ...

    def wake(self) -> None: ...


class FaceTracker(Closable, Protocol):
    """``engine.track.Tracker``: ``person`` rises when somebody else is followed."""

    @property
    def person(self) -> int: ...

    def track(self, image: Picture, time_s: float) -> Face | None: ...


class FaceRegressor(Closable, Protocol):
    """``engine.regress.Regressor``: ``image`` is the frame in which the face was tracked."""

    def meet(self, image: Picture, face: Face, square: Square) -> None: ...

    def regress(self, image: Picture, face: Face, square: Square) -> Coefficients: ...


class TrackingStage(Resource):
    """Face tracker and regressor, opened when first needed and closed with the stage. Belongs to one thread."""

    def __init__(
        self,
        open_tracker: Callable[[], FaceTracker],
        open_regressor: Callable[[], FaceRegressor],
        *,
        clock: Clock,
        messages: Messages,
        stats: Stats,
    ) -> None:
        self._open_tracker, self._open_regressor = open_tracker, open_regressor
        self._clock, self._messages, self._stats = clock, messages, stats
        self._tracker: FaceTracker | None = None
        self._tracker_due_s = -REOPEN_TRACKER_S
        self._regressor: FaceRegressor | None = None
        self._square: Square | None = None  # of the picture, around the driver's head when it was met
        self._met_in: tuple[int, int] = (0, 0)  # width and height of that picture
        self._person = 0  # the tracker's
        self._driver = 0  # counts those who were met unasked

    def prepare(self) -> None:
        """Opens the tracker, and the regressor; raises AssetError, ConfigError of the latter."""
        self._reopen_tracker()
        self._opened_regressor()

    def observe(self, frame: Frame) -> Observation | None:
        """What is seen in one frame; None when the regressor fails."""
        face = self._face(frame)
        if face is None:
            return Observation(None, frame.time_s)
        with self._stats.measure("regress"):
            z = self._messages.attempt("regress", "Reading the face", lambda: self._regress(frame, face))
        return None if z is None else Observation(z, frame.time_s, captured_s=frame.time_s, driver_number=self._driver)

    def use_regressor(self, regressor: FaceRegressor) -> FaceRegressor:
        """See ``MotionSource.use_regressor``."""
        before, self._regressor = self._opened_regressor(), regressor
        self.recalibrate()
        return before

    def recalibrate(self) -> None:
        """Meets the driver anew."""
        self._square = None

    def close(self) -> None:
        self._close_tracker()
        regressor, self._regressor = self._regressor, None
        if regressor is not None:
            self._messages.attempt("regress", "Closing the regressor", regressor.close)

    def _face(self, frame: Frame) -> Face | None:
        self._reopen_tracker()
        tracker = self._tracker
        if tracker is None:
            return None
        with self._stats.measure("track"):
            found = self._messages.attempt("tracker", "Tracking the face", lambda: (tracker.track(frame.image, frame.time_s),))
        if found is None:  # it raised: a tracker in an unknown state is replaced
            self._close_tracker()
            return None
        return found[0]

    def _regress(self, frame: Frame, face: Face) -> Coefficients:
        regressor = self._opened_regressor()
        if self._square is not None and (self._somebody_else() or not same_shape(face.size, self._met_in)):
            self._square, self._driver = None, self._driver + 1
        if self._square is None:
            square = square_around(face)
            regressor.meet(frame.image, face, square)
            self._square, self._met_in = square, face.size
        return regressor.regress(frame.image, face, scaled_square(self._square, face.size[0] / self._met_in[0]))

    def _somebody_else(self) -> bool:
        """Whether the tracker follows another person than when this was asked last."""
        person = self._tracker.person if self._tracker is not None else self._person
        changed, self._person = person != self._person, person
        return changed

    def _opened_regressor(self) -> FaceRegressor:
        if self._regressor is None:
            self._regressor = self._open_regressor()
        return self._regressor

    def _reopen_tracker(self) -> None:
        """Opens the tracker when it is not open; at most every ``REOPEN_TRACKER_S`` while that fails."""
        now = self._clock.now()
        if self._tracker is None and now - self._tracker_due_s >= REOPEN_TRACKER_S:
            self._tracker_due_s = now
            self._tracker = self._messages.attempt("tracker", "Opening the face tracker", self._open_tracker)
            self._person = 0 if self._tracker is None else self._tracker.person

    def _close_tracker(self) -> None:
        tracker, self._tracker = self._tracker, None
        if tracker is not None:
            self._messages.attempt("tracker", "Closing the face tracker", tracker.close)


def same_shape(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether two pictures, (width, height), differ in resolution only: a camera that also crops shows the driver elsewhere."""
    return abs(a[0] * b[1] - a[1] * b[0]) <= 0.02 * a[0] * b[1]


def scaled_square(square: Square, factor: float) -> Square:
    """The same square in a picture that is larger by ``factor``."""
    return square if factor == 1 else Square(square.centre_x_px * factor, square.centre_y_px * factor, square.side_px * factor)


class TrackedCamera(Resource):
    """A ``MotionSource``: the face in a camera's frames. Camera and stage are its own from the beginning, also to close."""

    follows = True
    priority = Priority.WEBCAM

    def __init__(
        self,
        name: str,
        camera: Camera,
        stage: TrackingStage,
        *,
        every: Callable[[], int],
        working: Callable[[], AbstractContextManager[None]],
        remembered_as: str | None = None,
    ) -> None:
        """``every``: the face is looked for in every so-manieth frame; ``working`` surrounds that work (``Governor``).

        ``remembered_as`` as in ``MotionSource``.
        """
        self.remembered_as = remembered_as
        self.name, self._camera, self._stage = name, camera, stage
        self._every, self._working = every, working
        self._frames = 0

    def start(self) -> None:
        """Begins to capture."""
        self._camera.start()

    def prepare(self) -> None:
        """Opens tracker and regressor; raises AssetError, ConfigError."""
        self._stage.prepare()

    def take(self, timeout_s: float) -> Observation | None:
        """What is seen of the driver in the newest frame. None without one, for a frame that is left out, and when the regressor
        fails."""
        frame = self._camera.take(timeout_s)
        if frame is None:
            return None
        self._frames += 1
        if (self._frames - 1) % self._every():
            return None
        with self._working():
            return self._stage.observe(frame)

    def use_regressor(self, regressor: FaceRegressor) -> FaceRegressor:
        """See ``MotionSource.use_regressor``."""
        return self._stage.use_regressor(regressor)

    def recalibrate(self) -> None:
        """Meets the driver anew."""
        self._stage.recalibrate()

    def rest(self) -> None:
        """Gives the camera back."""
        self._camera.rest()

    def wake(self) -> None:
        self._camera.wake()

    def close(self) -> None:
        self._camera.close()
        self._stage.close()
