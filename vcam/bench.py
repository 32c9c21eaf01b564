"""The speed of the whole chain on the bundled portrait and drive.

The camera shows the animated portrait itself, which is tracked and followed: so the tracker sees a face that moves, no device
and no recording of a person is needed, and the live program's own threads are measured.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import cv2
import numpy as np

from engine.errors import HifiHeadError
from engine.values import Frame, Picture
from vcam.avatar import BUNDLED_PORTRAIT, Avatar
from vcam.clock import SystemClock
from vcam.config import Settings
from vcam.demo import DemoDrive, read_recording
from vcam.live import Live, Prepare
from vcam.loop import SinkLoop
from vcam.messages import Messages, say_on_stderr
from vcam.parts import live_driver, open_animator, open_tracker, prepare_avatar
from vcam.performer import Performer
from vcam.portrayer import Portrayer
from vcam.screen import Screen
from vcam.seams import Animator, Clock
from vcam.stats import Stats, resident_memory_mb

SIZE = (512, 512)
CAMERA_FPS = 30  # as webcams have, and so the most that can come out
SINK_FPS = 120  # so that waiting for the sink's clock adds little to the latency
RECORDED_FRAMES, RECORDED_STEP_S = 40, 0.1
SIDE_PX = 64  # added left and right: webcams are wide
WARM_UP_S = 1.5
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
        self._last = number
        return Frame(self._pictures[number % len(self._pictures)], time_s)

    def close(self) -> None:
        """Nothing to free."""


class NullSink:
    """Takes pictures and does nothing with them."""

    name = "nothing"

    def send(self, picture: Picture) -> None:
        """Looks at one pixel, so that the picture exists."""
        int(picture[0, 0, 0])

    def close(self) -> None:
        """Nothing to free."""


def measure(seconds: float) -> dict[str, Any]:
    """{"end_to_end": {"fps", "latency_ms": {"p50", "p95"}}, "stages": {name: {"p50_ms", "p95_ms"}}, "memory_mb"}."""
    clock, stats, messages = SystemClock(), Stats(), Messages(say_on_stderr, SystemClock())
    animator = open_animator("auto")
    avatar = prepare_avatar(animator, BUNDLED_PORTRAIT, SIZE)
    camera = LoopCamera(record(animator, avatar), CAMERA_FPS, clock)
    performer = Performer(open_tracker, live_driver(Settings()), clock=clock, messages=messages, stats=stats)
    screen = Screen(SIZE)

    def studio() -> tuple[Animator, Prepare]:
        return animator, lambda _path: avatar

    def portrayer(opened: Animator) -> Portrayer:
        return Portrayer(opened, SIZE, clock=clock, messages=messages, stats=stats)

    live = Live(BUNDLED_PORTRAIT, camera, performer, studio, portrayer, screen=screen, clock=clock, messages=messages)
    loop = SinkLoop(screen, [NullSink()], SINK_FPS, clock=clock, stats=stats)
    live.start()
    try:
        return run_for(seconds, live, loop, stats)
    finally:
        live.close()


def record(animator: Animator, avatar: Avatar) -> list[Picture]:
    """What the camera shows: the portrait, moved by the demo drive."""
    animator.use(avatar.source)
    drive = DemoDrive(avatar.coefficients, read_recording())
    motions = [drive.step(None, number * RECORDED_STEP_S) for number in range(RECORDED_FRAMES)]
    border = (0, 0, SIDE_PX, SIDE_PX, cv2.BORDER_REPLICATE)
    return [np.asarray(cv2.copyMakeBorder(animator.animate(motion.z), *border), np.uint8) for motion in motions]


def run_for(seconds: float, live: Live, loop: SinkLoop, stats: Stats) -> dict[str, Any]:
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
            window["start"], window["number"] = now, loop.newest.number if loop.newest else 0
        if "start" in window and now - window["start"] >= seconds:
            stop.set()

    loop.run(stop, frames=None, placeholders=True, check=check)
    drawn = (loop.newest.number if loop.newest else 0) - window["number"]
    return summary(drawn / (time.monotonic() - window["start"]), stats)


def summary(fps: float, stats: Stats) -> dict[str, Any]:
    """The result as it is printed."""
    stages = stats.table()
    latency = stages.pop("latency", {"p50_ms": 0.0, "p95_ms": 0.0})
    end_to_end = {"fps": round(fps, 2), "latency_ms": {"p50": latency["p50_ms"], "p95": latency["p95_ms"]}}
    return {"end_to_end": end_to_end, "stages": stages, "memory_mb": resident_memory_mb()}
