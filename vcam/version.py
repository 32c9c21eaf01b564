"""What ``hifihead --version`` says: which build this is, for a report of a fault. Only the standard library is needed."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "hifihead-cam"
PROJECT = Path(__file__).parents[1]
MANIFESTS = {name: PROJECT / "engine" / "assets" / name / "manifest.json" for name in ("live", "regressor")}
LIBRARIES = ("openvino", "onnxruntime", "torch", "tensorrt", "mediapipe", "numpy")
GIT_S = 5.0


def build_facts() -> str:
    """Version, origin, Python, models and libraries, a line each."""
    libraries = [f"{name} {version}" for name in LIBRARIES if (version := installed_version(name))]
    lines = {
        "source": origin(),
        "Python": f"{platform.python_version()}, {platform.system()} {platform.machine()}",
        "models": ", ".join(f"{name} {short_id(path)}" for name, path in MANIFESTS.items()),
        "libraries": ", ".join(libraries),
    }
    head = f"HifiHead Cam {installed_version(DISTRIBUTION) or '(not installed)'}"
    return "\n".join([head, *(f"{name:<10} {value}" for name, value in lines.items())])


def installed_version(name: str) -> str | None:
    """The version of an installed package; None when there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def origin() -> str:
    """The commit of a checkout, and whether files differ from it; else where the package lies."""
    if not (PROJECT / ".git").exists():
        return f"package in {PROJECT}"
    # --match and a pattern that no tag has: the commit alone
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--abbrev=12", "--dirty=, changed", "--match="]
    try:
        described = subprocess.run(command, capture_output=True, text=True, timeout=GIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return f"checkout in {PROJECT}; git does not tell its commit"
    return f"commit {described.stdout.strip()}"


def short_id(manifest: Path) -> str:
    """Begin of the SHA-256 of a shipped model's manifest, which holds the hashes of its files."""
    try:
        return hashlib.sha256(manifest.read_bytes()).hexdigest()[:8]
    except OSError:
        return "missing"
