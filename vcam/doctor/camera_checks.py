"""The checks of the webcam, the virtual camera and its colours. Nothing here switches on the webcam's light."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.errors import InputError
from vcam import sinks, sources
from vcam.doctor.facts import ProgramFacts, SystemFacts, VideoNode
from vcam.doctor.findings import Finding, ShellCommand
from vcam.sinks.driver import JOIN_VIDEO_GROUP, PIPEWIRE_INSTALLERS, UNLOAD, create_command, load_command

WEBCAM, VIRTUAL_CAMERA, PIPEWIRE = "webcam", "virtual camera", "PipeWire"
NONE_FOUND = "none found: the avatar idles until there is one"
PLUG_IN = "Plug one in, or switch it on (shutter, function key)."
PRIVACY_SETTINGS = {
    "Darwin": "System Settings → Privacy & Security → Camera: allow the terminal.",
    "Windows": "Settings → Privacy & security → Camera: allow desktop apps.",
}
NO_SESSION = "Log in to a desktop with PipeWire; over ssh there is none."
RENAME = "Give the virtual one another name: output.camera_name, and card_label when the module is loaded."


def check_webcam(system: SystemFacts, program: ProgramFacts) -> Finding:
    """What will drive the avatar under these settings."""
    source = program.settings.camera.source
    if source != "auto" and not source.isdecimal():
        return other_source(source)
    if not system.linux:
        return listed_webcams(system)
    own_name = program.settings.output.camera_name
    nodes = [node for node in system.cameras.nodes if node.device.name != own_name and not node.device.stuck]
    if source != "auto":
        chosen = [node for node in nodes if node.device.number == int(source)]
        if not chosen:
            fix = "Set camera.source to 'auto', or to a number that `hifihead devices` lists."
            return Finding(WEBCAM, "failed", f"camera.source is {source}, but there is no /dev/video{source}", (fix,))
        return webcam_state(system, chosen[0])
    ready = next((node for node in nodes if node.device.capture), None)
    barred = next((node for node in nodes if node.device.access != "ok"), None)
    chosen_node = ready or barred
    if chosen_node is None:
        return Finding(WEBCAM, "failed", NONE_FOUND, (PLUG_IN,))
    return webcam_state(system, chosen_node)


def webcam_state(system: SystemFacts, node: VideoNode) -> Finding:
    """Whether the webcam can be opened."""
    device = node.device
    what = f"{device.name} ({device.path})"
    if device.access == "no permission":
        return Finding(WEBCAM, "failed", f"no permission for {what}", permission_steps(system))
    if device.access == "absent":
        fix = f"In a container: start it with --device {device.path}. Else plug the camera in again."
        return Finding(WEBCAM, "failed", f"the system lists {what}, but the file is missing", (fix,))
    if node.ours:
        return Finding(WEBCAM, "ok", f"{what}, in use by HifiHead Cam itself")
    fed = device.loopback and device.capture  # a phone or DSLR: a program sends to it, and others may read
    if device.access == "busy" or (node.users and not fed):
        users = ", ".join(node.users) or "another program"
        return Finding(WEBCAM, "failed", f"{what} is in use by {users}", (f"Close {users}, or switch its camera off.",))
    if not device.capture:
        return Finding(WEBCAM, "failed", f"{what} delivers no pictures", ("Set camera.source to 'auto'.",))
    return Finding(WEBCAM, "ok", f"{what}, sent to by {', '.join(node.users)}" if node.users else what)


def other_source(source: str) -> Finding:
    """A video file, or another kind of motion source, instead of a webcam."""
    try:
        sources.resolve(source)
    except InputError:
        return Finding(WEBCAM, "failed", f"camera.source names {source}, which does not exist", ("Set camera.source to 'auto'.",))
    return Finding(WEBCAM, "absent", f"not wanted: camera.source is {source}")


def listed_webcams(system: SystemFacts) -> Finding:
    """Windows and macOS list cameras by name; whether one is free shows only when it is opened."""
    listed = system.cameras.listed
    if listed is None:
        return Finding(WEBCAM, "absent", "the system gives no list; `hifihead run` will tell")
    if not listed:
        return Finding(WEBCAM, "failed", NONE_FOUND, (PLUG_IN, PRIVACY_SETTINGS[system.host.system]))
    return Finding(WEBCAM, "ok", ", ".join(listed))


def check_virtual_camera(system: SystemFacts, program: ProgramFacts) -> Finding:
    """Whether meetings will see the camera."""
    output = program.settings.output
    if not sinks.wants(output.sink, "virtual"):
        return Finding(VIRTUAL_CAMERA, "absent", f"not wanted: output.sink is '{output.sink}'")
    if not system.linux:
        return installed_driver(system, output.camera_name)
    node = next((node for node in system.cameras.nodes if node.device.name == output.camera_name), None)
    if node is not None:
        return virtual_camera_state(system, node)
    missing = missing_virtual_camera(system, output.camera_name)
    if output.sink == "auto" and system.cameras.pipewire == "session":
        return replace(missing, state="absent", detail=f"{missing.detail}; Chrome and Zoom need it")
    return missing


def virtual_camera_state(system: SystemFacts, node: VideoNode) -> Finding:
    """Whether the device of the right name can be sent to, and is listed by meeting programs."""
    device = node.device
    what = f"{device.name} ({device.path})"
    problem = obstacle(system, node, what)
    if problem is not None:
        return Finding(VIRTUAL_CAMERA, "failed", *problem)
    if node.ours:
        return Finding(VIRTUAL_CAMERA, "ok", f"{what}, HifiHead Cam is sending to it")
    if device.capture and node.users:
        return Finding(VIRTUAL_CAMERA, "ok", f"{what}, read by {', '.join(node.users)}")
    return Finding(VIRTUAL_CAMERA, "ok", f"{what}, left over from the last program" if device.stuck else what)


def obstacle(system: SystemFacts, node: VideoNode, what: str) -> tuple[str, tuple[str, ...]] | None:
    """(detail, fix) of what is wrong, or None. The order matters: a device that cannot be opened cannot be queried."""
    device, users = node.device, ", ".join(node.users)
    sender = not node.ours and (device.access == "busy" or node.sending)
    shared = device.capture and device.output and not system.cameras.exclusive_caps
    cases = [
        (device.access == "no permission", f"no permission for {what}", permission_steps(system)),
        (device.access == "absent", f"the system lists {what}, but the file is missing", reload_steps(device.name)),
        (device.access == "ok" and not device.loopback, f"{what} is a real camera", (RENAME,)),
        (shared, "exclusive_caps is off: browsers and Zoom do not list it", reload_steps(device.name)),
        (sender, f"{users or 'another program'} sends to {what}", close_sender(users, device.path)),
        (bool(node.keeps), f"{what} is stuck at {node.keeps}", (*close_readers(users), *reload_steps(device.name))),
    ]
    return next(((detail, fix) for wrong, detail, fix in cases if wrong), None)


def close_sender(users: str, path: Path) -> tuple[str, ...]:
    """The steps that end another sender; one that this user may not see is found out by root."""
    if users:
        return (f"Close {users}.",)
    return (ShellCommand(f"sudo fuser -v {path}"), "Close the program that this names.")


def close_readers(users: str) -> tuple[str, ...]:
    """The step for a camera that keeps its format because programs read it."""
    return (f"Close {users}. If that does not help:",) if users else ()


def close_before_unload(users: str) -> tuple[str, ...]:
    """The step before unloading the module, which fails while a program uses one of its devices."""
    return (f"Close {users} first.",) if users else ()


def missing_virtual_camera(system: SystemFacts, camera_name: str) -> Finding:
    """No device has the name of the virtual camera."""
    others = [node for node in system.cameras.nodes if node.device.loopback]
    fix: tuple[str, ...] = tuple(map(ShellCommand, create_command(camera_name, system.host).split(" && ")))
    if system.cameras.secure_boot:
        fix = (*fix, "Secure Boot is on; if modprobe says 'Key was rejected': docs/clients.md")
    if not others and not system.cameras.module_loaded:
        return Finding(VIRTUAL_CAMERA, "failed", f"there is none named '{camera_name}'", fix)
    close = close_before_unload(", ".join(user for node in others for user in node.users))
    names = ", ".join(f"'{node.device.name}'" for node in others) or "none"
    quotes = "; inner quotes lost" if any(camera_name.startswith(f"{node.device.name} ") for node in others) else ""
    detail = f"there is none named '{camera_name}', only {names}{quotes}"
    return Finding(VIRTUAL_CAMERA, "failed", detail, (*close, *reload_steps(camera_name)))


def reload_steps(camera_name: str) -> tuple[str, ...]:
    """The commands that load the module again, with the right options."""
    return (ShellCommand(UNLOAD), ShellCommand(load_command(camera_name)))


def installed_driver(system: SystemFacts, camera_name: str) -> Finding:
    """The virtual camera on Windows and macOS."""
    if system.cameras.drivers:
        return Finding(VIRTUAL_CAMERA, "ok", ", ".join(system.cameras.drivers))
    steps = create_command(camera_name, system.host)
    return Finding(VIRTUAL_CAMERA, "failed", "no driver found", (steps[:1].upper() + steps[1:],))


def check_pipewire(system: SystemFacts, program: ProgramFacts) -> Finding:
    """Whether programs that ask the desktop for cameras will see the camera."""
    output, state = program.settings.output, system.cameras.pipewire
    if not system.linux or not sinks.wants(output.sink, "pipewire"):
        return Finding(PIPEWIRE, "absent", "not wanted" if system.linux else "Linux only")
    if output.sink == "auto" and any(usable_loopback(node, output.camera_name) for node in system.cameras.nodes):
        return Finding(PIPEWIRE, "absent", "not needed: every program lists the virtual camera")
    if state == "session":
        return Finding(PIPEWIRE, "ok", f"Firefox and others that ask the desktop list '{output.camera_name}'")
    fix = {"no library": (ShellCommand(PIPEWIRE_INSTALLERS[system.host.installer]),), "no session": (NO_SESSION,)}[state]
    return Finding(PIPEWIRE, "absent" if output.sink == "auto" else "failed", f"{state} of PipeWire", fix)


def usable_loopback(node: VideoNode, camera_name: str) -> bool:
    """Whether "auto" takes this device and leaves PipeWire alone."""
    return node.device.loopback and node.device.name == camera_name


def check_colours(system: SystemFacts, program: ProgramFacts) -> Finding:
    """The colour format that pictures are sent in; ``--loop`` measures what arrives."""
    if not sinks.wants(program.settings.output.sink, "virtual"):
        return Finding("colours", "absent", "no virtual camera wanted")
    if not system.linux:
        return Finding("colours", "absent", "the driver's own format; not verified on this system")
    return Finding("colours", "ok", "I420, BT.601, range 16–235; OBS shows reds slightly off")


def permission_steps(system: SystemFacts) -> tuple[str, ...]:
    """The steps for a device that this user may not open."""
    if system.cameras.group == "after login":
        return ("You are in the group video, but this session began before: log out and in again.",)
    if system.cameras.group == "member":
        return ("You are in the group video already: ask who administers this machine for access.",)
    return (ShellCommand(JOIN_VIDEO_GROUP), "Then log out and in again.")
