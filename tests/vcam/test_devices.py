"""``hifihead devices``: the devices as rows, and what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vcam.cli import devices
from vcam.cli.devices import list_devices
from vcam.v4l2 import LOOPBACK_DRIVER, Device


def test_cameras_and_virtual_cameras_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        Device(Path("/dev/video0"), "USB Camera", "ok", "uvcvideo", capture=True),
        Device(Path("/dev/video1"), "USB Camera", "no permission"),
        Device(Path("/dev/video2"), "HifiHead Cam", "ok", LOOPBACK_DRIVER, output=True),
    ]
    list_devices(as_json=True, system="Linux", find=lambda: found)
    captured = capsys.readouterr()
    rows = json.loads(captured.out)["devices"]
    assert [(row["kind"], row["state"], row["camera"]) for row in rows] == [
        ("camera", "ok", "0"),
        ("other", "no permission", ""),
        ("virtual camera", "ready", ""),
    ]
    assert captured.err == ""


def test_our_own_running_camera_is_said_to_be_ours(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    sending = Device(Path("/dev/video2"), "HifiHead Cam", "ok", LOOPBACK_DRIVER, capture=True)
    for opened, words in (
        ((("hifihead (7)",), True), "HifiHead Cam is sending to it"),
        ((("obs (8)",), False), "in use by obs (8)"),
    ):
        monkeypatch.setattr(devices, "users_of", lambda _path, opened=opened: opened)
        list_devices(as_json=True, system="Linux", find=lambda: [sending], session=lambda: None)
        (row,) = json.loads(capsys.readouterr().out)["devices"]
        assert row["state"] == words


def test_a_session_of_pipewire_is_a_virtual_camera(capsys: pytest.CaptureFixture[str]) -> None:
    list_devices(as_json=True, system="Linux", find=list, session=lambda: Path("/run/user/1000/pipewire-0"))
    captured = capsys.readouterr()
    (row,) = json.loads(captured.out)["devices"]
    assert (row["kind"], row["name"], row["place"], row["state"]) == ("virtual camera", "HifiHead Cam", "PipeWire", "ready")
    assert "modprobe" in captured.err


def test_a_missing_virtual_camera_is_told_with_the_command_that_makes_it(capsys: pytest.CaptureFixture[str]) -> None:
    list_devices(as_json=False, system="Linux", find=list)
    captured = capsys.readouterr()
    assert "No cameras." in captured.out
    assert "modprobe" in captured.err
