"""``hifihead setup``: its steps carried out by real commands in folders of the test's own, and taken back to the last file.

What would change this system (modprobe, systemctl, the package manager, sudo) is a script that only keeps its command line.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import vcam.cli.setup
from engine.errors import DeviceError, HifiHeadError
from vcam import v4l2
from vcam.cli.app import run_command
from vcam.cli.setup import SetupOptions, set_up
from vcam.setup import steps as setup_steps
from vcam.setup.linux import Places, camera_steps, quoted
from vcam.sinks.driver import Host

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the steps are Linux's; Windows and macOS have printed ones")
LINUX = Host("Linux", "apt", module_installed=False)
RECORDED = ("modprobe", "systemctl", "apt", "sudo")


class Machine:
    """A system in a folder: ``/etc``, a user's home, and the commands that were called."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = folder, folder / "calls"
        self.places = Places(folder / "etc", folder / "home" / ".local" / "share", folder / "home" / ".config", folder / "sys")
        for path in (folder / "etc", folder / "home", folder / "bin"):
            path.mkdir()
        for name in RECORDED:
            self.command(name, 0)

    def command(self, name: str, code: int) -> None:
        """``name`` keeps its command line and ends with ``code``; sudo also carries out what it is given."""
        script = self.folder / "bin" / name
        go_on = 'exec "$@"' if name == "sudo" else f"exit {code}"
        script.write_text(f'#!/bin/sh\necho "{name} $*" >> {shlex.quote(str(self.calls))}\n{go_on}\n')
        script.chmod(0o755)

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def files(self) -> list[str]:
        return sorted(
            str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file() and path.parent.name != "bin"
        )


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("CACHE", "STATE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home" / name.lower()))
    monkeypatch.setattr(vcam.cli.setup.v4l2, "devices", list)
    monkeypatch.setattr(vcam.cli.setup, "output_settings", vcam.cli.setup.OutputSettings)
    monkeypatch.setattr(setup_steps, "is_root", lambda: False)
    monkeypatch.setattr(vcam.cli.setup, "is_root", lambda: False)
    return machine


def test_the_camera_is_made_for_good_and_everything_is_taken_back(machine: Machine) -> None:
    set_up(SetupOptions(service=True, yes=True), host=LINUX, places=machine.places)
    assert 'options v4l2loopback exclusive_caps=1 card_label="HifiHead Cam"\n' in machine.places.options.read_text()
    assert machine.places.loading.read_text() == "v4l2loopback\n"
    assert '"run"\n' in machine.places.unit.read_text()
    commands = [
        call.removeprefix("sudo ") for call in machine.called() if "install -D" not in call and not call.startswith("sudo")
    ]
    assert commands == [
        "apt install v4l2loopback-dkms --yes",
        "modprobe v4l2loopback",
        "systemctl --user daemon-reload",
        "systemctl --user enable --now hifihead-cam.service",
    ]
    # what is done is not done again
    machine.calls.unlink()
    set_up(SetupOptions(yes=True), host=Host("Linux", "apt", module_installed=True), places=machine.places)
    assert machine.called() == ["sudo modprobe v4l2loopback", "modprobe v4l2loopback"]
    # files of the program itself
    for path in (
        "cache/hifihead/engines/a",
        "state/hifihead/log/hifihead.log",
        "config/hifihead/preview-address",
        "data/hifihead/resting-faces.toml",
    ):
        file = machine.folder / "home" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    settings = machine.folder / "home" / "config" / "hifihead" / "config.toml"
    settings.touch()
    set_up(SetupOptions(uninstall=True, yes=True), host=LINUX, places=machine.places)
    assert machine.files() == ["calls", "home/config/hifihead/config.toml"]


def test_nothing_is_changed_without_a_yes(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []
    with pytest.raises(HifiHeadError, match="Nothing was changed"):
        set_up(SetupOptions(), host=LINUX, places=machine.places, agree=lambda question: bool(asked.append(question)))
    assert asked == ["Carry this out? sudo may ask for your password."]
    set_up(SetupOptions(show=True), host=LINUX, places=machine.places, agree=lambda _question: pytest.fail("it asked"))
    assert (machine.files(), machine.called()) == ([], [])
    assert "sudo modprobe v4l2loopback\n" in capsys.readouterr().out


def test_what_is_printed_can_be_typed(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(SetupOptions(service=True, show=True), host=LINUX, places=machine.places)
    printed = capsys.readouterr().out
    subprocess.run(["sh", "-e"], input=printed, text=True, check=True, capture_output=True)
    typed = {path: path.read_bytes() for path in machine.folder.rglob("hifihead*") if path.is_file()}
    assert len(typed) == 4
    set_up(SetupOptions(service=True, yes=True), host=LINUX, places=machine.places)
    assert {path: path.read_bytes() for path in typed} == typed


def test_without_the_module_no_root_is_needed(machine: Machine) -> None:
    asked: list[str] = []
    options = SetupOptions(module=False, service=True)
    set_up(options, host=LINUX, places=machine.places, agree=lambda question: asked.append(question) is None)
    assert asked == ["Carry this out?"]
    assert not [call for call in machine.called() if not call.startswith("systemctl --user ")]
    assert machine.files() == [
        "calls",
        "home/.config/systemd/user/hifihead-cam.service",
        "home/.local/share/applications/hifihead-cam.desktop",
    ]


def test_a_step_that_fails_is_named_and_the_rest_left(machine: Machine) -> None:
    machine.command("apt", 100)
    with pytest.raises(DeviceError, match=r"'sudo apt install v4l2loopback-dkms --yes' failed \(100\)"):
        set_up(SetupOptions(yes=True), host=LINUX, places=machine.places)
    assert machine.files() == ["calls"]


def test_other_cameras_of_the_module_are_left_alone(machine: Machine) -> None:
    other = machine.places.etc / "modprobe.d" / "phone.conf"
    other.parent.mkdir()
    other.write_text("# mine\noptions v4l2loopback devices=2\n")
    with pytest.raises(DeviceError, match=r"phone\.conf sets options of v4l2loopback already"):
        set_up(SetupOptions(yes=True), host=LINUX, places=machine.places)


def test_a_module_under_another_name_is_loaded_anew_and_a_right_one_is_left(machine: Machine) -> None:
    host = Host("Linux", "apt", module_installed=True)
    machine.places.module.mkdir()
    for name, commands in {"HifiHead": ["modprobe -r v4l2loopback", "modprobe v4l2loopback"], "HifiHead Cam": []}.items():
        device = v4l2.Device(Path("/dev/video9"), name, "ok", v4l2.LOOPBACK_DRIVER, output=True)
        steps = camera_steps("HifiHead Cam", host, machine.places, [device])
        assert [" ".join(step.command) for step in steps if step.command[0] == "modprobe"] == commands


def test_odd_paths_stay_whole() -> None:
    assert quoted(["/opt/my cam/100%/hifihead", "run"], "%%") == '"/opt/my cam/100%%/hifihead" "run"'


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_service(machine: Machine) -> None:
    set_up(SetupOptions(module=False, service=True, yes=True), host=LINUX, places=machine.places)
    checked = subprocess.run(
        ["systemd-analyze", "--user", "verify", machine.places.unit], capture_output=True, text=True, check=False
    )
    assert "hifihead-cam" not in checked.stderr, checked.stderr


@pytest.mark.parametrize(("system", "words"), [("Windows", 'UnityCaptureName=HifiHead Cam"'), ("Darwin", '"OBS Virtual Camera"')])
def test_other_systems_get_their_steps_in_words(system: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    for uninstall in (False, True):
        set_up(SetupOptions(uninstall=uninstall), host=Host(system, "apt", module_installed=False))
        said = capsys.readouterr().out
        assert "not tried" in said
        assert uninstall or words in said


def test_the_command_shows_the_steps(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vcam.cli.setup, "this_host", lambda: LINUX)
    monkeypatch.setattr(vcam.cli.setup.linux, "this_places", lambda: machine.places)
    assert run_command(["setup", "--print", "--service"]) == 0
    assert re.search(rf'ExecStart="{re.escape(str(Path(sys.executable).parent))}', capsys.readouterr().out)
