"""What an evaluation of geometry came to: tables, and a sheet of each person."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from engine.files import write_text
from engine.values import Floats, Picture
from trainer.data.sheets import save_sheet, sheet
from trainer.generator.evaluation.report import Table
from trainer.geometry.evaluation import Comparison, Record
from trainer.geometry.moments import Moment
from trainer.geometry.readings import SCORES, slope

TEXT, DATA = "report.md", "report.json"
AREAS = ("person", "head", "face", "new skin", "mouth", "eyes", "uncovered")
TURNS = ("pitch", "yaw", "roll")
TILE_PX, ACROSS = 192, 4  # moments in a row of a sheet
FULL_ERROR = 64.0  # levels, brightest in an error map


def error_table(records: Sequence[Record]) -> Table:
    """Group of moments → area → mean error."""
    groups = dict.fromkeys(record.moment.group for record in records)
    rows = {}
    for group in groups:
        own = [record for record in records if record.moment.group == group]
        errors = {area: _mean([r.errors[area] for r in own if area in r.errors]) for area in AREAS}
        unmoved = _mean([r.unmoved["person"] for r in own])
        sharpness = _mean([r.sharpness for r in own if r.sharpness is not None])
        found = {**errors, "person, unmoved": unmoved, "sharpness in motion": sharpness}
        rows[group] = {name: value for name, value in found.items() if value is not None}
    note = (
        "Mean absolute error in levels of 255. Unmoved: of the portrait as it is. Sharpness in motion: the drawn face's share of "
        "the portrait's fine detail (mean square of the Laplacian)."
    )
    return Table("Errors", note, rows)


def expression_table(records: Sequence[Record]) -> Table:
    """Named expression → errors, and the share of its own score's change that is seen."""
    rows: dict[str, dict[str, float]] = {}
    for name in dict.fromkeys(r.moment.name for r in records if r.moment.group == "expression"):
        own = [r for r in records if r.moment.name == name]
        row = {area: _mean([r.errors[area] for r in own if area in r.errors]) for area in ("face", "mouth", "eyes")}
        row["face, unmoved"] = _mean([r.unmoved["face"] for r in own if "face" in r.unmoved])
        both = [(r.true, r.drawn) for r in own if r.true and r.drawn]
        shapes = [shape for shape in own[0].moment.expression if shape.startswith(name)]
        row["score, true"] = _mean([t[shape] for t, _ in both for shape in shapes])
        row["score, drawn"] = _mean([d[shape] for _, d in both for shape in shapes])
        rows[name] = {column: value for column, value in row.items() if value is not None}
    return Table("Expressions", "Errors in levels of 255; by how much the tracker's score for the same shape rises.", rows)


def reading_table(records: Sequence[Record]) -> Table:
    """Channel → slopes of what is read: off the truth over what was asked, off the picture over that, and over the truth."""
    rows = {}
    seen = [r for r in records if r.true and r.drawn]
    for number, channel in enumerate(TURNS):
        own = [r for r in seen if r.moment.turn_deg[number] and not any(np.delete(r.moment.turn_deg, number))]
        rows[channel] = _slopes(channel, [float(r.moment.turn_deg[number]) for r in own], own)
        for group in dict.fromkeys(r.moment.group for r in own) if channel == "yaw" else ():
            part = [r for r in own if r.moment.group == group]
            rows[group] = _slopes(channel, [float(r.moment.turn_deg[number]) for r in part], part)
    for name, scores in SCORES.items():
        own = [r for r in seen if r.moment.name in scores.moments]
        rows[name] = _slopes(name, None, own)
    note = "What mediapipe reads, as slopes through the origin over all people: rotation in degrees, blend-shape scores."
    return Table("Readings", note, {name: row for name, row in rows.items() if row})


def write_report(folder: Path, settings: Mapping[str, object], tables: Sequence[Table], records: Sequence[Record]) -> None:
    """Writes report.md and report.json: settings, tables, and every record."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / TEXT, "\n".join(table.markdown() for table in tables))
    found = {table.title: {row: _rounded(values) for row, values in table.rows.items()} for table in tables}
    data = {"settings": settings, "tables": found, "records": [_as_values(record) for record in records]}
    write_text(folder / DATA, json.dumps(data, indent=1) + "\n")


def _as_values(record: Record) -> dict[str, object]:
    parts = {name: _rounded(getattr(record, name)) for name in ("errors", "unmoved", "true", "drawn")}
    return {"person": record.person, "moment": record.moment.name, "sharpness": record.sharpness, **parts}


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.5g}") for name, value in values.items()}


def _slopes(channel: str, asked: Sequence[float] | None, records: Sequence[Record]) -> dict[str, float]:
    if not records:
        return {}
    true, drawn = [r.true[channel] for r in records], [r.drawn[channel] for r in records]
    over_asked = {} if asked is None else {"true / asked": slope(asked, true), "drawn / asked": slope(asked, drawn)}
    change = {"true, mean": _size(true), "drawn, mean": _size(drawn)}
    return {**over_asked, **change, "drawn / true": slope(true, drawn)}


def _size(values: Sequence[float]) -> float:
    return float(np.abs(values).mean())


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


@dataclass
class PersonSheet:
    """A sheet of one person: truth, drawn picture and error of every moment. Call it with each, then ``save``."""

    _tiles: list[tuple[str, Picture]] = field(default_factory=list)

    def __call__(self, moment: Moment, pictures: Comparison) -> None:
        """The next moment."""
        error = f"{pictures.error.mean():.1f}"
        self._tiles += [(moment.name, pictures.true), ("drawn", pictures.drawn), (f"error {error}", _heat(pictures.error))]

    def save(self, path: Path) -> None:
        """Writes a PNG."""
        save_sheet(sheet(self._tiles, 3 * ACROSS, TILE_PX), path)


def _heat(error: Floats) -> Picture:
    levels = np.clip(error * (255 / FULL_ERROR), 0, 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1], np.uint8)
