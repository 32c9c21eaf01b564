"""Facts about Python and the packages, by the project's own list of requirements."""

from __future__ import annotations

import platform
import signal
import sys
from importlib import metadata
from pathlib import Path

from vcam.doctor.look.command import Ask, ask
from vcam.doctor.system import Package, PythonFacts

DISTRIBUTION = "hifihead-cam"
PROJECT = Path(__file__).parents[3]
RIVALS = ("opencv-python", "opencv-python-headless", "opencv-contrib-python-headless")
# those with native code that may not load here: package → what is imported
NATIVE = {
    "numpy": "numpy", "opencv-contrib-python": "cv2", "av": "av", "numba": "numba", "onnxruntime": "onnxruntime",
    "openvino": "openvino", "pydantic": "pydantic", "pillow": "PIL.Image", "pyvirtualcam": "pyvirtualcam",
    "watchfiles": "watchfiles", "mediapipe": "mediapipe",
}  # fmt: skip
IMPORT_EACH = "import importlib, sys\nfor name in sys.argv[1:]:\n print(name, flush=True)\n importlib.import_module(name)"


def python_facts() -> PythonFacts:
    """The interpreter that runs this, and what it has installed."""
    wanted, requirements = project()
    packages = packages_of(requirements)
    there = [package.name for package in packages if package.installed and package.name in NATIVE]
    return PythonFacts(
        version=platform.python_version(),
        path=Path(sys.executable),
        wanted=wanted,
        fits=fits(wanted, platform.python_version()),
        packages=packages,
        rivals=tuple(name for name in RIVALS if version(name)),
        broken=first_broken(there),
        checkout=PROJECT if (PROJECT / "pyproject.toml").is_file() else None,
    )


def project() -> tuple[str, list[str]]:
    """(versions of Python, requirements) of the checkout, else of the installed package; empty when neither can be read."""
    try:
        import tomlkit  # one of the packages in question

        stated = tomlkit.parse((PROJECT / "pyproject.toml").read_text(encoding="utf-8")).unwrap()["project"]
        return stated["requires-python"], stated["dependencies"]
    except (ImportError, OSError):
        pass
    try:
        installed = metadata.metadata(DISTRIBUTION)
        return installed["Requires-Python"], metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return "", []


def packages_of(requirements: list[str]) -> tuple[Package, ...]:
    """What the requirements ask for on this machine, extras left out, beside what is installed."""
    try:
        from packaging.requirements import Requirement  # one of the packages in question
    except ImportError:
        return (Package("packaging", "", None, fits=False),)
    parsed = [Requirement(text) for text in requirements]
    wanted = [one for one in parsed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return tuple(Package(one.name, str(one.specifier), got := version(one.name), fits(str(one.specifier), got)) for one in wanted)


def version(name: str) -> str | None:
    """The installed version of a package."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def fits(wanted: str, installed: str | None) -> bool:
    """Whether a version is one of those wanted, e.g. "==1.26.4" or ">=3.10,<3.13"."""
    if installed is None:
        return False
    try:
        from packaging.specifiers import SpecifierSet  # one of the packages in question
    except ImportError:
        return True
    return SpecifierSet(wanted).contains(installed, prereleases=True)


def first_broken(packages: list[str], ask: Ask = ask) -> tuple[str, str] | None:
    """(package, reason) of the first that cannot be imported; None when all can, or it takes too long to tell.

    Tried in a process of its own, which may crash.
    """
    names = {NATIVE[package]: package for package in packages}
    answer = ask([sys.executable, "-c", IMPORT_EACH, *names])
    if answer is None or answer.returncode == 0:
        return None
    tried = [line for line in answer.stdout.split() if line in names]
    reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
    if answer.returncode < 0:
        ill = answer.returncode == -signal.SIGILL
        reason = "this processor lacks instructions that it uses" if ill else f"it crashed (signal {-answer.returncode})"
    return (names[tried[-1]] if tried else "Python", reason)
