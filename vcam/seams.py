"""The interfaces at which the parts of the program meet; tests put fakes here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

from engine.values import Coefficients, Corrections, Face, Picture
from engine.video import Frame

Say = Callable[[str], None]
"""Takes one sentence for the user."""


class Clock(Protocol):
    """Monotonic time in seconds."""

    def now(self) -> float: ...

    def wait_until(self, time_s: float) -> None:
        """Returns at ``time_s``, or at once when that has passed."""
        ...


class Camera(Protocol):
    """Something that delivers frames: newest wins, each frame is handed out once."""

    def take(self, timeout_s: float) -> Frame | None:
        """The newest frame not yet taken, waiting up to ``timeout_s`` for one; None when there is none."""
        ...

    def rest(self) -> None:
        """Gives the device back until ``wake``; no frames come meanwhile. Returns at once."""
        ...

    def wake(self) -> None: ...

    def close(self) -> None: ...


class FaceTracker(Protocol):
    def track(self, image: Picture, time_s: float) -> Face | None: ...

    def close(self) -> None: ...


State = Literal["waiting", "driving", "holding", "idle", "privacy"]


class Motion(Protocol):
    """What the avatar shall do at one moment: all that passes from the camera's side to the picture's side."""

    @property
    def z(self) -> Coefficients: ...

    @property
    def state(self) -> State: ...


class Driver(Protocol):
    """Turns faces into motions of one avatar; ``face`` None means that none is seen at ``time_s``."""

    def use(self, source: Coefficients) -> None:
        """Changes the portrait; what is known of the driver stays."""
        ...

    def step(self, face: Face | None, time_s: float, image: Picture | None = None) -> Motion: ...

    def recalibrate(self) -> None:
        """Takes the driver's next face as the one at rest."""
        ...

    def resume(self, time_s: float) -> None:
        """After a rest: the avatar comes alive at once, and how long the face was away before does not count."""
        ...


class Animator(Protocol):
    """Draws the avatar: ``use`` a prepared source (instant), then ``animate`` often."""

    @property
    def engine_status(self) -> str:
        """What runs the networks, and what is being built."""
        ...

    def use(self, source: Any) -> None: ...

    def animate(self, z: Coefficients, *, corrections: Corrections = "new") -> Picture: ...

    def close(self) -> None: ...


class Sink(Protocol):
    """Where pictures go. ``send`` raises DeviceError when the device is gone."""

    @property
    def name(self) -> str: ...

    def send(self, picture: Picture) -> None: ...

    def watched(self) -> bool:
        """Whether somebody takes the pictures now; True where that cannot be known. Asked often."""
        ...

    def close(self) -> None: ...
