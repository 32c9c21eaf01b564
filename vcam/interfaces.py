"""The interfaces at which the parts of the program meet; tests put fakes here. Everything that is opened has ``close``."""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Any, Protocol, runtime_checkable

from engine.values import Coefficients, Corrections, Picture
from vcam.avatars.avatar import Avatar
from vcam.avatars.cutout import Backdrop
from vcam.config import Settings
from vcam.motion import MotionFrame, Observation, Priority
from vcam.protocols.face import StreamedFace

Say = Callable[[str], None]
"""Takes one sentence for the user."""


class Clock(Protocol):
    """Monotonic time in seconds."""

    def now(self) -> float: ...

    def wait_until(self, time_s: float) -> None:
        """Returns at ``time_s``, or at once when that has passed."""
        ...


class Closable(Protocol):
    """Something that was opened and must be closed; ``close`` may be called more than once."""

    def close(self) -> None: ...


class MotionSource(Closable, Protocol):
    """Where motion comes from: a tracked camera, a recording, a stream. All but ``start`` belong to the motion thread.

    name        for the user
    follows     whether a person moves it, who can be calibrated to
    priority    which source goes before which
    remembered_as  under which name the person's rest is remembered from one start to the next; None = it is not
    """

    @property
    def name(self) -> str: ...

    @property
    def follows(self) -> bool: ...

    @property
    def priority(self) -> Priority: ...

    @property
    def remembered_as(self) -> str | None: ...

    def start(self) -> None:
        """Begins; called once, from any thread. Returns at once."""
        ...

    def prepare(self) -> None:
        """Opens what takes long; called once, before the first ``take``. Raises HifiHeadError."""
        ...

    def take(self, timeout_s: float) -> Observation | None:
        """The newest observation, waiting up to ``timeout_s`` for one; None when there is none. Never raises."""
        ...

    def rest(self) -> None:
        """Gives devices back until ``wake``. May be called from any thread; returns at once."""
        ...

    def wake(self) -> None: ...

    def recalibrate(self) -> None:
        """Forgets what was learned of the driver's face."""
        ...

    def use_regressor(self, regressor: Any) -> Closable:
        """Reads faces by another regressor, which then belongs to the source. Returns what is to be closed instead: the former
        one, or ``regressor`` itself where no faces are read."""
        ...


class MotionSink(Closable, Protocol):
    """Where motion goes: another program, a recording."""

    @property
    def name(self) -> str: ...

    def send(self, observation: Observation | None, shown: StreamedFace) -> None:
        """What the source saw at this step, None when it said nothing; and what the avatar shows, as departure from rest.
        Never waits; raises HifiHeadError when there is nothing more to send to."""
        ...


class PortraitAnimator(Closable, Protocol):
    """Draws the avatar: ``use`` a prepared source (instant), then ``animate`` often."""

    @property
    def engine_status(self) -> str:
        """What runs the networks, and what is being built."""
        ...

    def use(self, source: Any) -> None: ...

    def animate(self, z: Coefficients, *, corrections: Corrections = "new") -> Picture: ...


class Sink(Closable, Protocol):
    """Where pictures go. ``send`` raises DeviceError when the device is gone.

    name          for the user
    placeholders  whether it gets the card that is shown before the avatar is ready
    """

    @property
    def name(self) -> str: ...

    @property
    def placeholders(self) -> bool: ...

    def send(self, picture: Picture) -> None: ...

    def watched(self) -> bool:
        """Whether somebody takes the pictures now; True where that cannot be known. Asked often."""
        ...


class DrawingHooks(Protocol):
    """What takes part in drawing. Never raises.

    drawing  who does; nothing is asked while it is empty
    """

    @property
    def drawing(self) -> Sized: ...

    def on_motion(self, motion: MotionFrame) -> MotionFrame:
        """The motion to draw instead."""
        ...

    def backdrop(self, avatar: Avatar) -> Backdrop | None:
        """The avatar before another background; None = before its own."""
        ...

    def on_frame(self, picture: Picture) -> Picture:
        """The picture to show instead."""
        ...


@runtime_checkable
class Configurable(Protocol):
    """A sink with settings that take effect while the camera runs."""

    def configure(self, settings: Settings) -> None: ...
