"""Work in steps, each of which leaves a result: what is done is not done again, and what fails says where to go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from engine.errors import ConfigError, HifiHeadError, InputError
from engine.files import write_text

RECORD = "steps.json"


@dataclass(frozen=True)
class Step:
    """One piece of work.

    name    unique, a few words
    result  a file or folder that is there once it is done
    hours   that it takes, about
    work    does it; goes on where it was stopped, if it can
    inputs  what of it may differ from one call to the next: it is done again then
    """

    name: str
    result: Path
    hours: float
    work: Callable[[], None]
    inputs: str = ""


class StepRecord:
    """Which steps of a folder are done; a small file in it."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """Raises ConfigError when the folder was begun with other settings, InputError when its record cannot be read."""
        self.folder, self._path, self._settings = folder, folder / RECORD, dict(settings)
        self._done: dict[str, str] = {}
        if self._path.exists():
            self._read()

    def holds(self, step: Step) -> bool:
        """Whether it was done with the same inputs, and its result is still there."""
        return self._done.get(step.name) == step.inputs and step.result.exists()

    def add(self, step: Step) -> None:
        """It is done. Raises InputError when that cannot be written."""
        self._done[step.name] = step.inputs
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_text(self._path, json.dumps({"settings": self._settings, "done": self._done}, indent=1) + "\n")
        except (OSError, InputError) as error:
            raise InputError(f"{self._path} cannot be written ({error}): free some space and run again.") from error

    def _read(self) -> None:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            settings, self._done = content["settings"], dict(content["done"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self._path} cannot be read ({error}): delete it, then every step is looked through.") from error
        if settings != self._settings:
            other = ", ".join(
                f"{name} = {settings.get(name)}" for name, own in self._settings.items() if settings.get(name) != own
            )
            raise ConfigError(f"{self._path.parent} was begun otherwise ({other}): take another --folder, or call it as then.")


def run_steps(steps: Sequence[Step], record: StepRecord, console: Console) -> None:
    """Does what is not done yet, in order; after a step that had to be done, all later ones are done again.

    Raises HifiHeadError with the step's name when one fails; those before it stay done.
    """
    console.print(_table(steps, record))
    again = False
    for number, step in enumerate(steps, 1):
        heading = f"[{number}/{len(steps)}] {step.name}"
        if not again and record.holds(step):
            console.print(f"{heading}: done, {step.result}", markup=False, highlight=False, soft_wrap=True)
            continue
        console.print(f"{heading} …", markup=False, highlight=False, soft_wrap=True)
        again = True
        try:
            step.work()
        except HifiHeadError as error:
            reason = str(error).rstrip(".")
            raise HifiHeadError(f"Step {number}, {step.name}: {reason}. The same command goes on here.") from error
        record.add(step)


def _table(steps: Sequence[Step], record: StepRecord) -> Table:
    table = Table("", "step", "result", "hours, about", title=f"Into {record.folder}", title_justify="left")
    table.columns[-1].justify = "right"
    for number, step in enumerate(steps, 1):
        hours = "done" if record.holds(step) else f"{step.hours:.1f}" if step.hours >= 0.1 else "minutes"
        table.add_row(str(number), step.name, str(step.result.relative_to(record.folder)), hours)
    return table
