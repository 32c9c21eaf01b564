"""The report of an evaluation: tables as Markdown and HTML, one page beside its files, and JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from engine.files import write_text
from trainer.generator.evaluation.pictures import ReportFile

# What is better: more, less, or neither.
BETTER = {"PSNR": "↑", "ID": "↑", "ID driving": "↑", "blink recall": "↑", "face found": "↑"}
WORSE = ("perceptual", "Exp", "Angle", "Gaze", "FD-EffLite0", "jitter", "LPIPS", "FID")
_DIGITS = {"PSNR": 2, "FD-EffLite0": 2, "FID": 2, "gaze lag": 1, "Exp": 3, "jitter": 2}


@dataclass(frozen=True)
class Table:
    """``rows``: row → column → value; a column that a row lacks stays empty. ``note``: what the numbers mean."""

    title: str
    note: str
    rows: Mapping[str, Mapping[str, float]]

    @property
    def columns(self) -> list[str]:
        """Of all rows, in the order in which they first occur."""
        return list(dict.fromkeys(name for row in self.rows.values() for name in row))

    def markdown(self) -> str:
        """The table with its title and note."""
        head = ["", *(arrowed(name) for name in self.columns)]
        lines = [head, ["---", *["---:"] * len(self.columns)], *self._cells()]
        return f"### {self.title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{self.note}\n"

    def html(self) -> str:
        """The same for a page."""
        head = "".join(f"<th>{escape(arrowed(name))}</th>" for name in self.columns)
        body = "".join(
            f"<tr><th>{escape(name)}</th>" + "".join(f"<td>{value}</td>" for value in values) + "</tr>"
            for name, *values in self._cells()
        )
        table = f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<h2>{escape(self.title)}</h2>{table}<p>{escape(self.note)}</p>"

    def _cells(self) -> list[list[str]]:
        columns = self.columns
        return [[name, *(_number(column, row.get(column)) for column in columns)] for name, row in self.rows.items()]


def arrowed(name: str) -> str:
    """A measure's name with the direction in which it is better."""
    if name in BETTER or name.startswith(("r ", "PSNR, ", "ID, ", "ID driving, ")):
        return f"{name} ↑"
    return f"{name} ↓" if name in WORSE or name.startswith("perceptual, ") else name


def _number(column: str, value: float | None) -> str:
    return "" if value is None else f"{value:.{_DIGITS.get(column.split(',', maxsplit=1)[0], 4)}f}"


PAGE, DATA = "report.html", "report.json"
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1400px; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #ccc; padding: .3rem .6rem; text-align: right; }
th:first-child { text-align: left; }
img, video { max-width: 100%; }
figure { margin: 1rem 0; }
"""


def write_page(folder: Path, title: str, about: Sequence[str], tables: Sequence[Table], files: Sequence[ReportFile]) -> Path:
    """Writes report.html into ``folder``; the exhibits must lie there."""
    parts = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(line)}</p>" for line in about), *(table.html() for table in tables)]
    parts += ["<h2>Pictures</h2>", *(_figure(one) for one in files)]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    path = folder / PAGE
    write_text(path, f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>')
    return path


def write_data(folder: Path, settings: Mapping[str, Any], tables: Sequence[Table]) -> None:
    """Writes report.json: settings, and table → row → column → value; null where a value is no finite number."""
    found = {table.title: {row: _finite(values) for row, values in table.rows.items()} for table in tables}
    text = json.dumps({"settings": settings, "tables": found}, indent=1, ensure_ascii=False)
    write_text(folder / DATA, text + "\n")


def _figure(exhibit: ReportFile) -> str:
    source, caption = escape(exhibit.file, quote=True), escape(exhibit.caption)
    video = exhibit.file.endswith(".mp4")
    shown = f'<video src="{source}" controls loop muted></video>' if video else f'<img src="{source}" alt="" loading="lazy">'
    return f"<figure>{shown}<figcaption>{caption}</figcaption></figure>"


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: float(f"{value:.5g}") if math.isfinite(value) else None for name, value in values.items()}
