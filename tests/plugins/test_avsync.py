"""The plug-in avsync: how late the voice leaves, and what it does when there is nothing to hear or to play into."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import DeviceError
from engine.values import Floats
from plugins import avsync
from plugins.avsync import AvsyncPlugin
from tests.vcam.pipewire_session import wait_until
from tests.vcam.sound_sessions import sound_session, tone_arrives
from vcam.clock import SystemClock
from vcam.messages import Messages
from vcam.plugins.microphone import Microphone
from vcam.plugins.testing import PluginRun
from vcam.snapshot import Snapshot
from vcam.sound.streams import RATE_HZ, Player
from vcam.sound.virtual_microphone import SOURCE


class Output:
    """A virtual microphone that takes 10 ms whenever the test says so."""

    def __init__(self) -> None:
        self.player: Player | None = None
        self.failure = ""
        self.devices: list[str] = []

    @contextmanager
    def open(self, device: str) -> Iterator[Output]:
        self.devices.append(device)
        if self.failure:
            raise DeviceError(self.failure)
        yield self

    def wait(self, longest_s: float) -> None:
        threading.Event().wait(0.001)

    def play(self, player: Player) -> None:
        self.player = player
        while player.goes_on() and not self.failure:
            threading.Event().wait(0.001)
        self.player = None
        if self.failure:
            raise DeviceError(self.failure)


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Output:
    made = Output()
    monkeypatch.setattr(avsync, "open_virtual_microphone", made.open)
    monkeypatch.setattr(avsync, "RETRY_S", 0.001)
    monkeypatch.setattr(avsync, "FOLLOW_S", 0.001)
    return made


def clap_after_s(run: PluginRun, output: Output) -> float:
    """How much later than it is heard a clap is played."""
    run.sound(np.zeros(480, np.float32))
    player = wait_until(lambda: output.player)
    played: list[Floats] = []
    clap = np.zeros(48_000, np.float32)
    clap[0] = 1.0
    for block in clap.reshape(-1, 480):
        run.sound(block)
        played.append(player.fill(480, 0.02))
    return (int(np.abs(np.concatenate(played)).argmax()) + 480) / RATE_HZ + 0.02


@pytest.mark.parametrize(
    ("latency_ms", "offset_ms", "expected_s"), [(80.0, 0.0, 0.08), (80.0, 150.0, 0.23), (120.0, -40.0, 0.08)]
)
def test_sound_leaves_as_late_as_the_picture(output: Output, latency_ms: float, offset_ms: float, expected_s: float) -> None:
    with PluginRun(AvsyncPlugin, snapshot=Snapshot("driving", latency_ms=latency_ms), offset_ms=offset_ms) as run:
        assert clap_after_s(run, output) == pytest.approx(expected_s, abs=0.002)
    assert output.devices == [""]
    assert run.said == []


def test_a_picture_without_a_latency_keeps_the_last_ones(output: Output) -> None:
    with PluginRun(AvsyncPlugin, snapshot=Snapshot("driving", latency_ms=90.0)) as run:
        run.snapshot = Snapshot("idle")
        assert clap_after_s(run, output) == pytest.approx(0.09, abs=0.002)


def test_an_output_that_goes_is_told_once_and_found_again(output: Output) -> None:
    with PluginRun(AvsyncPlugin, device="Loop") as run:
        run.sound(np.zeros(480, np.float32))
        wait_until(lambda: output.player)
        output.failure = "The output Loop is gone."
        wait_until(lambda: len(output.devices) > 3)
        assert run.said == ["The plug-in 'avsync' gives no sound: The output Loop is gone."]
        output.failure = ""
        wait_until(lambda: output.player)
    assert set(output.devices) == {"Loop"}
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("avsync")]


def test_nothing_is_played_while_nothing_is_heard(output: Output) -> None:
    with PluginRun(AvsyncPlugin) as run:
        run.sound(np.zeros(480, np.float32))
        wait_until(lambda: output.player)
        run.now += 3.0
        wait_until(lambda: output.player is None)
        run.sound(np.zeros(480, np.float32))
        wait_until(lambda: output.player)


@pytest.mark.parametrize("kind", ["pulseaudio", "pipewire"])
def test_a_voice_arrives_in_the_virtual_microphone_also_after_the_daemon_and_the_microphone_came_back(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(avsync, "RETRY_S", 0.05)
    monkeypatch.setattr("vcam.plugins.microphone.RETRY_S", 0.05)
    monkeypatch.setattr("vcam.plugins.microphone.SILENT_S", 0.5)
    clock, said = SystemClock(), list[str]()
    run = PluginRun(AvsyncPlugin, snapshot=Snapshot("driving", latency_ms=80.0))
    plugin: Any = AvsyncPlugin()
    with sound_session(kind, tmp_path / "daemon", monkeypatch) as session:
        microphone = Microphone("camera", clock=clock, messages=Messages(said.append, clock))
        plugin.start(replace(run.context(), now=clock.now, say=said.append))
        microphone.hear(plugin.on_audio)
        try:
            wait_until(lambda: tone_arrives(SOURCE))
            session.unplug()
            wait_until(lambda: not plugin.goes_on())
            session.plug_in()
            wait_until(lambda: tone_arrives(SOURCE))
            session.stop()
            session.start()
            wait_until(lambda: tone_arrives(SOURCE))
        finally:
            microphone.hear(None)
            plugin.stop()
        assert SOURCE not in session.names("sources")
    assert any("gives no sound" in sentence and "PulseAudio or PipeWire" in sentence for sentence in said)
