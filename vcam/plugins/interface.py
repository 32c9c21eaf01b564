"""What a plug-in is, and what it is handed.

A plug-in is a class with any of these hooks; it is made without arguments. All but ``on_audio`` run on one thread of its own.

```
start(context)               once, before everything else; may take ten seconds
on_motion(motion, time)      before a picture is drawn; a MotionFrame, whose z may be changed and returned
on_background(own, time)     own (H, W, 3), read-only: the portrait's background without the person; a Background to show instead
on_frame(picture, time)      after a picture was composed; (H, W, 3) RGB uint8, read-only; may return another one
on_sent(picture, time)       each picture as it is sent, cards and repetitions included; (H, W, 3) RGB uint8, read-only
on_audio(block, time)        (480,) float32, −1…1: 10 ms of the microphone, 48 kHz, mono; on another thread of its own
stop()                       once, at the end
```

A hook that ``start`` sets to None is not asked. ``time`` is on the clock of ``PluginContext.now`` [s]; for sound the moment of
the block's first sample. Class attributes:

```
Settings    a PluginSettings
order       0…100: those with smaller numbers come first; among equals the names decide. 50 without it
budget_ms   what on_motion and on_frame may take, typically; 5 without it
install     what to type when a package that ``start`` imports is missing
```

No hook is handed a picture of the webcam, nor a face: motion is numbers, pictures are drawn from the portrait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import Field

from engine.values import Picture
from vcam.config import Section
from vcam.snapshot import Listener, Snapshot

HOOKS = ("start", "on_motion", "on_background", "on_frame", "on_sent", "on_audio", "stop")
DEFAULT_ORDER, DEFAULT_BUDGET_MS = 50, 5.0
SOUND_RATE_HZ, SOUND_BLOCK = 48_000, 480


class PluginSettings(Section):
    """Base of a plug-in's ``Settings``: the section [plugins.NAME] of the settings file. Descriptions of fields are shown."""

    enabled: bool = Field(False, description="whether the plug-in is on")


@dataclass(frozen=True)
class Background:
    """What is shown behind the person.

    picture     (H, W, 3) RGB uint8, of the output's size
    light_wrap  0…1, how much of its light reaches around the person's edge
    for_s       after so many seconds ``on_background`` is asked again; None = only for another portrait
    """

    picture: Picture
    light_wrap: float = 0.0
    for_s: float | None = None


S_co = TypeVar("S_co", bound=PluginSettings, covariant=True)


@dataclass(frozen=True)
class Controls:
    """What a plug-in may ask of the program, as of ``vcam.session.Session``. May be called from any of its threads.

    Raise HifiHeadError when they cannot be carried out. What is subscribed to ends with the plug-in. ``start`` must not change
    settings: the program waits for it.
    """

    set_avatar: Callable[[Path], None]
    update_settings: Callable[[Mapping[str, Mapping[str, Any]]], object]
    recalibrate: Callable[[], None]
    pause: Callable[[], None]
    resume: Callable[[], None]
    card: Callable[[bool], None]
    mute: Callable[[bool], None]
    switch_plugin: Callable[[str, bool], None]
    snapshot: Callable[[], Snapshot]
    subscribe: Callable[[Listener], Callable[[], None]]


@dataclass(frozen=True)
class PluginContext(Generic[S_co]):
    """What ``start`` is handed, and the plug-in may keep.

    settings  the plug-in's own
    size      width and height of the output [px]
    fps       pictures sent per second
    say       tells the user a sentence
    now       monotonic time [s]
    path      the path that a setting names; relative ones start at the settings file. Raises InputError
    controls  what may be asked of the program
    """

    settings: S_co
    size: tuple[int, int]
    fps: int
    say: Callable[[str], None]
    now: Callable[[], float]
    path: Callable[[str], Path]
    controls: Controls
