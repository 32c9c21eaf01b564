"""Asking for promptness changes neither the thread's priority nor its policy, and does nothing where it is not known."""

from __future__ import annotations

import os
import platform
import sys

import pytest

from vcam import promptness
from vcam.promptness import ATTRIBUTES, wake_promptly

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is nothing to ask elsewhere")


def test_priority_and_policy_stay() -> None:
    before = (os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0))
    wake_promptly()
    assert (os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)) == before
    assert ATTRIBUTES.size == 48  # struct sched_attr, first version


@pytest.mark.parametrize(("system", "machine"), [("Windows", "x86_64"), ("Linux", "riscv64")])
def test_elsewhere_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(promptness.ctypes, "CDLL", None)
    wake_promptly()
