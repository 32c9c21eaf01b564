"""A real OBS with a home and a screen of its own, for tests: it is started and stopped, and its server has a password.

obs-websocket listens on every address of the machine: run it where there is none but the loopback's (``make test-clients``).
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np

from engine.values import Picture
from plugins.obs.protocol import ObsConnection, ObsGoneError, ObsRequestError, connected

PROGRAMS = {"obs": "obs-studio", "Xvfb": "xvfb"}  # and Debian's package
PATIENCE_S = 60.0  # a busy machine may take long; a healthy one takes none of it
SIZE = (640, 360)

GLOBAL = """[General]
FirstRun=true
LastVersion=486539266
EnableAutoUpdates=false
[Basic]
Profile=Test
ProfileDir=Test
SceneCollection=Test
SceneCollectionFile=Test
[OBSWebSocket]
FirstLoad=false
ServerEnabled=true
ServerPort={port}
AlertsEnabled=false
AuthRequired=true
ServerPassword={password}
"""
PROFILE = """[General]
Name=Test
[Video]
BaseCX={width}
BaseCY={height}
OutputCX={width}
OutputCY={height}
FPSCommon=30
"""


def missing_program() -> str:
    """Why a real OBS cannot be run here; "" when it can."""
    absent = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    return f"{' and '.join(absent)} must be installed, as make test-clients does" if absent else ""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_until(holds: Callable[[], Any], what: str = "it did not happen") -> Any:
    """What ``holds`` returns as soon as that is true; fails when it does not become so."""
    end_s = time.monotonic() + PATIENCE_S
    while not (value := holds()):
        assert time.monotonic() < end_s, what
        time.sleep(0.05)
    return value


@dataclass
class RealObs:
    """OBS, whose home is ``folder``.

    scripts  Python scripts that it loads, with their settings
    """

    folder: Path
    scripts: dict[Path, dict[str, Any]] = field(default_factory=dict)
    password: str = "pass"  # noqa: S105
    port: int = field(default_factory=free_port)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What OBS has printed."""
        return (self.folder / "obs.log").read_text(encoding="utf-8", errors="replace")

    @property
    def address_file(self) -> Path:
        """Where a camera that OBS has started keeps its page's address."""
        return self.folder / ".config" / "hifihead" / "preview-address"

    def camera_state(self) -> dict[str, Any]:
        """What that camera says of itself; {} when it does not run."""
        try:
            port, token = self.address_file.read_text(encoding="ascii").split()
            return dict(httpx.get(f"http://127.0.0.1:{port}/{token}/state.json", timeout=2).json())
        except (OSError, ValueError, httpx.HTTPError):
            return {}

    def write_home(self) -> None:
        """Settings that keep OBS from asking anything, and a collection with one scene."""
        base = self.folder / ".config" / "obs-studio"
        profile, scenes = base / "basic" / "profiles" / "Test", base / "basic" / "scenes"
        for made in (profile, scenes, self.folder / "run", self.address_file.parent):
            made.mkdir(parents=True, exist_ok=True)
        (self.folder / "run").chmod(0o700)
        (base / "global.ini").write_text(GLOBAL.format(port=self.port, password=self.password), encoding="utf-8")
        (profile / "basic.ini").write_text(PROFILE.format(width=SIZE[0], height=SIZE[1]), encoding="utf-8")
        scripts = [{"path": str(path), "settings": settings} for path, settings in self.scripts.items()]
        collection = {
            "name": "Test",
            "current_scene": "Live",
            "current_program_scene": "Live",
            "scene_order": [{"name": "Live"}, {"name": "Away"}],
            "sources": [{"id": "scene", "versioned_id": "scene", "name": name, "settings": {}} for name in ("Live", "Away")],
            "modules": {"scripts-tool": scripts},
        }
        (scenes / "Test.json").write_text(json.dumps(collection), encoding="utf-8")

    @contextmanager
    def running(self) -> Iterator[ObsConnection]:
        """OBS runs within; a second time with what it has saved. Yields a connection to it."""
        with self._screen() as display, (self.folder / "obs.log").open("ab") as log:
            environment = {
                **{
                    name: value for name, value in os.environ.items() if not name.startswith("QT_")
                },  # OpenCV sets those of its own
                "HOME": str(self.folder),
                "XDG_CONFIG_HOME": str(self.folder / ".config"),
                "XDG_RUNTIME_DIR": str(self.folder / "run"),
                "DISPLAY": display,
                "QT_QPA_PLATFORM": "xcb",
                "LIBGL_ALWAYS_SOFTWARE": "1",
            }
            command = ["obs", "--multi", "--disable-updater", "--disable-shutdown-check", "--websocket_ipv4_only"]
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            try:
                with self._connection(process) as obs:
                    yield obs
            finally:
                process.send_signal(signal.SIGINT)  # as its window's close: what was made is saved
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    @contextmanager
    def _connection(self, process: subprocess.Popen[bytes]) -> Iterator[ObsConnection]:
        end_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                connection = connected(self.address, self.password, lambda: True)
                obs = connection.__enter__()
                break
            except ObsGoneError:
                assert process.poll() is None, f"OBS ended:\n{self.log[-2000:]}"
                assert time.monotonic() < end_s, f"OBS does not answer:\n{self.log[-2000:]}"
                time.sleep(0.1)
        try:
            yield obs
        finally:
            connection.__exit__(None, None, None)

    @contextmanager
    def _screen(self) -> Iterator[str]:
        """A screen that nobody sees; yields its name."""
        read, write = os.pipe()
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
        with (self.folder / "xvfb.log").open("ab") as log:
            process = subprocess.Popen(command, pass_fds=[write], stdout=log, stderr=log)
        os.close(write)
        try:
            with os.fdopen(read) as line:
                yield f":{line.readline().strip()}"
        finally:
            process.terminate()
            process.wait()


def screenshot(obs: ObsConnection, name: str) -> Picture | None:
    """(H, W, 3) RGB of a scene or source as OBS shows it; None while it shows nothing."""
    try:
        answer = obs.request("GetSourceScreenshot", sourceName=name, imageFormat="png")
    except ObsRequestError:
        return None
    png = base64.b64decode(answer["imageData"].partition(",")[2])
    found = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    return None if found is None else np.ascontiguousarray(found[..., ::-1])
