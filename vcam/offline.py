"""Rendering a video to a video: every driving frame gives exactly one output frame, by the same parts as the live camera."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field

from engine.errors import HifiHeadError
from engine.values import Picture
from engine.video import Frame
from vcam.avatar import Avatar
from vcam.performer import Performer
from vcam.portrayer import Portrayer
from vcam.stats import Stats

SendAt = Callable[[Picture, float], None]


class MediaClock:
    """Time is that of the frame at hand: what depends on time (fades, retries) is the same however fast the machine is."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now(self) -> float:
        return self._now_s

    def wait_until(self, time_s: float) -> None:
        self._now_s = max(self._now_s, time_s)


@dataclass
class Report:
    """What ``render --report`` writes. ``frames`` were read and written; ``faces`` is in how many a face was found.

    ``fps`` is how many frames a second were rendered, ``driving_fps`` how many a second of video has.
    ``states`` has one word per frame.
    """

    avatar: str
    driving: str
    output: str
    frames: int = 0
    faces: int = 0
    seconds: float = 0.0
    fps: float = 0.0
    driving_fps: float = 0.0
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    state_counts: dict[str, int] = field(default_factory=dict)
    states: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def render(
    frames: Iterable[Frame],
    avatar: Avatar,
    performer: Performer,
    portrayer: Portrayer,
    send: SendAt,
    *,
    clock: MediaClock,
    stats: Stats,
    report: Report,
    progress: Callable[[int], None],
) -> None:
    """Renders all frames; completes ``report``. Unlike the live camera it does not go on after a failure: it raises."""
    start_s = time.perf_counter()
    performer.offer(avatar)
    for frame in frames:
        clock.wait_until(frame.time_s)
        # perform
        cue = performer.step(frame)
        if cue is None:
            raise HifiHeadError(f"Frame {report.frames} of {report.driving} could not be followed; nothing was written.")
        # portray
        picture = portrayer.portray(cue)
        # send
        with stats.measure("send"):
            send(picture, frame.time_s)
        # account
        report.frames += 1
        report.faces += cue.face_found
        report.states.append(cue.motion.state)
        progress(report.frames)
    report.seconds = round(time.perf_counter() - start_s, 3)
    report.fps = round(report.frames / max(report.seconds, 1e-6), 2)
    report.stages = stats.table()
    report.state_counts = dict(Counter(report.states))
