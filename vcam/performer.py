"""The camera's side: frame → face → motion. The only part that ever holds a picture of the camera; only cues leave it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from engine.values import Coefficients, Face, Picture
from engine.video import Frame
from vcam.avatar import Avatar
from vcam.cue import Cue
from vcam.messages import Messages
from vcam.seams import Clock, Driver, FaceTracker, Motion
from vcam.slot import Slot
from vcam.stats import Stats

PATIENCE_S = 0.5  # without a new frame for so long, the face counts as not seen (a webcam in the dark gives 5 pictures/s)
REOPEN_TRACKER_S = 2.0


class Performer:
    """``offer`` an avatar, then ``step`` for every frame, or without one when none came."""

    def __init__(
        self,
        open_tracker: Callable[[], FaceTracker] | None,
        make_driver: Callable[[Coefficients], Driver],
        *,
        clock: Clock,
        messages: Messages,
        stats: Stats,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._open_tracker, self._make_driver = open_tracker, make_driver
        self._clock, self._messages, self._stats, self._patience_s = clock, messages, stats, patience_s
        self._offered: Slot[Avatar] = Slot()
        self._avatar: Avatar | None = None
        self._driver: Driver | None = None
        self._tracker: FaceTracker | None = None
        self._tracker_due_s = -REOPEN_TRACKER_S
        self._last_frame_s = clock.now()
        self._recalibrating = Event()

    def offer(self, avatar: Avatar) -> None:
        """Makes this the avatar from the next step on; may be called from any thread."""
        self._offered.put(avatar)

    def step(self, frame: Frame | None) -> Cue | None:
        """The cue of a new frame, or of the present moment; None when there is nothing to say yet. Never raises."""
        self._take_up_offer()
        if self._avatar is None:
            return None
        if frame is not None:
            self._last_frame_s = self._clock.now()
            return self._cue(self._find_face(frame), frame.time_s, captured_s=frame.time_s, image=frame.image)
        now = self._clock.now()
        return self._cue(None, now, captured_s=None) if now - self._last_frame_s >= self._patience_s else None

    def recalibrate(self) -> None:
        """The next face that is seen becomes the one at rest; may be called from any thread."""
        if self._open_tracker is None:
            self._messages.say("There is nobody to calibrate to: a recording moves the avatar.")
            return
        self._recalibrating.set()

    def resume(self) -> None:
        """After a rest: the avatar comes alive at the next step, also without a frame."""
        now = self._clock.now()
        self._last_frame_s = now - self._patience_s
        driver = self._driver
        if driver is not None:
            self._messages.attempt("drive", "Coming back", lambda: driver.resume(now))

    def prepare_tracker(self) -> bool:
        """Opens the tracker when it is not open; False while that fails, or when none is wanted."""
        now = self._clock.now()
        if self._tracker is None and self._open_tracker is not None and now - self._tracker_due_s >= REOPEN_TRACKER_S:
            self._tracker_due_s = now
            self._tracker = self._messages.attempt("tracker", "Opening the face tracker", self._open_tracker)
        return self._tracker is not None

    def close(self) -> None:
        tracker, self._tracker = self._tracker, None
        if tracker is not None:
            self._messages.attempt("tracker", "Closing the face tracker", tracker.close)

    def _take_up_offer(self) -> None:
        avatar = self._offered.take(0.0)
        if avatar is None:
            return
        if self._driver is None:
            self._driver = self._make_driver(avatar.coefficients)
            self._avatar = avatar
        elif self._messages.attempt("drive", "Changing the avatar", lambda: self._use(avatar)):
            self._avatar = avatar

    def _use(self, avatar: Avatar) -> bool:
        if self._driver is not None:
            self._driver.use(avatar.coefficients)
        return True

    def _find_face(self, frame: Frame) -> Face | None:
        if not self.prepare_tracker() or self._tracker is None:
            return None
        tracker = self._tracker
        with self._stats.measure("track"):
            found = self._messages.attempt("tracker", "Tracking the face", lambda: (tracker.track(frame.image, frame.time_s),))
        if found is None:  # it raised: a tracker in an unknown state is replaced
            self.close()
            return None
        return found[0]

    def _cue(self, face: Face | None, time_s: float, captured_s: float | None, image: Picture | None = None) -> Cue | None:
        avatar, driver = self._avatar, self._driver
        if avatar is None or driver is None:
            return None
        if face is not None and self._recalibrating.is_set():
            self._recalibrating.clear()
            self._messages.attempt("drive", "Calibrating", driver.recalibrate)
            self._messages.say("Calibrated: the face of this moment is the one at rest.")
        with self._stats.measure("drive"):
            motion: Motion | None = self._messages.attempt(
                "drive", "Following the face", lambda: driver.step(face, time_s, image)
            )
        return None if motion is None else Cue(avatar, motion, captured_s, face is not None)
