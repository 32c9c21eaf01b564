"""The speed of the whole chain on the bundled portrait and drive, once at a webcam's pace and once as fast as it goes.

The camera shows the animated portrait itself, which is tracked and followed: so the tracker sees a face that moves, no device
and no recording of a person is needed, and the live program's own threads are measured.
"""

from __future__ import annotations

import functools
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.errors import HifiHeadError
from engine.resource import Resource
from engine.values import Coefficients, Corrections, Picture
from engine.video import Frame
from vcam.avatars.avatar import BUNDLED_PORTRAIT, Avatar
from vcam.bench.engines import compare_engines, peak_gflop_per_s
from vcam.bench.plugins import HummingMicrophone, costs_of
from vcam.build import Builder
from vcam.config import ON_BY_DEFAULT, OutputSettings, PluginsSettings, Settings
from vcam.drive import Drive
from vcam.interfaces import Clock, MotionSource, PortraitAnimator, Sink
from vcam.pipeline.governor import Governor
from vcam.plugins.host import PluginHost
from vcam.plugins.microphone import Hearing
from vcam.session import Session
from vcam.sources.recording import RecordingSource, read_demo
from vcam.stats import resident_memory_mb

SIZE = (512, 512)
FPS = 30  # of the paced run: what webcams and meetings have
UNPACED_SINK_FPS = 120  # so that waiting for the sink's clock is no limit
LOWEST_FPS = 5
POLL_S = 0.0005
RECORDED_FRAMES, RECORDED_STEP_S = 40, 0.1
SIDE_PX = 64  # added left and right: webcams are wide
WARM_UP_S = 3.0  # until the engines are warm and the sink's clock is in step
GIVE_UP_S = 120.0
PLUGINS = (
    "lipsync",
    "background",
    "disclosure",
    "avsync",
    "recorder",
)  # of those that ship, the ones that take part in a picture


class LoopCamera(Resource):
    """A camera that shows the same pictures, to and fro, at ``fps``; like a webcam it has only the newest."""

    def __init__(self, pictures: list[Picture], fps: int, clock: Clock) -> None:
        self._pictures = [*pictures, *pictures[-2:0:-1]]
        self._clock, self._period_s = clock, 1 / fps
        self._start_s = clock.now()
        self._last = -1

    def start(self) -> None:
        """It shows them as soon as it is asked."""

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


class NullSink(Resource):
    """Takes pictures and does nothing with them."""

    name = "nothing"
    placeholders = True

    def send(self, picture: Picture) -> None:
        """Looks at one pixel, so that the picture exists."""
        int(picture[0, 0, 0])

    def watched(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing to free."""


@dataclass(frozen=True)
class LentAnimator(Resource):
    """An animator that outlives the sessions that use it: closing it does nothing."""

    animator: PortraitAnimator

    @property
    def engine_status(self) -> str:
        return self.animator.engine_status

    def use(self, source: Any) -> None:
        self.animator.use(source)

    def animate(self, z: Coefficients, *, corrections: Corrections = "new") -> Picture:
        return self.animator.animate(z, corrections=corrections)

    def close(self) -> None:
        """Its owner closes it."""


class ChainBuilder(Builder):
    """A session's parts with a loop of pictures as its camera, and sinks that do nothing."""

    def __init__(
        self,
        lender: Builder,
        animator: PortraitAnimator,
        avatar: Avatar,
        pictures: list[Picture],
        *,
        paced: bool,
        plugins: tuple[str, ...] = (),
        recordings: str = "",
    ) -> None:
        """``lender`` opens tracker and regressor; ``plugins`` are on; the recorder writes into the folder ``recordings``."""
        # without a pace nothing is late: at the lowest rate no gaps are filled in
        output = OutputSettings(sink="preview", width_px=SIZE[0], height_px=SIZE[1], fps=FPS if paced else LOWEST_FPS)
        sections: dict[str, dict[str, Any]] = {name: {"enabled": name in plugins} for name in {*ON_BY_DEFAULT, *plugins}}
        if "recorder" in plugins:
            sections["recorder"]["save_in"] = recordings
        changes = {"output": output, "plugins": PluginsSettings.model_validate(sections)}
        super().__init__(lender.settings.model_copy(update=changes), clock=lender.clock, messages=lender.messages)
        self._lender, self._animator, self._avatar = lender, animator, avatar
        self._pictures, self._paced = pictures, paced
        # the full work is measured, also where it is too much
        self.governor = Governor(self.clock, self.messages.say, steady=True)
        self.drawn: Callable[[], int] = lambda: 0

    @property
    def sink_fps(self) -> int:
        return FPS if self._paced else UNPACED_SINK_FPS

    def open_animator(self, *, strict: bool = False) -> PortraitAnimator:
        return LentAnimator(self._animator)

    @contextmanager
    def reading(self, photo: Path) -> Iterator[None]:
        yield

    def prepare_avatar(self, animator: PortraitAnimator, photo: Path, size: tuple[int, int]) -> Avatar:
        return self._avatar

    def open_tracker(self) -> Any:
        return self._lender.open_tracker()

    def open_regressor(self, *, strict: bool = False) -> Any:
        return self._lender.open_regressor(strict=strict)

    def open_microphone(self) -> Hearing:
        return HummingMicrophone(self.clock)

    def open_source(self) -> MotionSource:
        if self._paced:
            return self.tracked("loop", LoopCamera(self._pictures, FPS, self.clock))
        return self.tracked("loop", EagerCamera(self._pictures, self.drawn, self.clock))

    def open_sink(self, session: Session, name: str, argument: str = "", *, required: bool = True) -> Sink:
        self.drawn = lambda: session.drawn
        return NullSink()


@dataclass(frozen=True)
class Run:
    """One run of the chain. ``cpu``: seconds of processor time per second."""

    fps: float
    cpu: float
    stages: dict[str, dict[str, float]]


def measure(seconds: float, builder: Builder, *, plugins: bool = False) -> dict[str, Any]:
    """Everything that ``hifihead bench --json`` prints; the builder's messages hear what is being done.

    ``plugins``: once more with those of ``PLUGINS``, for {"plugins": {"end_to_end", "stages", "each": as of ``costs_of``}}.

    {"end_to_end": {"fps", "latency_ms", "jitter_ms", "cpu_s_per_s"}, "stages": {name: {"p50_ms", "p95_ms"}}, "memory_mb",
    "unpaced": {"fps", "cpu_s_per_s"}, "engines": [...], "peak_gflop_per_s"}; pairs are {"p50", "p95"}.
    """
    say = builder.messages.say
    with Session(builder, BUNDLED_PORTRAIT) as session:
        animator, avatar = session.open_avatar()
        pictures = record(animator, avatar, builder.clock)
        say(f"The whole chain at {FPS} pictures a second …")
        paced = run_chain(ChainBuilder(builder, animator, avatar, pictures, paced=True), seconds)
        memory_mb = resident_memory_mb()
        if plugins:
            with_plugins = measure_plugins(session, animator, avatar, pictures, seconds)
        say("… as fast as it goes …")
        unpaced = run_chain(ChainBuilder(builder, animator, avatar, pictures, paced=False), seconds / 2)
    say("… every engine …")
    peak = peak_gflop_per_s()
    return {
        "end_to_end": end_to_end(paced),
        "stages": stages_of(paced),
        **({"plugins": with_plugins} if plugins else {}),
        "memory_mb": memory_mb,
        "unpaced": {"fps": unpaced.fps, "cpu_s_per_s": unpaced.cpu},
        "engines": compare_engines(peak),
        "peak_gflop_per_s": peak,
    }


def measure_plugins(
    session: Session, animator: PortraitAnimator, avatar: Avatar, pictures: list[Picture], seconds: float
) -> dict[str, Any]:
    """The whole chain with all of ``PLUGINS``, and what each of them costs alone."""
    builder = session.builder
    with tempfile.TemporaryDirectory() as recordings:

        def chain(*plugins: str) -> ChainBuilder:
            return ChainBuilder(builder, animator, avatar, pictures, paced=True, plugins=plugins, recordings=recordings)

        def opened(*plugins: str) -> PluginHost:
            alone = chain(*plugins)
            host = alone.open_plugins(session.controls)
            host.begin(alone.settings.plugins.sections())
            return host

        builder.messages.say(f"… with the plug-ins {', '.join(PLUGINS)} …")
        together = run_chain(chain(*PLUGINS), seconds)
        builder.messages.say("… each of them alone …")
        hosts = {name: functools.partial(opened, *([name] if name else [])) for name in ("", *PLUGINS)}
        sent = [np.asarray(cv2.resize(picture[:, SIDE_PX:-SIDE_PX], SIZE), np.uint8) for picture in pictures]
        each = costs_of(hosts, avatar, [*sent, *sent[-2:0:-1]], builder.clock, fps=FPS, seconds=seconds / 3)
    return {"end_to_end": end_to_end(together), "stages": stages_of(together), "each": each}


def end_to_end(run: Run) -> dict[str, Any]:
    """{"fps", "latency_ms", "jitter_ms", "cpu_s_per_s"}."""
    return {"fps": run.fps, "latency_ms": pair(run, "latency"), "jitter_ms": pair(run, "jitter"), "cpu_s_per_s": run.cpu}


def stages_of(run: Run) -> dict[str, dict[str, float]]:
    """The stages' times, without what is measured over all of them."""
    return {stage: times for stage, times in run.stages.items() if stage not in ("latency", "jitter")}


def bench_settings() -> Settings:
    """The defaults, at the size that is measured."""
    return Settings(output=OutputSettings(width_px=SIZE[0], height_px=SIZE[1]))


def pair(run: Run, stage: str) -> dict[str, float]:
    """{"p50", "p95"} of a stage [ms]."""
    times = run.stages.get(stage, {"p50_ms": 0.0, "p95_ms": 0.0})
    return {"p50": times["p50_ms"], "p95": times["p95_ms"]}


def record(animator: PortraitAnimator, avatar: Avatar, clock: Clock) -> list[Picture]:
    """What the camera shows: the portrait, moved by the bundled recording."""
    animator.use(avatar.source)
    source, drive = RecordingSource("recording", read_demo(), clock), Drive(avatar.coefficients)
    motions = [drive.step(source.at(number * RECORDED_STEP_S)) for number in range(RECORDED_FRAMES)]
    border = (0, 0, SIDE_PX, SIDE_PX, cv2.BORDER_REPLICATE)
    return [np.asarray(cv2.copyMakeBorder(animator.animate(motion.z), *border), np.uint8) for motion in motions]


def run_chain(builder: ChainBuilder, seconds: float) -> Run:
    """Lets a session run, warms it up, measures."""
    stop = threading.Event()
    begin_s = time.monotonic()
    window: dict[str, float] = {}
    with Session(builder, BUNDLED_PORTRAIT) as session:

        def check() -> None:
            now = time.monotonic()
            if session.sent == 0 and now - begin_s > GIVE_UP_S:
                raise HifiHeadError(f"No picture was drawn within {GIVE_UP_S:.0f} s.")
            if session.sent and "first" not in window:
                window["first"] = now
            if "first" in window and "start" not in window and now - window["first"] > WARM_UP_S:
                builder.stats.clear()
                window.update(start=now, number=session.drawn, cpu=time.process_time())
            if "start" in window and now - window["start"] >= seconds:
                stop.set()

        session.start()
        session.run(stop, check=check)
        spent_s = time.monotonic() - window["start"]
        drawn = session.drawn - window["number"]
        cpu = (time.process_time() - window["cpu"]) / spent_s
    return Run(round(drawn / spent_s, 2), round(cpu, 2), builder.stats.table())
