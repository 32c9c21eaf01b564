"""The webcam: there, allowed, and not taken by another program. Nothing here turns its light on."""

from __future__ import annotations

from pathlib import Path

from vcam.doctor.finding import Finding
from vcam.doctor.permissions import permission_fix
from vcam.doctor.system import Node, ProgramFacts, System

NAME = "webcam"
NONE = "none found: a recording would move the avatar"
PLUG_IN = "Plug one in, or switch it on (shutter, function key)."
PRIVACY = {
    "Darwin": "System Settings → Privacy & Security → Camera: allow the terminal.",
    "Windows": "Settings → Privacy & security → Camera: allow desktop apps.",
}


def webcam(system: System, facts: ProgramFacts) -> Finding:
    """What will drive the avatar under these settings."""
    source = facts.settings.camera.source
    if source != "auto" and not source.isdecimal():
        return video(source)
    if not system.linux:
        return elsewhere(system)
    own_name = facts.settings.output.camera_name
    nodes = [node for node in system.cameras.nodes if node.device.name != own_name and not node.device.stuck]
    if source != "auto":
        chosen = [node for node in nodes if node.device.number == int(source)]
        if not chosen:
            fix = "Set camera.source to 'auto', or to a number that `hifihead devices` lists."
            return Finding(NAME, "failed", f"camera.source is {source}, but there is no /dev/video{source}", (fix,))
        return state_of(system, chosen[0])
    ready = next((node for node in nodes if node.device.capture), None)
    barred = next((node for node in nodes if node.device.access != "ok"), None)
    chosen_node = ready or barred
    if chosen_node is None:
        return Finding(NAME, "failed", NONE, (PLUG_IN,))
    return state_of(system, chosen_node)


def state_of(system: System, node: Node) -> Finding:
    """Whether this one can be opened."""
    device = node.device
    what = f"{device.name} ({device.path})"
    if device.access == "no permission":
        return Finding(NAME, "failed", f"no permission for {what}", permission_fix(system))
    if device.access == "absent":
        fix = f"In a container: start it with --device {device.path}. Else plug the camera in again."
        return Finding(NAME, "failed", f"the system lists {what}, but the file is missing", (fix,))
    if node.ours:
        return Finding(NAME, "ok", f"{what}, in use by HifiHead Cam itself")
    if device.access == "busy" or node.users:
        users = ", ".join(node.users) or "another program"
        return Finding(NAME, "failed", f"{what} is in use by {users}", (f"Close {users}, or switch its camera off.",))
    if not device.capture:
        return Finding(NAME, "failed", f"{what} delivers no pictures", ("Set camera.source to 'auto'.",))
    return Finding(NAME, "ok", what)


def video(source: str) -> Finding:
    """A file instead of a webcam."""
    if Path(source).expanduser().is_file():
        return Finding(NAME, "absent", f"not wanted: camera.source is {source}")
    return Finding(NAME, "failed", f"camera.source names {source}, which does not exist", ("Set camera.source to 'auto'.",))


def elsewhere(system: System) -> Finding:
    """Windows and macOS list cameras by name; whether one is free shows only when it is opened."""
    listed = system.cameras.listed
    if listed is None:
        return Finding(NAME, "absent", "the system gives no list; `hifihead run` will tell")
    if not listed:
        return Finding(NAME, "failed", NONE, (PLUG_IN, PRIVACY[system.host.system]))
    return Finding(NAME, "ok", ", ".join(listed))
