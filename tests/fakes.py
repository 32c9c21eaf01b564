"""Stand-ins for devices, models and time. Faults are scripted: each fake is told beforehand what happens when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import DeviceError, InputError
from engine.values import Coefficients, Corrections, Face, Picture, Square
from engine.video import Frame
from vcam.avatars.avatar import Avatar
from vcam.avatars.compose import Composer
from vcam.build import Builder
from vcam.clock import SystemClock
from vcam.config import PluginsSettings, Settings
from vcam.interfaces import Clock, MotionSource, PortraitAnimator, Sink
from vcam.messages import Messages
from vcam.pipeline.governor import Governor
from vcam.session import Session

MARKER = (255, 0, 255)  # the colour of webcam pictures in tests: it must never come out anywhere
AVATAR_COLOUR = (40, 120, 60)


def flat(colour: tuple[int, int, int], width: int = 64, height: int = 48) -> Picture:
    """A picture of one colour."""
    return np.full((height, width, 3), colour, np.uint8)


class FakeClock:
    """Time that passes only when somebody waits; ``at`` schedules what happens meanwhile."""

    def __init__(self) -> None:
        self.time_s = 100.0
        self._events: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> float:
        return self.time_s

    def at(self, delay_s: float, action: Callable[[], object]) -> None:
        self._events.append((self.time_s + delay_s, action))
        self._events.sort(key=lambda event: event[0])

    def wait_until(self, time_s: float) -> None:
        while self._events and self._events[0][0] <= time_s:
            due_s, action = self._events.pop(0)
            self.time_s = max(self.time_s, due_s)
            action()
        self.time_s = max(self.time_s, time_s)

    def pass_time(self, seconds: float) -> None:
        self.wait_until(self.time_s + seconds)


class Said(list[str]):
    """Collects sentences; use as ``say``."""

    def __call__(self, sentence: str) -> None:
        self.append(sentence)

    @property
    def text(self) -> str:
        return "\n".join(self)


@dataclass
class FakeCamera:
    """Hands out a marker-coloured frame per step of ``script``: True = a frame, False = none. Time passes by 1/30 s per take."""

    clock: FakeClock
    script: Iterator[bool]
    closed: bool = False
    resting: bool = False

    def start(self) -> None:
        pass

    def take(self, timeout_s: float) -> Frame | None:
        self.clock.pass_time(1 / 30)
        return Frame(flat(MARKER), self.clock.now()) if next(self.script, False) else None

    def rest(self) -> None:
        self.resting = True

    def wake(self) -> None:
        self.resting = False

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeDevice:
    """Something like ``cv2.VideoCapture``: ``reads`` says for each read whether it succeeds (an exception in it is raised)."""

    reads: Iterator[bool | Exception]
    released: bool = False

    def read(self) -> tuple[bool, Picture | None]:
        result = next(self.reads, False)
        if isinstance(result, Exception):
            raise result
        return result, flat(MARKER)[..., ::-1] if result else None

    def release(self) -> None:
        self.released = True


class FakeTracker:
    """Finds a face unless the script says None; an exception in the script is raised."""

    def __init__(self, script: Iterator[Face | Exception | None] | None = None) -> None:
        self._script = script
        self.tracked, self.person = 0, 0
        self.closed = False

    def track(self, image: Picture, time_s: float) -> Face | None:
        self.tracked += 1
        result = fake_face() if self._script is None else next(self._script, None)
        if isinstance(result, Exception):
            raise result
        return result

    def close(self) -> None:
        self.closed = True


def fake_face() -> Face:
    return Face(np.zeros((478, 3), np.float32), np.zeros(52, np.float32), (64, 48))


class FakeRegressor:
    """Says that every face is at rest. ``fail`` is raised while it is set."""

    def __init__(self) -> None:
        self.fail: Exception | None = None
        self.met = 0
        self.closed = False

    def meet(self, image: Picture, face: Face, square: Square) -> None:
        self.met += 1

    def regress(self, image: Picture, face: Face, square: Square) -> Coefficients:
        if self.fail:
            raise self.fail
        return Coefficients.neutral()

    def close(self) -> None:
        self.closed = True


@dataclass(frozen=True)
class FakeSource:
    colour: tuple[int, int, int]


class FakeAnimator:
    """Draws one flat colour per source. ``fail`` is raised by ``animate`` while it is set."""

    def __init__(self) -> None:
        self.fail: Exception | None = None
        self.source: FakeSource | None = None
        self.drawn: list[Coefficients] = []
        self.corrections: list[Corrections] = []
        self.engine_status = "paint"
        self.closed = False

    def close(self) -> None:
        self.closed = True

    def use(self, source: FakeSource) -> None:
        self.source = source

    def animate(self, z: Coefficients, *, corrections: Corrections = "new") -> Picture:
        if self.fail:
            raise self.fail
        assert self.source is not None
        self.drawn.append(z)
        self.corrections.append(corrections)
        return flat(self.source.colour, 512, 512)


@dataclass
class FakeSink:
    """Keeps what it was sent. ``faults``: for each send, None or the error it raises."""

    name: str = "fake"
    placeholders: bool = True
    faults: Iterator[Exception | None] = field(default_factory=lambda: iter(()))
    sent: list[Picture] = field(default_factory=list)
    closed: bool = False
    viewers: int = 1

    def send(self, picture: Picture) -> None:
        fault = next(self.faults, None)
        if fault is not None:
            raise fault
        self.sent.append(picture)

    def watched(self) -> bool:
        return self.viewers > 0

    def close(self) -> None:
        self.closed = True


def fake_avatar(name: str = "avatar", colour: tuple[int, int, int] = AVATAR_COLOUR, size: tuple[int, int] = (160, 128)) -> Avatar:
    """An avatar that ``FakeAnimator`` draws in one colour."""
    z = replace(Coefficients.neutral(), identity=np.full(80, float(sum(colour)), np.float32))
    return Avatar(name, FakeSource(colour), z, Composer(flat(colour, 200, 200), Square(100, 100, 120), size))


def fake_prepare(size: tuple[int, int] = (160, 128)) -> Callable[[Path], Avatar]:
    """Prepares photographs named by a colour: red.jpg, blue.jpg; "noface.jpg" has no face."""
    colours = {"red": (200, 30, 30), "blue": (30, 30, 200), "portrait": AVATAR_COLOUR}

    def prepare(path: Path) -> Avatar:
        if path.stem not in colours:
            raise InputError(f"{path} shows no face.")
        return fake_avatar(str(path), colours[path.stem], size)

    return prepare


class FakeBuilder(Builder):
    """Opens fakes. Faults and counts are set on the object, or on a subclass where only the class can be handed over.

    camera      what delivers frames, for "auto"; other settings open what they name
    opened      everything that was opened and can be closed
    """

    def __init__(
        self,
        settings: Settings | None = None,
        config_path: Path | None = None,
        *,
        clock: Clock | None = None,
        messages: Messages | None = None,
        reproducible: bool = False,
        camera: Any = None,
        governor: Governor | None = None,
    ) -> None:
        clock = clock or SystemClock()
        super().__init__(
            without_disclosure(settings or Settings()), config_path, clock=clock, messages=messages, reproducible=reproducible
        )
        self.governor = governor or self.governor
        self.camera = camera
        self.opened: list[Any] = []
        self.tracker: Callable[[], FakeTracker] = FakeTracker
        self.animator: FakeAnimator | None = None
        self.prepare: Callable[[Path], Avatar] | None = None

    def open_animator(self, *, strict: bool = False) -> PortraitAnimator:
        return self._kept(self.animator or FakeAnimator())

    @contextmanager
    def reading(self, photo: Path) -> Iterator[None]:
        yield

    def prepare_avatar(self, animator: PortraitAnimator, photo: Path, size: tuple[int, int]) -> Avatar:
        return (self.prepare or fake_prepare(size))(photo)

    def open_tracker(self) -> Any:
        return self._kept(self.tracker())

    def open_regressor(self, *, strict: bool = False) -> Any:
        return self._kept(FakeRegressor())

    def open_source(self) -> MotionSource:
        if self.settings.camera.source != "auto":
            return super().open_source()
        if self.camera is None:
            return super().with_settings(with_source(self.settings, "recording")).open_source()
        return self.tracked("camera", self.camera)

    def open_sink(self, session: Session, name: str, argument: str = "", *, required: bool = True) -> Sink:
        if name == "virtual":
            if required:
                raise DeviceError("There is no virtual camera.")
            self.messages.say("Showing the preview page only. There is no virtual camera.")
            return self._kept(FakeSink("no virtual camera"))
        return super().open_sink(session, name, argument, required=required)

    def _kept(self, resource: Any) -> Any:
        self.opened.append(resource)
        return resource


def without_disclosure(settings: Settings) -> Settings:
    """The settings with the plug-in off that is on by default and changes every picture, unless they name it."""
    sections = settings.plugins.model_dump()
    if "disclosure" not in sections:
        sections["disclosure"] = {"enabled": False}
    return settings.model_copy(update={"plugins": PluginsSettings.model_validate(sections)})


def with_source(settings: Settings, source: str) -> Settings:
    """The settings with another camera."""
    return settings.model_copy(update={"camera": settings.camera.model_copy(update={"source": source})})


def gone() -> DeviceError:
    return DeviceError("The virtual camera takes no more pictures.")


@contextmanager
def sending(send: Callable[[Picture], object], picture: Callable[[int], Picture], fps: float = 30) -> Iterator[None]:
    """Within, picture 0, 1, 2 … are sent on a thread, as a session sends them."""
    stop = threading.Event()

    def run() -> None:
        number = 0
        while not stop.wait(1 / fps):
            send(picture(number))
            number += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
