"""For tests of plug-ins: a plug-in, run by hand, in the thread of the test.

```python
with PluginRun(Mirror, strength=0.5) as run:
    picture = run.frame(portrait())
```
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from engine.errors import InputError
from engine.values import Coefficients, Floats, Picture
from vcam.motion import MotionFrame, State
from vcam.plugins.answers import lent_motion, lent_picture, taken_background, taken_motion, taken_picture
from vcam.plugins.interface import SOUND_BLOCK, SOUND_RATE_HZ, Background, Controls, PluginContext
from vcam.plugins.registry import hooks_of, settings_class
from vcam.snapshot import Listener, Snapshot

SIZE = (320, 240)


class PluginRun:
    """Starts a plug-in, asks it as the camera does, and stops it. What it raises, or answers wrongly, is raised here.

    said  what the plug-in told the user
    done  what it asked of the program, (name, arguments)
    now   the time that it is told [s]; each ``frame`` adds a thirtieth of a second
    """

    def __init__(
        self,
        plugin: type[Any],
        *,
        size: tuple[int, int] = SIZE,
        fps: int = 30,
        folder: Path | None = None,
        snapshot: Snapshot | None = None,
        **settings: Any,
    ) -> None:
        """``settings``: those of the plug-in that are not the defaults; ``folder``: where relative paths start."""
        self._plugin, self._hooks = plugin(), hooks_of(plugin)
        self._size, self._fps, self._folder = size, fps, folder or Path()
        self._settings = settings_class(plugin, plugin.__name__).model_validate({"enabled": True, **settings})
        self.snapshot = snapshot or Snapshot("driving")
        self.said: list[str] = []
        self.done: list[tuple[str, tuple[Any, ...]]] = []
        self.listeners: list[Listener] = []
        self.now = 100.0

    def __enter__(self) -> Self:
        if "start" in self._hooks:
            self._plugin.start(self.context())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if "stop" in self._hooks:
            self._plugin.stop()

    def context(self) -> PluginContext[Any]:
        """What ``start`` is handed."""
        return PluginContext(
            self._settings,
            self._size,
            self._fps,
            say=self.said.append,
            now=lambda: self.now,
            path=lambda name: self._folder / name,
            controls=self._controls(),
        )

    def motion(self, z: Coefficients | None = None, state: State = "driving") -> Coefficients:
        """z after ``on_motion``."""
        motion = MotionFrame(z or Coefficients.neutral(), state, self.now, None, "test", 1)
        answer = self._plugin.on_motion(lent_motion(motion), self.now) if "on_motion" in self._hooks else None
        return taken_motion(motion, answer).z

    def background(self, own: Picture | None = None) -> Background | None:
        """What ``on_background`` puts behind the person; without ``own`` it replaces a grey ``portrait``."""
        before = portrait(self._size) if own is None else own
        return taken_background(before, self._plugin.on_background(lent_picture(before), self.now))

    def frame(self, picture: Picture | None = None) -> Picture:
        """The picture after ``on_frame``; without one a grey ``portrait``."""
        before = portrait(self._size) if picture is None else picture
        self.now += 1 / self._fps
        answer = self._plugin.on_frame(lent_picture(before), self.now) if "on_frame" in self._hooks else None
        return taken_picture(before, answer)

    def sent(self, picture: Picture | None = None) -> None:
        """Lets it have a picture that is sent; without one a grey ``portrait``."""
        self.now += 1 / self._fps
        self._plugin.on_sent(lent_picture(portrait(self._size) if picture is None else picture), self.now)

    def sound(self, samples: Floats) -> None:
        """Lets it hear samples (N,) in blocks, as they would come; N is a multiple of ``SOUND_BLOCK``."""
        if len(samples) % SOUND_BLOCK:
            raise InputError(f"Sound comes in blocks of {SOUND_BLOCK} samples, got {len(samples)}.")
        for block in samples.astype(np.float32).reshape(-1, SOUND_BLOCK):
            self._plugin.on_audio(block, self.now)
            self.now += SOUND_BLOCK / SOUND_RATE_HZ

    def tell(self, snapshot: Snapshot) -> None:
        """Lets listeners hear of another state of the program."""
        self.snapshot = snapshot
        for listener in tuple(self.listeners):
            listener(snapshot)

    def _controls(self) -> Controls:
        def subscribe(listener: Listener) -> Any:
            self.listeners.append(listener)
            return lambda: self.listeners.remove(listener)

        return Controls(
            set_avatar=lambda photo: self._do("set_avatar", photo),
            update_settings=lambda changes: self._do("update_settings", changes),
            recalibrate=lambda: self._do("recalibrate"),
            pause=lambda: self._do("pause"),
            resume=lambda: self._do("resume"),
            card=lambda shown: self._do("card", shown),
            mute=lambda muted: self._do("mute", muted),
            switch_plugin=lambda name, on: self._do("switch_plugin", name, on),
            snapshot=lambda: self.snapshot,
            subscribe=subscribe,
        )

    def _do(self, name: str, *arguments: Path | bool | str | Mapping[str, Any]) -> None:
        self.done.append((name, arguments))


def portrait(size: tuple[int, int] = SIZE) -> Picture:
    """A grey picture (height, width, 3), darker at the bottom, with an ellipse for a head."""
    width, height = size
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    head = (x / 0.35) ** 2 + (y / 0.6) ** 2 < 1
    shades = np.where(head, 190, 110 - 30 * y)
    return np.repeat(shades[..., None], 3, 2).astype(np.uint8)
