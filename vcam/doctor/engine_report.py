"""The report of ``doctor --gpu``: every engine built, verified and timed, as a table for bug reports."""

from __future__ import annotations

import platform
import textwrap
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from engine.generator.manifest import LIVE_BUNDLE
from engine.generator.verification import verify_engine
from engine.runtime.engines import engine_names
from engine.runtime.verification import Verification
from vcam.doctor.facts import SystemFacts
from vcam.doctor.findings import WIDTH
from vcam.version import installed_version

# the packages that decide how an engine behaves; those that are not installed are left out
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

TryEngine = Callable[[Path, str], Verification]


@dataclass(frozen=True)
class EngineEnvironment:
    """Where the engines were tried; printed above the table."""

    system: str
    processor: str
    gpu: str
    libraries: str
    bundle_sha256: str


def environment_of(system: SystemFacts) -> EngineEnvironment:
    """What a reader of the table must know about the machine."""
    machine = system.machine
    cards = ", ".join(f"{gpu.name}, {gpu.memory_mb} MB, driver {gpu.driver}" for gpu in machine.gpus)
    models = system.program.models if system.program else ()
    versions = ((name, installed_version(name)) for name in LIBRARIES)
    return EngineEnvironment(
        f"{system.name}, Python {platform.python_version()}",
        f"{machine.processor}, {machine.cpus} CPUs",
        cards or machine.gpu_error or "none",
        ", ".join(f"{name} {number}" for name, number in versions if number is not None),
        next((model.sha256 for model in models if model.name == "live"), ""),
    )


def try_engines(bundle: Path, announce: Callable[[str], None], try_one: TryEngine) -> list[Verification]:
    """Every engine in turn, installed or not; ``announce`` gets each name before its turn, which may take minutes."""
    trials = []
    for name in engine_names():
        announce(name)
        trials.append(try_one(bundle, name))
    return trials


def engine_report(system: SystemFacts, *, quiet: bool, try_one: TryEngine | None = None) -> dict[str, Any]:
    """Tries every engine, prints the table unless ``quiet``, and returns what is in it."""
    environment = asdict(environment_of(system))
    trials = try_engines(
        LIVE_BUNDLE, lambda name: None if quiet else typer.echo(f"Trying {name} …", err=True), try_one or verify_engine
    )
    if not quiet:
        for name, value in environment.items():
            typer.echo(f"{name.replace('_', ' '):<14} {value}")
        Console().print(table(trials))
        for trial in trials:
            if trial.reason:
                typer.echo("\n".join(textwrap.wrap(f"{trial.name}: {trial.reason}", WIDTH, subsequent_indent="  ")))
    return {**environment, "engines": [asdict(trial) for trial in trials]}


def table(trials: list[Verification]) -> Table:
    """One row per engine, as Markdown, because it is pasted into reports."""
    grid = Table("engine", "right", "dB", "ms", "built in s", box=MARKDOWN)
    for trial in trials:
        numbers = (rounded(trial.psnr_db), rounded(trial.ms), rounded(trial.build_s))
        grid.add_row(trial.name, "yes" if trial.ok else "no", *numbers)
    return grid


def rounded(value: float | None) -> str:
    """A number with one decimal; a dash when there is none."""
    return "–" if value is None else f"{value:.1f}"
