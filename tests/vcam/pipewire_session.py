"""A session of PipeWire of its own: the real daemons, in a folder for sockets that nobody else uses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engine.values import Picture

PROGRAMS = ("pipewire", "wireplumber", "dbus-daemon", "pw-dump", "gst-launch-1.0")
PATIENCE_S = 60.0  # a busy machine may take long; a healthy one takes none of it


def missing_program() -> str:
    """The first program that is not installed; "" when all are."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    plugin = subprocess.run(["gst-inspect-1.0", "pipewiresrc"], capture_output=True, check=False) if not absent else None
    return absent[0] if absent else "gstreamer1.0-pipewire" if plugin and plugin.returncode else ""


def wait_until(holds: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """What ``holds`` returns as soon as that is true; fails when it does not become so."""
    end_s = time.monotonic() + patience_s
    while not (value := holds()):
        assert time.monotonic() < end_s, "it did not happen"
        time.sleep(0.02)
    return value


class PipeWireSession:
    """Bus, server and session manager. ``environment``: what programs need to find them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder}/bus"}
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self._run("dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address=unix:path={self.folder}/bus")
        wait_until((self.folder / "bus").exists)
        self._run("pipewire")
        wait_until((self.folder / "pipewire-0").exists)
        self._run("wireplumber")
        wait_until(lambda: any(client(thing) == "WirePlumber" for thing in self.dump()))

    def stop(self) -> None:
        while self._running:
            process = self._running.pop()
            process.kill()
            process.wait()
        for name in ("bus", "pipewire-0", "pipewire-0.lock"):
            (self.folder / name).unlink(missing_ok=True)

    def dump(self) -> list[dict[str, Any]]:
        """Everything in the session."""
        answer = subprocess.run(["pw-dump"], env=self.environment, capture_output=True, check=False)
        return json.loads(answer.stdout) if answer.returncode == 0 and answer.stdout.strip() else []

    def cameras(self) -> dict[int, dict[str, Any]]:
        """Properties of the video sources, by number."""
        nodes = (thing for thing in self.dump() if thing["type"] == "PipeWire:Interface:Node")
        things = ((node["id"], node["info"]["props"]) for node in nodes)
        return {number: properties for number, properties in things if properties.get("media.class") == "Video/Source"}

    @contextmanager
    def reading(self, out: Path, pictures: int = -1) -> Iterator[subprocess.Popen[bytes]]:
        """Within, a program reads the only camera into a file of YUY2 pictures; until it has so many, or the end."""
        (camera,) = self.cameras()
        source = f"pipewiresrc path={camera} num-buffers={pictures}"
        command = ["gst-launch-1.0", "-q", *source.split(), "!", "video/x-raw,format=YUY2", "!", "filesink", f"location={out}"]
        process = subprocess.Popen([*command, "buffer-mode=unbuffered"], env=self.environment)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _run(self, *command: str) -> None:
        with (self.folder / f"{command[0]}.log").open("ab") as log:
            self._running.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))


def client(thing: dict[str, Any]) -> str:
    return str(thing.get("info", {}).get("props", {}).get("application.name", ""))


def pictures_in(file: Path, size: tuple[int, int]) -> list[Picture]:
    """The whole YUY2 pictures of ``size`` (width, height) in a file, (height, width, 2) each."""
    width, height = size
    data = np.fromfile(file, np.uint8)
    count = len(data) // (2 * width * height)
    return list(data[: count * 2 * width * height].reshape(count, height, width, 2))


@contextmanager
def pipewire_session(folder: Path) -> Iterator[PipeWireSession]:
    """A session that runs."""
    with ExitStack() as stack:
        session = PipeWireSession(folder)
        stack.callback(session.stop)
        session.start()
        yield session
