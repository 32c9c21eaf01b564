"""Every engine built, verified and timed, for a bug report."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.runtime.trial import Trial, engine_names, try_engine
from vcam.doctor.look.python import version
from vcam.doctor.system import System

# what decides how an engine behaves; those that are not installed are left out
LIBRARIES = (
    "hifihead-cam",
    "numpy",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-directml",
    "openvino",
    "tensorrt",
    "torch",
)


@dataclass(frozen=True)
class Report:
    """The head of the table: where it was made."""

    system: str
    processor: str
    gpu: str
    libraries: str
    bundle_sha256: str


def report(system: System) -> Report:
    """What a reader of the table must know."""
    machine = system.machine
    cards = ", ".join(f"{gpu.name}, {gpu.memory_mb} MB, driver {gpu.driver}" for gpu in machine.gpus)
    bundle = next((model.sha256 for model in system.program.models if model.name == "live"), "") if system.program else ""
    return Report(
        f"{system.name}, Python {platform.python_version()}",
        f"{machine.processor}, {machine.cpus} CPUs",
        cards or machine.gpu_error or "none",
        ", ".join(f"{name} {version}" for name, version in versions()),
        bundle,
    )


def versions() -> Iterator[tuple[str, str]]:
    """(library, version) of those installed."""
    installed = {name: version(name) for name in LIBRARIES}
    return ((name, number) for name, number in installed.items() if number is not None)


def try_all(bundle: Path, announce: Callable[[str], None], try_one: Callable[[Path, str], Trial] = try_engine) -> list[Trial]:
    """Every engine in turn, installed or not; ``announce`` hears each name before its turn, which may take minutes."""
    trials = []
    for name in engine_names():
        announce(name)
        trials.append(try_one(bundle, name))
    return trials
