"""Voice and lips arrive together: the microphone's sound leaves as late as the picture, into a virtual microphone."""

from __future__ import annotations

import threading

from pydantic import Field

from engine.errors import DeviceError
from engine.values import Floats
from vcam.plugins import PluginContext, PluginSettings
from vcam.sound.delay import DelayLine
from vcam.sound.devices import SoundOutput, open_virtual_microphone

LOOK_S = 0.05  # how often it is looked whether to go on
FOLLOW_S = 1.0  # how often the picture's latency is read
RETRY_S = 2.0  # between attempts to open the virtual microphone
SILENT_S = 2.0  # without a block of sound: the microphone is gone, and nothing is played until it is back


class AvsyncSettings(PluginSettings):
    """[plugins.avsync]"""

    offset_ms: float = Field(
        0.0, ge=-500, le=2000, description="how much later than the picture the sound leaves; below 0 sooner"
    )
    device: str = Field(
        "", description='name of the output to play into; "" = HifiHead Mic, on Windows VB-Cable, on macOS BlackHole'
    )


class AvsyncPlugin:
    """Delays the microphone's sound as the picture is delayed, and gives it to other programs as a microphone."""

    Settings = AvsyncSettings

    def start(self, context: PluginContext[AvsyncSettings]) -> None:
        self._context = context
        self._line = DelayLine()
        self._heard_s = float("-inf")
        self._stop = threading.Event()
        self._follow_picture()
        self._threads = [
            threading.Thread(target=self._run, name="avsync", daemon=True),
            threading.Thread(target=self._follow, name="avsync latency", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def on_audio(self, block: Floats, time: float) -> None:
        self._line.hear(block, time)
        self._heard_s = self._context.now()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        """Plays, and tries again when that fails; says each thing once."""
        said = ""
        while not self._stop.is_set():
            try:
                with open_virtual_microphone(self._context.settings.device) as output:
                    self._play(output)
            except DeviceError as error:
                if str(error) != said:
                    said = str(error)
                    self._context.say(f"The plug-in 'avsync' gives no sound: {error}")
            self._stop.wait(RETRY_S)

    def _play(self, output: SoundOutput) -> None:
        """Until ``stop``: plays while something is heard."""
        while not self._stop.is_set():
            if self.goes_on():
                self._line.begin()
                output.play(self)
            else:
                output.wait(LOOK_S)

    # what is played, for the output

    @property
    def lead_s(self) -> float:
        return self._line.lead_s

    def fill(self, count: int, in_s: float) -> Floats:
        return self._line.take(count, self._context.now(), in_s)

    def goes_on(self) -> bool:
        return not self._stop.is_set() and self._context.now() - self._heard_s < SILENT_S

    # the picture

    def _follow(self) -> None:
        while not self._stop.wait(FOLLOW_S):
            self._follow_picture()

    def _follow_picture(self) -> None:
        """Delays the sound as long as pictures take; without any, as long as the last ones took."""
        latency_ms = self._context.controls.snapshot().latency_ms
        if latency_ms is not None:
            self._latency_ms = latency_ms
        self._line.delay_s = (getattr(self, "_latency_ms", 0.0) + self._context.settings.offset_ms) / 1000
