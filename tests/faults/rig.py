"""A session with real tracker, regressor, drive and generator, whose webcam, engine and sink break when they are told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.errors import DeviceError
from engine.values import Picture
from tests.fakes import Said
from tests.faults.code import HEIGHT, WIDTH, Found, LeakDetector, coded
from vcam.avatars.avatar import BUNDLED_PORTRAIT, Avatar
from vcam.build import Builder
from vcam.cameras.webcam import Webcam, WebcamFormat
from vcam.clock import SystemClock
from vcam.config import Settings
from vcam.interfaces import MotionSource
from vcam.messages import Messages
from vcam.session import Session
from vcam.snapshot import Snapshot
from vcam.watch import watching

FPS = 30
LONGEST_S = 45.0  # for anything that is waited for,
COMPILING_S = 180.0  # and for the first picture where nothing is compiled yet
SIZE = 320


class FaultyWebcam:
    """What OpenCV would open: an actor's face before the webcam, with the code. ``fault`` takes a frame's BGR picture and its
    number, and gives what is read instead; ``opens`` is called at each opening, and may raise."""

    def __init__(self) -> None:
        self.fault: Callable[[Picture, int], tuple[bool, Any]] = lambda picture, _: (True, picture)
        self.opens: Callable[[], None] = lambda: None
        self.fps = float(FPS)
        self.newest = 0
        self.released = 0
        self._scene = actor()
        self._next_s = time.monotonic()

    def open(self, number: int, wanted: WebcamFormat) -> FaultyWebcam:
        del number, wanted
        self.opens()
        return self

    def read(self) -> tuple[bool, Any]:
        self._next_s = max(self._next_s + 1 / self.fps, time.monotonic() - 0.1)
        time.sleep(max(0.0, self._next_s - time.monotonic()))
        self.newest += 1
        return self.fault(self.frame(self.newest), self.newest)

    def frame(self, number: int) -> Picture:
        """Frame ``number`` as OpenCV gives it: BGR, with the code."""
        turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 6 * np.sin(number / 12), 1)
        turn[:, 2] += (12 * np.sin(number / 17), 0)
        moved = cv2.warpAffine(self._scene, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        return np.ascontiguousarray(coded(np.asarray(moved, np.uint8), number)[..., ::-1])

    def release(self) -> None:
        self.released += 1


def actor() -> Picture:
    """(HEIGHT, WIDTH, 3) RGB: a painting's face before a plain wall."""
    photo = cv2.cvtColor(cv2.imread(str(BUNDLED_PORTRAIT)), cv2.COLOR_BGR2RGB)
    width = round(photo.shape[1] * HEIGHT / photo.shape[0])
    scene = np.full((HEIGHT, WIDTH, 3), (150, 140, 120), np.uint8)
    left = (WIDTH - width) // 2
    scene[:, left : left + width] = cv2.resize(photo, (width, HEIGHT), interpolation=cv2.INTER_AREA)
    return scene


class Faulty:
    """Hands everything on to a real part; ``fault`` is called before each call of ``method`` and may raise, wait, or answer."""

    def __init__(self, real: Any, method: str, rig: FaultRig, part: str) -> None:
        self._real, self._method, self._rig, self._part = real, method, rig, part

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if name != self._method:
            return value

        def call(*arguments: Any, **options: Any) -> Any:
            fault = self._rig.part_faults.get(self._part)
            return value(*arguments, **options) if fault is None else fault(lambda: value(*arguments, **options))

        return call


class WatchingSink:
    """Keeps what is sent for the detector. ``fault`` is called with each picture and may raise or wait."""

    placeholders = True
    name = "watching"

    def __init__(self, webcam: FaultyWebcam) -> None:
        self._webcam = webcam
        self.fault: Callable[[Picture], None] = lambda _: None
        self.viewers = True
        self.sent: list[tuple[Picture, int, float]] = []

    def send(self, picture: Picture) -> None:
        self.fault(picture)
        self.sent.append((picture.copy(), self._webcam.newest, time.monotonic()))

    def watched(self) -> bool:
        return self.viewers

    def close(self) -> None:
        pass


class ForgettingMessages(Messages):
    """Says a sentence again after ``forget``."""

    def forget(self) -> None:
        self._last_s.clear()


class FaultRig(Builder):
    """Opens the parts; ``part_faults``: {"animator" | "tracker" | "regressor": what happens instead of a call of it}."""

    def __init__(self, settings: Settings, config_path: Path) -> None:
        self.said = Said()
        clock = SystemClock()
        self.forgetting = ForgettingMessages(self.said, clock)
        super().__init__(settings, config_path, clock=clock, messages=self.forgetting)
        self.webcam = FaultyWebcam()
        self.part_faults: dict[str, Callable[[Callable[[], Any]], Any]] = {}
        self.sinks = [WatchingSink(self.webcam)]
        self.detector = LeakDetector()
        self.session: Session
        self.states: list[str] = []

    @property
    def sink(self) -> WatchingSink:
        """The first sink."""
        return self.sinks[0]

    def open_animator(self, *, strict: bool = False) -> Any:
        return Faulty(super().open_animator(strict=strict), "animate", self, "animator")

    def prepare_avatar(self, animator: Any, photo: Path, size: tuple[int, int]) -> Avatar:
        return super().prepare_avatar(animator._real, photo, size)

    def open_tracker(self) -> Any:
        return Faulty(super().open_tracker(), "track", self, "tracker")

    def open_regressor(self, *, strict: bool = False) -> Any:
        return Faulty(super().open_regressor(strict=strict), "regress", self, "regressor")

    def open_source(self) -> MotionSource:
        if self.settings.camera.source != "auto":
            return super().open_source()
        webcam = Webcam(
            lambda: 0,
            WebcamFormat(),
            clock=self.clock,
            messages=self.messages,
            stats=self.stats,
            retry_s=0.3,
            open_with=self.webcam.open,
        )
        return self.tracked("webcam", webcam, remembered_as="webcam")

    def open_sink(self, session: Session, name: str, argument: str = "", *, required: bool = True) -> Any:
        del session, argument, required
        if name == "preview":
            extra = WatchingSink(self.webcam)
            self.sinks.append(extra)
            return extra
        return self.sink

    # what tests wait for

    def until(self, condition: Callable[[], object], what: str, longest_s: float = LONGEST_S) -> None:
        """Waits until the condition is true."""
        end_s = time.monotonic() + longest_s
        while not condition():
            assert time.monotonic() < end_s, f"waited for {what}; state {self.session.snapshot().state}, said {self.said[-5:]}"
            time.sleep(0.02)

    def until_state(self, *states: str) -> None:
        """Waits until a picture of one of these states is sent."""
        self.until(lambda: self.session.snapshot().state in states, " or ".join(states))

    def until_sent(self, count: int) -> None:
        """Waits until so many more pictures were sent."""
        enough = len(self.sink.sent) + count
        self.until(lambda: len(self.sink.sent) >= enough, f"{count} pictures")

    def until_said(self, sentence: str) -> None:
        """Waits until that was said since ``forget``."""
        self.until(lambda: sentence in self.said.text, repr(sentence))

    def forget(self) -> None:
        """From now on other sentences, states and pictures count."""
        self.forgetting.forget()
        self.said.clear()
        self.states.clear()
        for sink in self.sinks:
            sink.sent.clear()

    def look(self) -> list[Found]:
        """Lets the detector look at what was sent; what it found there."""
        known = len(self.detector.found)
        sent, self.sink.sent = self.sink.sent, []
        for picture, newest, _ in sent:
            self.detector.look(picture, newest)
        return self.detector.found[known:]


@contextmanager
def running(settings: Settings, config: Path) -> Iterator[FaultRig]:
    """A session that runs on a thread of its own; what ends it is raised at the end."""
    rig, ended, problems = FaultRig(settings, config), threading.Event(), list[BaseException]()
    with Session(rig) as session:
        rig.session = session

        def listen(snapshot: Snapshot) -> None:
            rig.states.append(snapshot.state)

        session.start()
        session.subscribe(listen)

        def run() -> None:
            try:
                session.run(ended)
            except BaseException as error:  # noqa: BLE001 — raised below
                problems.append(error)

        thread = threading.Thread(target=run)
        with watching(config, settings, session, rig.messages):
            thread.start()
            try:
                rig.until(lambda: session.snapshot().state == "driving", "the first picture", COMPILING_S)
                yield rig
            finally:
                ended.set()
                thread.join(LONGEST_S)
    if problems:
        raise problems[0]


def unplugged(_picture: Picture, _number: int) -> tuple[bool, None]:
    """A webcam that gives nothing."""
    return False, None


def refuse_opening() -> None:
    """A webcam that is not there."""
    raise DeviceError("There is no camera 0, or it is in use by another program; 'hifihead devices' lists the cameras.")
