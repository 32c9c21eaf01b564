"""The sink's clock falls into step with the pictures that are drawn, and keeps its own pace when that cannot be."""

from __future__ import annotations

import os
import platform
import sys

import numpy as np
import pytest

from vcam.pipeline import pacing
from vcam.pipeline.pacing import ATTRIBUTES, STEP_S, WAIT_S, Phase, wake_promptly

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is nothing to ask elsewhere")


def run(pictures_s: np.ndarray, sendings: int) -> tuple[np.ndarray, np.ndarray]:
    """(times of the sendings, how long the picture sent had waited) at 30 sendings a second."""
    phase, time_s, sent = Phase(), 0.0, -1
    times, waits = [], []
    for _ in range(sendings):
        newest = int(np.searchsorted(pictures_s, time_s, side="right")) - 1
        waited_s = time_s - pictures_s[max(newest, 0)]
        times.append(time_s)
        waits.append(waited_s)
        time_s += 1 / 30 + phase.shift_s(newest - sent, waited_s)
        sent = newest
    return np.array(times), np.array(waits)


@pytest.mark.parametrize("offset_s", [0.001, 0.01, 0.02, 0.03])
def test_pictures_are_sent_soon_after_they_were_drawn(offset_s: float) -> None:
    wobble = np.random.default_rng(1).uniform(0, 0.004, 1000)
    times, waits = run(np.arange(1000) / 30 - offset_s + wobble, 600)
    assert np.median(waits[-200:]) == pytest.approx(WAIT_S, abs=0.004)
    assert np.abs(np.diff(times) - 1 / 30).max() <= STEP_S + 1e-9


@pytest.mark.parametrize("fps", [10, 15, 24, 45, 60])
def test_other_rates_leave_the_clock_alone(fps: int) -> None:
    times, _ = run(np.arange(2000) / fps, 400)
    assert times[-1] - times[100] == pytest.approx(299 / 30, abs=0.002)


@linux_only
def test_priority_and_policy_stay() -> None:
    before = (os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0))
    wake_promptly()
    assert (os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)) == before
    assert ATTRIBUTES.size == 48  # struct sched_attr, first version


@linux_only
@pytest.mark.parametrize(("system", "machine"), [("Windows", "x86_64"), ("Linux", "riscv64")])
def test_elsewhere_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(pacing.ctypes, "CDLL", None)
    wake_promptly()
