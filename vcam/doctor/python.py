"""Python and the libraries."""

from __future__ import annotations

from vcam.doctor.finding import Command, Finding
from vcam.doctor.system import Package, PythonFacts, System

SYSTEM_LIBRARIES = ("libGL", "libgthread", "libglib")
INSTALLERS = {
    "apt": "sudo apt install libgl1 libglib2.0-0",
    "dnf": "sudo dnf install mesa-libGL glib2",
    "pacman": "sudo pacman -S libglvnd glib2",
    "zypper": "sudo zypper install Mesa-libGL1 libglib-2_0-0",
}
OURS = "opencv-contrib-python"


def python(system: System) -> Finding:
    """The interpreter's version."""
    facts = system.python
    if facts.fits:
        return Finding("Python", "ok", f"{facts.version}, {facts.path}")
    again = (
        Command("make clean && make run PYTHON=python3.12")
        if system.linux and facts.checkout
        else "Install Python 3.12 (https://www.python.org/downloads), then HifiHead Cam with it."
    )
    return Finding("Python", "failed", f"{facts.version} does not do; wanted {facts.wanted}", (again,))


def libraries(system: System) -> Finding:
    """The packages: there, of the pinned versions, without rivals, and loadable."""
    facts = system.python
    wrong = [package for package in facts.packages if not package.fits]
    if wrong:
        return Finding("libraries", "failed", ", ".join(map(complaint, wrong)), install(facts, wrong))
    if facts.rivals:
        rivals = " ".join(facts.rivals)
        again = pip(facts, f"install --force-reinstall --no-deps {OURS}{version_of(facts, OURS)}")
        steps = (pip(facts, f"uninstall -y {rivals}"), again)
        return Finding("libraries", "failed", f"{rivals} must not stand beside {OURS}", steps)
    if facts.broken:
        name, reason = facts.broken
        return Finding("libraries", "failed", f"{name} cannot be loaded: {reason}", repair(system, name, reason))
    return Finding("libraries", "ok", f"all {len(facts.packages)} as pinned")


def complaint(package: Package) -> str:
    """What is wrong with a package."""
    return f"{package.name} {package.installed or 'missing'} (wanted {package.wanted.removeprefix('==')})"


def install(facts: PythonFacts, wrong: list[Package]) -> tuple[str, ...]:
    """The command that brings every package to its pinned version."""
    if facts.checkout:
        return (pip(facts, f"install --editable {facts.checkout}"),)
    return (pip(facts, "install " + " ".join(f'"{package.name}{package.wanted}"' for package in wrong)),)


def repair(system: System, name: str, reason: str) -> tuple[str, ...]:
    """What helps when an installed package cannot be loaded."""
    if system.linux and any(library in reason for library in SYSTEM_LIBRARIES):
        return (Command(INSTALLERS[system.host.installer]),)
    facts = system.python
    return (pip(facts, f"install --force-reinstall --no-deps {name}{version_of(facts, name)}"),)


def pip(facts: PythonFacts, arguments: str) -> Command:
    """pip of the Python at hand."""
    return Command(f"{facts.path} -m pip {arguments}")


def version_of(facts: PythonFacts, name: str) -> str:
    """A package's pin, e.g. "==4.11.0.86"."""
    return next((package.wanted for package in facts.packages if package.name == name), "")
