"""The script in OBS's window: the camera starts and stops, its portrait changes, its picture is added. OBS's module is a fake."""

from __future__ import annotations

import ast
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError
from tests.plugins.fake_obspython import FakeObsPython
from tests.test_docs import ROOT
from vcam.sinks.preview import PreviewPage, address_file
from vcam.snapshot import Snapshot
from vcam.web.address import keep_address, read_address

FILE = ROOT / "plugins" / "obs" / "hifihead_cam.py"
PATIENCE_S = 30.0  # a busy machine may take long; a healthy one takes none of it
CAMERA = """
import pathlib, sys, time
folder = pathlib.Path({folder!r})
print("Preview: http://…", file=sys.stderr)
(folder / "started").write_text("\\n".join(sys.argv[1:]), encoding="utf-8")
while not (folder / "end").exists():
    time.sleep(0.01)
print("Sent 12 pictures of the avatar.", file=sys.stderr)
"""
FAILING = "import sys; sys.exit('config.toml: camera.fps must be a number from 5 to 60, got 900.')"


@dataclass
class FakeControl:
    """A camera as its page knows it."""

    folder: Path
    shown: list[Path] = field(default_factory=list)
    state: str = "driving"

    def snapshot(self) -> Snapshot:
        return Snapshot(self.state, avatar="me.jpg", source="webcam 0")

    def set_avatar(self, photo: Path) -> None:
        if photo.stem == "tree":
            raise InputError("There is no face.")
        self.shown.append(photo)

    def end(self) -> None:
        (self.folder / "end").touch()

    def recalibrate(self) -> None: ...

    def play(self, number: int) -> None: ...

    def look(self, x: float, y: float) -> None: ...

    def finish_gaze(self) -> None: ...


@dataclass
class Rig:
    """The script, loaded; ``settings`` are those in its window."""

    folder: Path
    obs: FakeObsPython
    module: Any
    settings: dict[str, Any]

    def program(self, text: str) -> str:
        """A program in the place of hifihead."""
        path = self.folder / "hifihead"
        path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    def load(self, **settings: Any) -> None:
        self.settings.update(settings)
        self.module.script_load(self.settings)

    def choose(self, **settings: Any) -> None:
        """In the window."""
        self.settings.update(settings)
        self.module.script_update(self.settings)

    def look(self) -> None:
        for timer in self.obs.timers:
            timer()

    def started_with(self) -> list[str]:
        wait_until(lambda: (self.folder / "started").exists() and (self.folder / "started").read_text(encoding="utf-8"))
        return (self.folder / "started").read_text(encoding="utf-8").split("\n")

    @contextmanager
    def page(self) -> Iterator[FakeControl]:
        """The camera's page, at its fixed address."""
        control = FakeControl(self.folder)
        with PreviewPage(0, 90, control, read_address(address_file())) as page:
            keep_address(address_file(), page.place)
            yield control


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    obs = FakeObsPython()
    monkeypatch.setitem(sys.modules, "obspython", obs)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nothing may go there
    spec = importlib.util.spec_from_file_location("hifihead_cam", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rig = Rig(tmp_path, obs, module, {})
    yield rig
    if module.script.hotkeys:
        module.script_unload()
    assert obs.held == 0
    assert obs.timers == []


def wait_until(holds: Callable[[], Any]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, "it did not happen"
        time.sleep(0.005)


def test_it_starts_the_camera_and_stops_it_by_its_page(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    program = rig.program(CAMERA.format(folder=str(rig.folder)))
    rig.load(command=program, config="/a/config.toml", portrait="/b/me.jpg")
    window = rig.module.script_properties()
    assert "the camera does not run" in window["state"][0]
    assert rig.module.start_pressed(window, None)
    assert rig.started_with() == ["run", "--config", "/a/config.toml", "--avatar", "/b/me.jpg"]
    rig.module.start_pressed(window, None)
    assert "Not started: the camera runs already" in capsys.readouterr().out
    with rig.page():
        assert rig.module.stop_pressed(window, None)
        assert window["state"][0] == "State: driving, me.jpg, webcam 0."
    assert rig.module.script.camera.ended() is None
    assert (rig.folder / "end").exists()


def test_a_camera_without_a_page_is_ended_all_the_same(rig: Rig) -> None:
    rig.load(command=rig.program(CAMERA.format(folder=str(rig.folder))))
    rig.obs.press("hifihead_cam.start")
    rig.started_with()
    process = rig.module.script.camera._process
    rig.obs.press("hifihead_cam.stop")
    assert process.poll() is not None
    assert not (rig.folder / "end").exists()


def test_it_starts_and_ends_with_obs_when_that_is_wanted(rig: Rig) -> None:
    rig.load(command=rig.program(CAMERA.format(folder=str(rig.folder))), with_obs=True)
    assert rig.started_with() == ["run"]
    process = rig.module.script.camera._process
    rig.module.script_unload()
    assert process.poll() is not None
    rig.module.script.hotkeys.clear()


def test_a_camera_started_elsewhere_is_not_started_again_but_can_be_stopped(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    rig.load(command=rig.program(FAILING))
    with rig.page():
        rig.obs.press("hifihead_cam.start")
        rig.obs.press("hifihead_cam.stop")
    assert (rig.folder / "end").exists()
    rig.obs.press("hifihead_cam.stop")
    said = capsys.readouterr().out
    assert said.split("\n")[:2] == ["Not started: the camera runs already", "The camera was stopped."]
    assert "Not stopped: the camera does not run" in said


def test_why_a_camera_ended_is_said(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    rig.load(command=rig.program(FAILING))
    rig.obs.press("hifihead_cam.start")
    rig.module.script.camera._process.wait(PATIENCE_S)
    rig.look()
    rig.look()
    assert capsys.readouterr().out.count("camera.fps must be a number from 5 to 60") == 1
    rig.choose(command=str(rig.folder / "nothing"))
    rig.obs.press("hifihead_cam.start")
    assert "Not started: " in capsys.readouterr().out


def test_the_program_is_found_beside_the_script(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    inside = tmp_path / "venv" / "lib" / "python3.12" / "site-packages" / "plugins" / "obs"
    inside.mkdir(parents=True)
    assert rig.module.found_program(inside / "x.py") == ""
    elsewhere = rig.program("")
    assert rig.module.found_program(inside / "x.py") == elsewhere
    program = tmp_path / "venv" / "bin" / "hifihead"
    program.parent.mkdir()
    program.touch()
    assert rig.module.found_program(inside / "x.py") == str(program)


def test_portraits_are_chosen_in_the_window_or_by_a_key(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    folder = rig.folder / "portraits"
    folder.mkdir()
    anna, bert, tree = (folder / name for name in ("anna.jpg", "Bert ä.PNG", "tree.jpg"))
    for path in (anna, bert, tree, folder / "notes.txt"):
        path.touch()

    def shown(portrait: Path) -> Path:
        assert Path(rig.module.script.portrait) == portrait
        rig.module.script.changing.join()
        return control.shown[-1]

    rig.load(portrait=str(anna))
    window = rig.module.script_properties()
    assert window["folder"][2](window, None, {"folder": str(folder)})
    assert list(window["portrait"][1].values()) == ["", str(bert), str(anna), str(tree)]
    rig.choose(folder=str(folder), portrait=str(bert))  # nothing runs: it is for the next start
    assert rig.module.script.changing is None
    with rig.page() as control:
        rig.choose(portrait=str(anna))
        assert shown(anna) == anna
        rig.obs.press("hifihead_cam.next")
        assert shown(tree) == anna
        rig.obs.press("hifihead_cam.next")
        assert shown(bert) == bert
        rig.choose(command="elsewhere")  # another setting changes nothing
        assert rig.module.script.portrait == str(bert)
    rig.look()
    assert capsys.readouterr().out.split("\n")[:3] == [
        "The portrait is anna.jpg.",
        "The portrait stays: There is no face.",
        "The portrait is Bert ä.PNG.",
    ]
    rig.module.script_save(rig.settings)
    assert rig.settings["portrait"] == str(bert)
    assert rig.settings["hifihead_cam.stop"] == ["keys of hifihead_cam.stop"]


def test_the_picture_is_added_once_and_follows_a_new_address(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    rig.load()
    rig.module.add_pressed({}, None)
    assert "Not added: the camera does not run" in capsys.readouterr().out
    with rig.page():
        for _ in range(2):
            rig.module.add_pressed({}, None)
    assert rig.obs.scenes == {"Live": ["HifiHead Cam"], "Next": []}
    address_file().unlink()
    rig.obs.studio = True
    with rig.page():
        rig.module.add_pressed({}, None)
        kind, settings = rig.obs.sources["HifiHead Cam"]
        assert kind == "ffmpeg_source"
        assert settings["input"] == f"{read_address(address_file())}stream.mjpg"
    assert rig.obs.scenes["Next"] == ["HifiHead Cam"]


def test_it_looks_for_the_address_where_the_camera_keeps_it(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rig.module.address_file() == address_file()
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert rig.module.address_file() == address_file()


@pytest.mark.parametrize("text", ["", "80", "x y", "80 a b", "99999 token", "1 /../"])
def test_an_address_that_is_none_is_no_camera(rig: Rig, text: str) -> None:
    rig.load()
    address_file().parent.mkdir(parents=True)
    address_file().write_text(text, encoding="ascii")
    assert "the camera does not run" in rig.module.state_words()


def test_another_program_at_the_address_is_no_camera(rig: Rig) -> None:
    rig.load()
    with rig.page():
        keep_address(address_file(), replace(read_address(address_file()), token="a" * 22))
        assert "the camera does not run" in rig.module.state_words()


def test_it_needs_no_package_and_no_newer_python() -> None:
    tree = ast.parse(FILE.read_text(encoding="utf-8"), feature_version=(3, 8))
    names = {alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names - sys.stdlib_module_names == {"obspython"}
