"""The speed of the whole chain on the bundled portrait and drive, once at a webcam's pace and once as fast as it goes.

The camera shows the animated portrait itself, which is tracked and followed: so the tracker sees a face that moves, no device
and no recording of a person is needed, and the live program's own threads are measured.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from engine.errors import HifiHeadError
from engine.values import Picture
from engine.video import Frame
from vcam.avatar import BUNDLED_PORTRAIT, Avatar
from vcam.bench.engines import compare_engines, peak_gflop_per_s
from vcam.clock import SystemClock
from vcam.config import Settings
from vcam.demo import DemoDrive, read_recording
from vcam.governor import Governor
from vcam.live import Live, Prepare
from vcam.loop import SinkLoop
from vcam.messages import Messages, say_on_stderr
from vcam.parts import live_driver, open_animator, open_tracker, prepare_avatar
from vcam.performer import Performer
from vcam.portrayer import Portrayer
from vcam.promptness import wake_promptly
from vcam.screen import Screen
from vcam.seams import Animator, Clock
from vcam.stats import Stats, resident_memory_mb

SIZE = (512, 512)
FPS = 30  # of the paced run: what webcams and meetings have
UNPACED_SINK_FPS = 120  # so that waiting for the sink's clock is no limit
POLL_S = 0.0005
RECORDED_FRAMES, RECORDED_STEP_S = 40, 0.1
SIDE_PX = 64  # added left and right: webcams are wide
WARM_UP_S = 3.0  # until the engines are warm and the sink's clock is in step
GIVE_UP_S = 120.0


class LoopCamera:
    """A camera that shows the same pictures, to and fro, at ``fps``; like a webcam it has only the newest."""

    def __init__(self, pictures: list[Picture], fps: int, clock: Clock) -> None:
        self._pictures = [*pictures, *pictures[-2:0:-1]]
        self._clock, self._period_s = clock, 1 / fps
        self._start_s = clock.now()
        self._last = -1

    def take(self, timeout_s: float) -> Frame | None:
        """The frame of the present moment, or the next one."""
        del timeout_s  # the next one is always near
        number = max(self._last + 1, int((self._clock.now() - self._start_s) / self._period_s))
        time_s = self._start_s + number * self._period_s
        self._clock.wait_until(time_s)
        return self._frame(number, time_s)

    def _frame(self, number: int, time_s: float) -> Frame:
        self._last = number
        return Frame(self._pictures[number % len(self._pictures)], time_s)

    def rest(self) -> None:
        """It never does."""

    def wake(self) -> None:
        """It always is."""

    def close(self) -> None:
        """Nothing to free."""


class EagerCamera(LoopCamera):
    """The same without a pace of its own: a frame is there as soon as all but one of the last ones are drawn."""

    def __init__(self, pictures: list[Picture], drawn: Callable[[], int], clock: Clock) -> None:
        super().__init__(pictures, FPS, clock)
        self._drawn = drawn

    def take(self, timeout_s: float) -> Frame | None:
        """The next frame. One is being drawn while the next is tracked: so nothing is tracked in vain."""
        end_s = self._clock.now() + timeout_s
        while self._last + 1 - self._drawn() > 1 and self._clock.now() < end_s:
            self._clock.wait_until(self._clock.now() + POLL_S)
        return self._frame(self._last + 1, self._clock.now())


class NullSink:
    """Takes pictures and does nothing with them."""

    name = "nothing"

    def send(self, picture: Picture) -> None:
        """Looks at one pixel, so that the picture exists."""
        int(picture[0, 0, 0])

    def watched(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing to free."""


@dataclass(frozen=True)
class Scene:
    """What every run uses."""

    animator: Animator
    avatar: Avatar
    pictures: list[Picture]


@dataclass(frozen=True)
class Run:
    """One run of the chain. ``cpu``: seconds of processor time per second."""

    fps: float
    cpu: float
    stages: dict[str, dict[str, float]]


def measure(seconds: float, say: Callable[[str], None] = lambda _sentence: None) -> dict[str, Any]:
    """Everything that ``hifihead bench --json`` prints; ``say`` hears what is being done.

    {"end_to_end": {"fps", "latency_ms", "jitter_ms", "cpu_s_per_s"}, "stages": {name: {"p50_ms", "p95_ms"}}, "memory_mb",
    "unpaced": {"fps", "cpu_s_per_s"}, "engines": [...], "peak_gflop_per_s"}; pairs are {"p50", "p95"}.
    """
    animator = open_animator("auto", None, say)
    avatar = prepare_avatar(animator, BUNDLED_PORTRAIT, SIZE)
    scene = Scene(animator, avatar, record(animator, avatar))
    say(f"The whole chain at {FPS} pictures a second …")
    paced = run_chain(scene, seconds, paced=True)
    memory_mb = resident_memory_mb()
    say("… as fast as it goes …")
    unpaced = run_chain(scene, seconds / 2, paced=False)
    say("… every engine …")
    peak = peak_gflop_per_s()
    return {
        "end_to_end": {
            "fps": paced.fps,
            "latency_ms": pair(paced, "latency"),
            "jitter_ms": pair(paced, "jitter"),
            "cpu_s_per_s": paced.cpu,
        },
        "stages": {stage: times for stage, times in paced.stages.items() if stage not in ("latency", "jitter")},
        "memory_mb": memory_mb,
        "unpaced": {"fps": unpaced.fps, "cpu_s_per_s": unpaced.cpu},
        "engines": compare_engines(peak),
        "peak_gflop_per_s": peak,
    }


def pair(run: Run, stage: str) -> dict[str, float]:
    """{"p50", "p95"} of a stage [ms]."""
    times = run.stages.get(stage, {"p50_ms": 0.0, "p95_ms": 0.0})
    return {"p50": times["p50_ms"], "p95": times["p95_ms"]}


def record(animator: Animator, avatar: Avatar) -> list[Picture]:
    """What the camera shows: the portrait, moved by the demo drive."""
    animator.use(avatar.source)
    drive = DemoDrive(avatar.coefficients, read_recording())
    motions = [drive.step(None, number * RECORDED_STEP_S) for number in range(RECORDED_FRAMES)]
    border = (0, 0, SIDE_PX, SIDE_PX, cv2.BORDER_REPLICATE)
    return [np.asarray(cv2.copyMakeBorder(animator.animate(motion.z), *border), np.uint8) for motion in motions]


def run_chain(scene: Scene, seconds: float, *, paced: bool) -> Run:
    """Lets the live program's threads run, and measures them."""
    clock, stats = SystemClock(), Stats()
    messages = Messages(say_on_stderr, clock)
    performer = Performer(open_tracker, live_driver(Settings(), None, say_on_stderr), clock=clock, messages=messages, stats=stats)
    screen = Screen(SIZE)

    def studio() -> tuple[Animator, Prepare]:
        return scene.animator, lambda _path: scene.avatar

    def portrayer(opened: Animator) -> Portrayer:
        return Portrayer(opened, SIZE, clock=clock, messages=messages, stats=stats)

    governor = Governor(clock, messages.say, steady=True)  # the full work is measured, also where it is too much
    camera = LoopCamera(scene.pictures, FPS, clock) if paced else EagerCamera(scene.pictures, lambda: screen.drawn, clock)
    live = Live(
        BUNDLED_PORTRAIT,
        camera,
        performer,
        studio,
        portrayer,
        screen=screen,
        clock=clock,
        messages=messages,
        governor=governor,
        fps=FPS if paced else 1,  # without a pace nothing is late, and nothing is to be filled in
    )
    loop = SinkLoop(screen, [NullSink()], FPS if paced else UNPACED_SINK_FPS, clock=clock, stats=stats)
    live.start()
    wake_promptly()
    try:
        return run_for(seconds, live, loop, stats)
    finally:
        live.close()


def run_for(seconds: float, live: Live, loop: SinkLoop, stats: Stats) -> Run:
    """Lets the chain run, warms it up, measures."""
    stop = threading.Event()
    begin_s = time.monotonic()
    window: dict[str, float] = {}

    def check() -> None:
        now = time.monotonic()
        if live.failure is not None:
            raise live.failure
        if loop.sent == 0 and now - begin_s > GIVE_UP_S:
            raise HifiHeadError(f"No picture was drawn within {GIVE_UP_S:.0f} s.")
        if loop.sent and "first" not in window:
            window["first"] = now
        if "first" in window and "start" not in window and now - window["first"] > WARM_UP_S:
            stats.clear()
            window.update(start=now, number=loop.newest.number if loop.newest else 0, cpu=time.process_time())
        if "start" in window and now - window["start"] >= seconds:
            stop.set()

    loop.run(stop, frames=None, placeholders=True, check=check)
    spent_s = time.monotonic() - window["start"]
    drawn = (loop.newest.number if loop.newest else 0) - window["number"]
    cpu = (time.process_time() - window["cpu"]) / spent_s
    return Run(round(drawn / spent_s, 2), round(cpu, 2), stats.table())
