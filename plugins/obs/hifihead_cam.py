"""HifiHead Cam in OBS's window: starts and stops the camera, changes its portrait, adds its picture to a scene.

OBS loads it under Tools → Scripts, in its own Python (3.8 or newer), and it needs nothing else. The camera is a process, started
by the command ``hifihead run``; what it does meanwhile is asked for at the preview page's address, which must be a fixed one.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import obspython as obs  # within OBS only

NAME = "HifiHead Cam"
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
ANSWER_S, AVATAR_S = 2.0, 60.0  # for an answer; for another portrait to be prepared
END_S = 5.0  # for the camera to end
LOOK_EVERY_MS = 500
NO_PAGE = "the camera does not run, or its page has no fixed address: preview.fixed_address = true in config.toml gives it one"
PROGRAMS = ("bin/hifihead", ".venv/bin/hifihead", "Scripts/hifihead.exe", ".venv/Scripts/hifihead.exe")

# A Media Source that shows the preview's stream. It goes on by itself when the camera is started again, and keeps the camera
# awake while it is hidden.
SOURCE = {
    "is_local_file": False,
    "input_format": "mjpeg",
    "buffering_mb": 0,
    "reconnect_delay_sec": 1,
    "restart_on_activate": False,
    "close_when_inactive": False,
    "hw_decode": False,
    # FFmpeg itself tries for a second or three: where the first attempt fails at once, OBS 29 makes no other
    "ffmpeg_options": "reconnect_on_network_error=1 reconnect_delay_max=2",
}


class PageError(Exception):
    """The camera does not answer, or refuses; the text says why."""


class Page:
    """The running camera's preview page. Its address is read each time: it is there from the first start on."""

    def __init__(self, address_file: Path) -> None:
        self._address_file = address_file
        # without the system's proxy: what stays on this computer is nobody else's business
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def address(self) -> str:
        """Raises PageError where there is none."""
        try:
            port, token = self._address_file.read_text(encoding="ascii").split()
            return f"http://127.0.0.1:{int(port)}/{token}/"
        except (OSError, ValueError):
            raise PageError(NO_PAGE) from None

    def state(self) -> dict[str, Any]:
        """What the camera is doing, as of ``vcam.snapshot.Snapshot``; raises PageError."""
        try:
            return dict(json.loads(self._answer("state.json", None, ANSWER_S)))
        except ValueError:
            raise PageError(NO_PAGE) from None

    def runs(self) -> bool:
        """Whether a camera answers."""
        try:
            return bool(self.state())
        except PageError:
            return False

    def end(self) -> None:
        """Lets the camera end; raises PageError."""
        self._answer("end", b"", ANSWER_S)

    def show(self, photo: str) -> None:
        """Lets it show another portrait; returns when that is shown. Raises PageError."""
        self._answer("avatar?" + urllib.parse.urlencode({"photo": photo}), b"", AVATAR_S)

    def _answer(self, path: str, body: bytes | None, timeout_s: float) -> bytes:
        try:
            with self._opener.open(self.address() + path, body, timeout_s) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise PageError(error.read().decode("utf-8", "replace") if error.code == 409 else NO_PAGE) from None
        except (OSError, http.client.HTTPException):
            raise PageError(NO_PAGE) from None


class CameraProcess:
    """The camera's process, as far as it was started here, and its page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._process: subprocess.Popen[bytes] | None = None
        self._said: Any = None  # a file with what the process says

    def start(self, command: list[str]) -> None:
        """Raises PageError when it runs already, OSError when it cannot be started."""
        if self._process is not None or self.page.runs():
            raise PageError("the camera runs already")
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 — closed when the process has ended
        hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._said, creationflags=hidden
            )
        except OSError:
            self._said.close()
            raise

    def ended(self) -> str | None:
        """The last sentence of a process that has ended, once; else None."""
        if self._process is None or self._process.poll() is None:
            return None
        self._process = None
        with self._said as said:
            said.seek(0)
            lines = said.read().decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "The camera has ended.")

    def stop(self) -> None:
        """Asks the camera to end, and waits for it if it was started here. Raises PageError when nobody is there to ask."""
        process = self._process
        try:
            self.page.end()
        except PageError:
            if process is None:
                raise
            process.terminate()
        if process is not None:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def close(self) -> None:
        """Ends the camera if it was started here."""
        if self._process is not None:
            self.stop()
            self.ended()


class Script:
    """What belongs to one loading of the script."""

    def __init__(self) -> None:
        self.camera = CameraProcess(Page(address_file()))
        self.command, self.config, self.folder = "", "", ""
        self.portrait = self.chosen = ""  # the one shown, and the one that is chosen in the window
        self.hotkeys: dict[str, int] = {}
        self.said: list[str] = []  # by the thread; printed by OBS's
        self.changing: threading.Thread | None = None


def address_file() -> Path:
    """Where the camera keeps a fixed address: the user's folder of settings, as the package platformdirs names it."""
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "hifihead" / "hifihead"
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support" / "hifihead"
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "hifihead"
    return folder / "preview-address"


def found_program(start: Path) -> str:
    """The program ``hifihead`` that belongs to this file, else the one on the system's path; "" without any."""
    for folder in start.resolve().parents:
        for name in PROGRAMS:
            if (folder / name).is_file():
                return str(folder / name)
    return shutil.which("hifihead") or ""


def portraits(folder: str) -> list[str]:
    """The pictures in a folder, by name."""
    try:
        return [str(path) for path in sorted(Path(folder).iterdir()) if path.suffix.lower() in PICTURES] if folder else []
    except OSError:
        return []


script = Script()


# what the user wants


def start() -> None:
    """Starts the camera, with the chosen portrait."""
    program = script.command or found_program(Path(__file__))
    if not program:
        print("The program hifihead was not found: name it as Command.")
        return
    command = [program, "run"]
    command += ["--config", script.config] if script.config else []
    command += ["--avatar", script.portrait] if script.portrait else []
    try:
        script.camera.start(command)
        print("Started:", " ".join(command))
    except (PageError, OSError) as error:
        print("Not started:", error)


def stop() -> None:
    """Ends the camera, also one that was started elsewhere."""
    try:
        script.camera.stop()
        script.camera.ended()
        print("The camera was stopped.")
    except PageError as error:
        print("Not stopped:", error)


def show(photo: str) -> None:
    """Lets a running camera show a portrait, on a thread: it takes a second or two."""
    if script.changing is not None and script.changing.is_alive():
        print("Another portrait is just being prepared.")
        return

    def change() -> None:
        try:
            script.camera.page.show(photo)
            script.said.append(f"The portrait is {Path(photo).name}.")
        except PageError as error:
            script.said.append(f"The portrait stays: {error}")

    script.changing = threading.Thread(target=change, name="hifihead portrait")
    script.changing.start()


def show_next() -> None:
    """The portrait after the present one, in the order of their names."""
    found = portraits(script.folder)
    if not found:
        print("There are no pictures in the folder of portraits.")
        return
    script.portrait = found[(found.index(script.portrait) + 1) % len(found) if script.portrait in found else 0]
    show(script.portrait)


def add_to_scene() -> None:
    """Adds the camera's picture to the scene that OBS shows, or in studio mode is about to show."""
    try:
        stream = script.camera.page.address() + "stream.mjpg"
    except PageError as error:
        print("Not added:", error)
        return
    settings = obs.obs_data_create_from_json(json.dumps({**SOURCE, "input": stream}))
    source = obs.obs_get_source_by_name(NAME)
    if source is None:
        source = obs.obs_source_create("ffmpeg_source", NAME, settings, None)
    else:
        obs.obs_source_update(source, settings)
    studio = obs.obs_frontend_preview_program_mode_active()
    shown = obs.obs_frontend_get_current_preview_scene() if studio else obs.obs_frontend_get_current_scene()
    scene = obs.obs_scene_from_source(shown)
    if obs.obs_scene_find_source(scene, NAME) is None:
        obs.obs_scene_add(scene, source)
    obs.obs_source_release(shown)
    obs.obs_source_release(source)
    obs.obs_data_release(settings)
    print(f"The camera's picture is in the scene, as the source {NAME}.")


def state_words() -> str:
    """One line about the camera."""
    try:
        state = script.camera.page.state()
    except PageError as error:
        return f"State: {error}."
    words = ", ".join(str(state[key]) for key in ("state", "avatar", "source") if state.get(key))
    return f"State: {words}."


HOTKEYS = {
    "hifihead_cam.start": ("HifiHead Cam: start", start),
    "hifihead_cam.stop": ("HifiHead Cam: stop", stop),
    "hifihead_cam.next": ("HifiHead Cam: next portrait", show_next),
}


# what OBS calls


def script_description() -> str:
    return (
        "<b>HifiHead Cam</b><br>Starts and stops the camera, changes its portrait, adds its picture to the scene. The hot keys "
        "are in OBS's settings. In HifiHead Cam's config.toml, preview.fixed_address must be true."
    )


def script_properties() -> Any:
    properties = obs.obs_properties_create()
    obs.obs_properties_add_text(properties, "state", state_words(), obs.OBS_TEXT_INFO)
    obs.obs_properties_add_button(properties, "start", "Start", start_pressed)
    obs.obs_properties_add_button(properties, "stop", "Stop", stop_pressed)
    obs.obs_properties_add_button(properties, "add", "Add the picture to the scene", add_pressed)
    folder = obs.obs_properties_add_path(properties, "folder", "Folder of portraits", obs.OBS_PATH_DIRECTORY, "", "")
    obs.obs_property_set_modified_callback(folder, folder_changed)
    kind, text = obs.OBS_COMBO_TYPE_LIST, obs.OBS_COMBO_FORMAT_STRING
    fill(obs.obs_properties_add_list(properties, "portrait", "Portrait", kind, text), script.folder)
    obs.obs_properties_add_bool(properties, "with_obs", "Start the camera with OBS")
    program = found_program(Path(__file__)) or "not found"
    obs.obs_properties_add_path(properties, "command", f"Command ({program})", obs.OBS_PATH_FILE, "", "")
    obs.obs_properties_add_path(properties, "config", "Settings file", obs.OBS_PATH_FILE, "TOML (*.toml)", "")
    return properties


def script_load(settings: Any) -> None:
    script_update(settings)
    for name, (description, action) in HOTKEYS.items():
        script.hotkeys[name] = obs.obs_hotkey_register_frontend(name, description, when_pressed(action))
        keys = obs.obs_data_get_array(settings, name)
        obs.obs_hotkey_load(script.hotkeys[name], keys)
        obs.obs_data_array_release(keys)
    obs.timer_add(look, LOOK_EVERY_MS)
    if obs.obs_data_get_bool(settings, "with_obs"):
        start()


def script_update(settings: Any) -> None:
    """A portrait that was chosen in the window is shown at once."""
    script.command = obs.obs_data_get_string(settings, "command")
    script.config = obs.obs_data_get_string(settings, "config")
    script.folder = obs.obs_data_get_string(settings, "folder")
    chosen = obs.obs_data_get_string(settings, "portrait")
    if chosen != script.chosen:
        script.portrait = script.chosen = chosen
        if chosen and script.hotkeys and script.camera.page.runs():  # not while the script is loaded
            show(chosen)


def script_save(settings: Any) -> None:
    script.chosen = script.portrait
    obs.obs_data_set_string(settings, "portrait", script.chosen)
    for name, hotkey in script.hotkeys.items():
        keys = obs.obs_hotkey_save(hotkey)
        obs.obs_data_set_array(settings, name, keys)
        obs.obs_data_array_release(keys)


def script_unload() -> None:
    """A camera that was started here ends with OBS."""
    obs.timer_remove(look)
    script.camera.close()
    if script.changing is not None:
        script.changing.join()


def look() -> None:
    """Now and then: tells what happened meanwhile."""
    while script.said:
        print(script.said.pop(0))
    sentence = script.camera.ended()
    if sentence is not None:
        print(sentence)


def when_pressed(action: Any) -> Any:
    return lambda pressed: action() if pressed else None


def start_pressed(properties: Any, _button: Any) -> bool:
    start()
    return told(properties)


def stop_pressed(properties: Any, _button: Any) -> bool:
    stop()
    return told(properties)


def add_pressed(_properties: Any, _button: Any) -> bool:
    add_to_scene()
    return False


def folder_changed(properties: Any, _folder: Any, settings: Any) -> bool:
    fill(obs.obs_properties_get(properties, "portrait"), obs.obs_data_get_string(settings, "folder"))
    return True


def told(properties: Any) -> bool:
    """Shows the camera's state in the window."""
    obs.obs_property_set_description(obs.obs_properties_get(properties, "state"), state_words())
    return True


def fill(choice: Any, folder: str) -> None:
    """The portraits that can be chosen."""
    obs.obs_property_list_clear(choice)
    obs.obs_property_list_add_string(choice, "that of the settings file", "")
    for path in portraits(folder):
        obs.obs_property_list_add_string(choice, Path(path).stem, path)
