"""Rendering a video to a video: every driving frame gives exactly one output frame, by the same stages as the live camera."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field

from engine.errors import HifiHeadError
from engine.values import Picture
from engine.video import Frame
from vcam.pipeline.driving import DrivingStage
from vcam.pipeline.rendering import RenderStage
from vcam.session import Session

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
class RenderReport:
    """What ``render --report`` writes. ``frames`` were read and written; ``faces`` is in how many a face was found.

    ``promised_frames`` are those that the driving video's head counts, 0 when it does not; ``faults`` is how often something of
    it could not be read or decoded, or was decoded with errors. ``fps`` is how many frames a second were rendered,
    ``driving_fps`` how many a second of video has.
    ``states`` has one word per frame.
    """

    avatar: str
    driving: str
    output: str
    frames: int = 0
    promised_frames: int = 0
    faults: int = 0
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
    session: Session, frames: Iterable[Frame], send: SendAt, *, report: RenderReport, progress: Callable[[int], None]
) -> None:
    """Renders all frames; completes ``report``. The session's clock must be a ``MediaClock`` and its messages strict: unlike the
    live camera this does not go on after a failure, it raises."""
    builder = session.builder
    parts = {"clock": builder.clock, "messages": builder.messages, "stats": builder.stats}
    animator, avatar = session.open_avatar()
    report.notes.extend(avatar.notes)
    tracking = builder.tracking()
    session.own(tracking)
    driving = DrivingStage(builder.drive_options(), **parts)  # type: ignore[arg-type]
    driving.use(avatar.id, avatar.coefficients)
    rendering = RenderStage(animator, builder.size, **parts)  # type: ignore[arg-type]
    rendering.add(avatar)
    start_s = time.perf_counter()
    for frame in frames:
        builder.clock.wait_until(frame.time_s)
        motion = driving.step(tracking.observe(frame), report.driving)
        output = None if motion is None else rendering.render(motion)
        if motion is None or output is None:
            raise HifiHeadError(f"Frame {report.frames} of {report.driving} could not be followed; nothing was written.")
        with builder.stats.measure("send"):
            send(output.picture, frame.time_s)
        report.frames += 1
        report.faces += motion.state == "driving"
        report.states.append(motion.state)
        progress(report.frames)
    report.seconds = round(time.perf_counter() - start_s, 3)
    report.fps = round(report.frames / max(report.seconds, 1e-6), 2)
    report.stages = builder.stats.table()
    report.state_counts = dict(Counter(report.states))
