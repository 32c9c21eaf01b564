"""Preparing many units: on the cores of this machine, or by Ray Data on a cluster; what is done already is not done again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from engine.errors import ConfigError, HifiHeadError, InputError
from engine.files import write_text
from trainer.data.inputs import Item, Unit
from trainer.data.prepare import Note, PrepareConfig, UnitPreparer, parse_note, read_note
from trainer.data.workers import each

SETTINGS = "prepare.json"


def prepare(
    units: Sequence[Unit],
    out: Path,
    settings: PrepareConfig,
    *,
    workers: int | None = None,
    ray_address: str | None = None,
    done: Callable[[Note], None] = lambda note: None,
) -> list[Note]:
    """The notes of all units, sorted by key; ``done`` hears of each one, those of an earlier run first.

    ``out`` must be one folder that every machine of the cluster sees. Raises InputError when writing fails and ConfigError when
    ``out`` was begun with other settings.
    """
    _keep_settings(out, settings)
    notes = {unit.key: note for unit in units if (note := read_note(unit.key, out)) is not None}
    for note in notes.values():
        done(note)
    waiting = [unit for unit in units if unit.key not in notes]
    runner = (
        _on_cluster(waiting, out, settings, ray_address)
        if ray_address
        else each(partial(UnitPreparer, out, settings), waiting, workers)
    )
    for note in runner if waiting else ():
        notes[note.key] = note
        done(note)
    return [notes[key] for key in sorted(notes)]


def _on_cluster(units: Sequence[Unit], out: Path, settings: PrepareConfig, address: str) -> Iterator[Note]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reports to its makers otherwise
    try:
        import ray
        import ray.data
    except ImportError as error:
        wanted = "--ray needs the package ray[data], which cannot be imported"
        raise ConfigError(f"{wanted} ({error}): install it by `pip install 'hifihead-cam[cluster]'`") from error
    if not ray.is_initialized():
        try:
            ray.init(address=address, log_to_driver=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ConfigError(f"no Ray cluster answers at {address!r} ({error}): start one by `ray start --head`") from error
    ray.data.DataContext.get_current().enable_progress_bars = False  # there is one of our own
    rows = ray.data.from_items([{"unit": json.dumps(asdict(unit))} for unit in units], override_num_blocks=len(units))
    work = _Work(str(out.resolve()), settings)
    for row in rows.map(work, num_cpus=1).iter_rows():
        if row["error"]:
            raise InputError(row["error"])
        yield parse_note(row["note"])


class _Work:
    """What a worker of the cluster does with a row; an error travels back as its sentence."""

    def __init__(self, out: str, settings: PrepareConfig) -> None:
        self._out, self._settings = out, settings

    def __call__(self, row: dict[str, Any]) -> dict[str, str]:
        content = json.loads(row["unit"])
        unit = Unit(content["key"], tuple(Item(**item) for item in content["items"]))
        try:
            with UnitPreparer(Path(self._out), self._settings) as prepare_unit:
                return {"note": json.dumps(asdict(prepare_unit(unit))), "error": ""}
        except HifiHeadError as error:
            return {"note": "", "error": str(error)}


def _keep_settings(out: Path, settings: PrepareConfig) -> None:
    """Crops of other settings must not mix with these."""
    path = out / SETTINGS
    wanted = settings.model_dump()
    try:
        out.mkdir(parents=True, exist_ok=True)
        if path.exists():
            begun = json.loads(path.read_text(encoding="utf-8"))
            if begun != wanted:
                raise ConfigError(f"{out} was begun with {begun}, now {wanted} is wanted: use the same options or another --out")
        write_text(path, json.dumps(wanted, sort_keys=True))
    except (OSError, ValueError) as error:
        raise InputError(f"{out} cannot be used as output folder ({error}): choose another --out") from error
