"""The camera and a real OBS: the plug-in, the script in its window, and the preview's stream. ``make test-clients`` runs it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.values import Picture
from plugins.obs import ObsPlugin, link
from plugins.obs.protocol import ObsConnection
from tests.clients.obs_session import SIZE, RealObs, free_port, missing_program, screenshot, wait_until
from tests.fakes import flat, sending
from tests.test_docs import ROOT
from vcam.plugins.testing import PluginRun
from vcam.sinks.preview import PreviewPage
from vcam.snapshot import Snapshot
from vcam.web.address import PageAddress

MISSING = missing_program()
pytestmark = [pytest.mark.clients, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

PICTURES = ROOT / "build" / "test-clients"  # to look at
SCRIPT = ROOT / "plugins" / "obs" / "hifihead_cam.py"
RED, BLUE = (220, 30, 30), (30, 60, 200)
GAP_S = 4.0  # between two starts of the camera: OBS meets a closed port meanwhile
WITHIN = 6  # levels, of each channel
SETTINGS = """[camera]
source = "recording"
[output]
sink = "preview"
width_px = {width}
height_px = {height}
[preview]
fixed_address = true
[plugins.disclosure]
enabled = false
"""
# in OBS, beside the script: presses the button that adds the picture whenever a file asks for it
PRESSING = """
import os
import obspython as obs
import hifihead_cam
def look():
    if os.path.exists({asked!r}):
        os.remove({asked!r})
        hifihead_cam.add_pressed(None, None)
def script_load(settings):
    obs.timer_add(look, 100)
"""


def keep(name: str, picture: Picture | None) -> None:
    """Leaves a picture to look at."""
    assert picture is not None
    PICTURES.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(PICTURES / f"{name}.png"), picture[..., ::-1])


def create(obs: ObsConnection, kind: str, name: str, scene: str = "Live", **settings: Any) -> None:
    obs.request("CreateInput", sceneName=scene, inputName=name, inputKind=kind, inputSettings=settings, sceneItemEnabled=True)


def scene_of(obs: ObsConnection) -> str:
    return str(obs.request("GetSceneList")["currentProgramSceneName"])


def visible(obs: ObsConnection, name: str, scene: str = "Live") -> bool:
    items = obs.request("GetSceneItemList", sceneName=scene)["sceneItems"]
    return bool(next(item["sceneItemEnabled"] for item in items if item["sourceName"] == name))


def text_in(obs: ObsConnection) -> str:
    return str(obs.request("GetInputSettings", inputName="State")["inputSettings"]["text"])


@pytest.fixture
def obs(tmp_path: Path) -> RealObs:
    found = RealObs(tmp_path)
    found.write_home()
    return found


def test_scene_source_and_text_follow_the_face_also_after_a_restart_of_obs(obs: RealObs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "AGAIN_S", 0.2)
    names = {"text_source": "State", "away_scene": "Away", "away_source": "Back soon", "present_source": "Camera"}
    options = {**names, "address": obs.address, "password": obs.password, "away_after_s": 0.0}
    with PluginRun(ObsPlugin, **options) as run:
        run.tell(Snapshot("driving"))
        with obs.running() as connection:
            create(connection, "color_source_v3", "Camera", color=0xFF1E1EDC, width=SIZE[0], height=SIZE[1])
            create(connection, "color_source_v3", "Back soon", "Away", color=0xFFC83C1E, width=SIZE[0], height=SIZE[1])
            create(connection, "text_ft2_source_v2", "State", text="", font={"face": "DejaVu Sans", "size": 48})
            run.tell(Snapshot("idle"))
            wait_until(lambda: scene_of(connection) == "Away" and visible(connection, "Back soon", "Away"))
            wait_until(lambda: not visible(connection, "Camera"))
            assert text_in(connection) == "HifiHead Cam: no face"
            keep("plugin-face-lost", screenshot(connection, "Away"))
            run.tell(Snapshot("driving"))
            wait_until(lambda: scene_of(connection) == "Live" and visible(connection, "Camera"))
            assert text_in(connection) == "HifiHead Cam: live"
            keep("plugin-face-seen", screenshot(connection, "Live"))
        wait_until(lambda: "is waited for" in run.said[-1])
        run.tell(Snapshot("privacy"))
        with obs.running() as connection:
            wait_until(lambda: scene_of(connection) == "Away")
            run.tell(Snapshot("driving"))
            wait_until(lambda: scene_of(connection) == "Live")
            wait_until(lambda: text_in(connection) == "HifiHead Cam: live")
    assert [line for line in run.said if line.startswith("Connected to OBS")] == [f"Connected to OBS {connection.version}."] * 2


def test_wrong_passwords_and_names_are_told(obs: RealObs) -> None:
    with obs.running():
        for settings, words in (
            ({"password": "wrong"}, "OBS refuses the password"),
            ({}, "OBS wants a password"),
            ({"password": obs.password}, "OBS has no scene 'Gone'; there are: Away, Live."),
        ):
            with PluginRun(ObsPlugin, address=obs.address, away_scene="Gone", away_after_s=0.0, **settings) as run:
                run.tell(Snapshot("idle"))
                wait_until(lambda words=words, run=run: any(line.startswith(words) for line in run.said))


@dataclass
class StateOnly:
    """A session as the page knows it."""

    def snapshot(self) -> Snapshot:
        return Snapshot("driving")


@contextmanager
def page_sending(place: PageAddress, picture: Callable[[int], Picture]) -> Iterator[None]:
    """Within, the preview's page at that address sends pictures."""
    with PreviewPage(0, 85, StateOnly(), place) as page:  # type: ignore[arg-type]
        assert page.place == place
        with sending(page.send, picture):
            yield


def numbered(colour: tuple[int, int, int]) -> Callable[[int], Picture]:
    """Pictures of a colour, whose corner says which it is."""

    def picture(number: int) -> Picture:
        made = flat(colour, *SIZE).copy()
        made[:40, :40] = 20 + number % 200
        return made

    return picture


def shows(obs: ObsConnection, name: str, colour: tuple[int, int, int]) -> bool:
    """Whether the middle of a source has that colour, within ``WITHIN``."""
    seen = screenshot(obs, name)
    return (
        seen is not None and seen.shape[:2] == SIZE[::-1] and bool((np.abs(seen[200, 320].astype(int) - colour) <= WITHIN).all())
    )


def with_script(home: Path, **settings: Any) -> tuple[RealObs, Path]:
    """An OBS that has loaded the script, and the file that has its button pressed."""
    asked, pressing = home / "asked", home / "pressing.py"
    pressing.write_text(PRESSING.format(asked=str(asked)), encoding="utf-8")
    obs = RealObs(home, {SCRIPT: settings, pressing: {}})
    obs.write_home()
    return obs, asked


def test_the_stream_has_the_right_colours_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    obs, asked = with_script(tmp_path)
    place = PageAddress(free_port(), "t" * 22)
    obs.address_file.write_text(f"{place.port} {place.token}\n", encoding="ascii")
    with obs.running() as connection:
        with page_sending(place, numbered(RED)):
            asked.touch()
            wait_until(lambda: shows(connection, "HifiHead Cam", RED), "the picture was not shown, or in other colours")
            keep("stream", screenshot(connection, "Live"))
            corners = set()
            wait_until(lambda: corners.add(int(corner(connection))) or len(corners) >= 5, "the picture does not move")
        time.sleep(GAP_S)
        with page_sending(place, numbered(BLUE)):
            wait_until(lambda: shows(connection, "HifiHead Cam", BLUE), "the source did not go on")
            keep("stream-after-restart", screenshot(connection, "Live"))


def corner(obs: ObsConnection) -> int:
    """What the corner of ``numbered`` says; 0 when nothing is shown."""
    seen = screenshot(obs, "HifiHead Cam")
    return 0 if seen is None else int(seen[20, 20, 0])


def test_the_script_starts_stops_and_swaps_the_real_camera(tmp_path: Path) -> None:
    program, config, portraits = tmp_path / "hifihead", tmp_path / "config.toml", tmp_path / "portraits"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m vcam "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    config.write_text(SETTINGS.format(width=SIZE[0], height=SIZE[1]), encoding="utf-8")
    portraits.mkdir()
    (portraits / "other.jpg").write_bytes((ROOT / "engine" / "assets" / "portrait.jpg").read_bytes())
    obs, asked = with_script(tmp_path, with_obs=True, command=str(program), config=str(config), folder=str(portraits))

    def press(name: str) -> None:
        connection.request("TriggerHotkeyByName", hotkeyName=f"hifihead_cam.{name}")

    def moves() -> bool:
        """Whether two pictures of the source are not the same."""
        seen = [screenshot(connection, "HifiHead Cam") for _ in range(2)]
        return all(picture is not None and picture.shape[:2] == SIZE[::-1] for picture in seen) and not np.array_equal(*seen)

    with obs.running() as connection:
        wait_until(lambda: obs.camera_state().get("state") == "driving", "the camera did not start with OBS")
        asked.touch()
        wait_until(moves, "the picture does not move")
        keep("camera", screenshot(connection, "Live"))
        press("next")
        wait_until(lambda: obs.camera_state().get("avatar") == "other.jpg", "the portrait was not changed")
        press("stop")
        wait_until(lambda: not obs.camera_state(), "the camera was not stopped")
        wait_until(lambda: "The camera was stopped." in obs.log)
        press("start")
        wait_until(lambda: obs.camera_state().get("state") == "driving", "the camera was not started again")
        wait_until(moves, "the source did not go on")
        keep("camera-after-restart", screenshot(connection, "Live"))
        assert obs.camera_state()["avatar"] == "other.jpg"
    assert not obs.camera_state()  # it ended with OBS
    assert "Number of memory leaks: 0" in obs.log
