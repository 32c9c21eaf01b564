"""The virtual camera: there, under its name, listed by meeting programs, and free for us; and the colours it carries."""

from __future__ import annotations

from pathlib import Path

from vcam.doctor.finding import Command, Finding
from vcam.doctor.permissions import permission_fix
from vcam.doctor.system import Node, ProgramFacts, System
from vcam.sinks.driver import UNLOAD, create_command, load_command

NAME = "virtual camera"
RENAME = "Give the virtual one another name: output.camera_name, and card_label when the module is loaded."


def virtual_camera(system: System, facts: ProgramFacts) -> Finding:
    """Whether meetings will see the camera."""
    output = facts.settings.output
    if output.sink not in ("auto", "virtual"):
        return Finding(NAME, "absent", f"not wanted: output.sink is '{output.sink}'")
    if not system.linux:
        return elsewhere(system, output.camera_name)
    node = next((node for node in system.cameras.nodes if node.device.name == output.camera_name), None)
    return state_of(system, node) if node else missing(system, output.camera_name)


def state_of(system: System, node: Node) -> Finding:
    """Of a device that has the right name."""
    device = node.device
    what = f"{device.name} ({device.path})"
    barred = unusable(system, node, what)
    if barred is not None:
        return Finding(NAME, "failed", *barred)
    if node.ours:
        return Finding(NAME, "ok", f"{what}, HifiHead Cam is sending to it")
    if device.capture and node.users:
        return Finding(NAME, "ok", f"{what}, read by {', '.join(node.users)}")
    return Finding(NAME, "ok", f"{what}, left over from the last program" if device.stuck else what)


def unusable(system: System, node: Node, what: str) -> tuple[str, tuple[str, ...]] | None:
    """(what is wrong, the cure), or None. The order matters: what cannot be opened cannot be asked."""
    device, users = node.device, ", ".join(node.users)
    sender = not node.ours and (device.access == "busy" or node.sending)
    shared = device.capture and device.output and not system.cameras.exclusive_caps
    cases = [
        (device.access == "no permission", f"no permission for {what}", permission_fix(system)),
        (device.access == "absent", f"the system lists {what}, but the file is missing", reload(device.name)),
        (device.access == "ok" and not device.loopback, f"{what} is a real camera", (RENAME,)),
        (shared, "exclusive_caps is off: browsers and Zoom do not list it", reload(device.name)),
        (sender, f"{users or 'another program'} sends to {what}", end(users, device.path)),
        (bool(node.keeps), f"{what} is stuck at {node.keeps}", (*close_or(users), *reload(device.name))),
    ]
    return next(((detail, fix) for wrong, detail, fix in cases if wrong), None)


def end(users: str, path: Path) -> tuple[str, ...]:
    """How another sender is ended; who it is can be found out by root when we may not see it."""
    if users:
        return (f"Close {users}.",)
    return (Command(f"sudo fuser -v {path}"), "Close the program that this names.")


def close_or(users: str) -> tuple[str, ...]:
    """A reader makes the camera keep its format."""
    return (f"Close {users}. If that does not help:",) if users else ()


def first_close(users: str) -> tuple[str, ...]:
    """The module cannot be unloaded while anything uses it."""
    return (f"Close {users} first.",) if users else ()


def missing(system: System, camera_name: str) -> Finding:
    """No device has the name."""
    others = [node for node in system.cameras.nodes if node.device.loopback]
    fix: tuple[str, ...] = tuple(map(Command, create_command(camera_name, system.host).split(" && ")))
    if system.cameras.secure_boot:
        fix = (*fix, "Secure Boot is on; if modprobe says 'Key was rejected': docs/clients.md")
    if not others and not system.cameras.module_loaded:
        return Finding(NAME, "failed", f"there is none named '{camera_name}'", fix)
    close = first_close(", ".join(user for node in others for user in node.users))
    names = ", ".join(f"'{node.device.name}'" for node in others) or "none"
    quotes = "; inner quotes lost" if any(camera_name.startswith(f"{node.device.name} ") for node in others) else ""
    detail = f"there is none named '{camera_name}', only {names}{quotes}"
    return Finding(NAME, "failed", detail, (*close, *reload(camera_name)))


def reload(camera_name: str) -> tuple[str, ...]:
    """Loads the module anew, with the right options."""
    return (Command(UNLOAD), Command(load_command(camera_name)))


def elsewhere(system: System, camera_name: str) -> Finding:
    """Windows and macOS."""
    if system.cameras.drivers:
        return Finding(NAME, "ok", ", ".join(system.cameras.drivers))
    steps = create_command(camera_name, system.host)
    return Finding(NAME, "failed", "no driver found", (steps[:1].upper() + steps[1:],))


def colours(system: System, facts: ProgramFacts) -> Finding:
    """How pictures travel; ``--loop`` measures what comes out."""
    if facts.settings.output.sink not in ("auto", "virtual"):
        return Finding("colours", "absent", "no virtual camera wanted")
    if not system.linux:
        return Finding("colours", "absent", "the driver's own format; not verified on this system")
    return Finding("colours", "ok", "I420, BT.601, range 16–235; OBS shows reds slightly off")
