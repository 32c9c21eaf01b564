"""``hifihead run``: the first picture within a second, everything else after it."""

from __future__ import annotations

import contextlib
import functools
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from engine.picture import refuse_unreadable
from vcam.attention import Attention
from vcam.avatar import photo_path
from vcam.clock import SystemClock
from vcam.config import Settings
from vcam.config_file import default_path, read_settings, with_changes
from vcam.governor import Governor
from vcam.loop import SinkLoop
from vcam.messages import Messages, say_on_stderr
from vcam.outputs import open_first, open_preview, wants_preview
from vcam.promptness import wake_promptly
from vcam.screen import Screen
from vcam.seams import Clock, Sink
from vcam.stats import Stats

if TYPE_CHECKING:
    from vcam.live import Live


@dataclass(frozen=True)
class RunOptions:
    """The command line of ``run``; None where an option was not given."""

    avatar: Path | None = None
    camera: str | None = None
    output: str | None = None
    size: tuple[int, int] | None = None
    frames: int | None = None
    config: Path | None = None


def run(options: RunOptions) -> None:
    """Runs until ``options.frames`` pictures were sent, Ctrl-C or SIGTERM."""
    clock, stats, messages = SystemClock(), Stats(), Messages(say_on_stderr, SystemClock())
    config_path = options.config or default_path()
    in_file = read_settings(config_path) if config_path else Settings()
    settings = effective_settings(options, in_file)
    photo = options.avatar or photo_path(settings.avatar.photo, config_path)
    refuse_unreadable(photo)
    screen = Screen((settings.output.width_px, settings.output.height_px))
    # Ctrl-C may come at any moment: whatever is open by then is closed in order
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as closing:
        ended = closing.enter_context(end_on_signals())
        # the sinks, and the first picture
        sinks = open_first(settings.output, clock=clock, messages=messages)
        closing.callback(close_all, sinks)
        loop = SinkLoop(screen, sinks, settings.output.fps, clock=clock, stats=stats)
        governor = Governor(clock, lambda sentence: messages.say_rarely("quality", sentence))
        closing.callback(lambda: messages.say(f"Sent {loop.sent} pictures of the avatar."))
        to_file = settings.output.sink.startswith("file:")
        if not to_file:
            loop.tick(placeholders=True)
        recalibrate = threading.Event()
        if wants_preview(settings.output):
            state = functools.partial(state_of, loop, sinks, stats, governor)
            sinks.append(open_preview(settings.preview, state, recalibrate.set, messages))
        # everything else
        from vcam.assembly import named_models, open_live, watch_config

        models = named_models(settings, config_path)
        live = open_live(settings, photo, models, screen, governor, clock=clock, messages=messages, stats=stats)
        closing.callback(live.close)
        closing.enter_context(watch_config(config_path, in_file, live, messages))
        live.start()
        # the sink's clock, until the end
        on_demand = not settings.output.always_on and options.frames is None
        attention = attend(sinks, live, loop, messages, clock) if on_demand else None
        check = watching(live, loop, attention, recalibrate, messages, clock)
        wake_promptly()  # after the threads were started, which would inherit it
        loop.run(ended, frames=options.frames, placeholders=not to_file, check=check)


def attend(sinks: list[Sink], live: Live, loop: SinkLoop, messages: Messages, clock: Clock) -> Attention:
    """Rests everything while nobody watches any of the sinks."""

    def rest() -> None:
        live.rest()
        loop.resting = True
        messages.say("Nobody watches: the webcam is off, and the camera rests until somebody does.")

    def wake() -> None:
        loop.resting = False
        live.wake()
        messages.say("Somebody watches: the webcam is on.")

    return Attention(lambda: any(sink.watched() for sink in sinks), rest=rest, wake=wake, clock=clock)


def watching(
    live: Live,
    loop: SinkLoop,
    attention: Attention | None,
    recalibrate: threading.Event,
    messages: Messages,
    clock: Clock,
) -> Callable[[], None]:
    """What is looked at after each picture: whether a thread gave up, the avatar has just appeared, nobody watches, or the user
    asked for a new calibration."""
    started_s = clock.now()

    def check() -> None:
        if live.failure is not None:
            raise live.failure
        if loop.sent == 1:
            messages.say_rarely("live", f"The avatar is live, {clock.now() - started_s:.1f} s after the start. Ctrl-C ends.")
        if recalibrate.is_set():
            recalibrate.clear()
            live.recalibrate()
        if loop.sent and attention is not None:
            attention.look()

    return check


def effective_settings(options: RunOptions, in_file: Settings) -> Settings:
    """The file's settings with the command line's changes; raises ConfigError."""
    output: dict[str, Any] = {}
    if options.output is not None:
        output["sink"] = options.output
    if options.size is not None:
        output["width_px"], output["height_px"] = options.size
    camera = {} if options.camera is None else {"source": options.camera}
    return with_changes(in_file, {"output": output, "camera": camera})


def state_of(loop: SinkLoop, sinks: list[Sink], stats: Stats, governor: Governor) -> dict[str, Any]:
    """What the preview page shows."""
    shown = loop.newest
    latency = stats.percentiles_ms("latency")
    return {
        "state": shown.state if shown else "starting",
        "avatar": Path(shown.avatar).name if shown else "",
        "fps": round(loop.rate.per_second(), 1),
        "latency_ms": latency[0] if latency else None,
        "quality": governor.level.name,
        "engine": shown.engine if shown else "",
        "sinks": [sink.name.split(" http")[0] for sink in sinks],
        "stages": stats.table(),
    }


def close_all(sinks: list[Sink]) -> None:
    """Closes every sink, also when closing one of them fails; the first failure is raised at the end."""
    with contextlib.ExitStack() as closing:
        for sink in sinks:
            closing.callback(sink.close)


@contextlib.contextmanager
def end_on_signals() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM alike end the program: cameras closed, files completed. The event is set from then on, for an
    exception that is raised while an object is being deleted is lost."""
    ended = threading.Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        ended.set()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield ended
        return
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
