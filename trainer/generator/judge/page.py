"""The report as one HTML page beside its files, and as JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from trainer.generator.judge.exhibits import Exhibit
from trainer.generator.judge.tables import Table

PAGE, DATA = "report.html", "report.json"
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1400px; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #ccc; padding: .3rem .6rem; text-align: right; }
th:first-child { text-align: left; }
img, video { max-width: 100%; }
figure { margin: 1rem 0; }
"""


def write_page(folder: Path, title: str, about: Sequence[str], tables: Sequence[Table], exhibits: Sequence[Exhibit]) -> Path:
    """Writes report.html into ``folder``; the exhibits must lie there."""
    parts = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(line)}</p>" for line in about), *(table.html() for table in tables)]
    parts += ["<h2>Pictures</h2>", *(_figure(one) for one in exhibits)]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    path = folder / PAGE
    path.write_text(f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>', encoding="utf-8")
    return path


def write_data(folder: Path, settings: Mapping[str, Any], tables: Sequence[Table]) -> None:
    """Writes report.json: settings, and table → row → column → value; null where a value is no finite number."""
    found = {table.title: {row: _finite(values) for row, values in table.rows.items()} for table in tables}
    text = json.dumps({"settings": settings, "tables": found}, indent=1, ensure_ascii=False)
    (folder / DATA).write_text(text + "\n", encoding="utf-8")


def _figure(exhibit: Exhibit) -> str:
    source, caption = escape(exhibit.file, quote=True), escape(exhibit.caption)
    video = exhibit.file.endswith(".mp4")
    shown = f'<video src="{source}" controls loop muted></video>' if video else f'<img src="{source}" alt="" loading="lazy">'
    return f"<figure>{shown}<figcaption>{caption}</figcaption></figure>"


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: float(f"{value:.5g}") if math.isfinite(value) else None for name, value in values.items()}
