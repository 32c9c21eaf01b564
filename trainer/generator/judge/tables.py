"""Tables: for the terminal and for documents as Markdown, for the report as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

# What is better: more, less, or neither.
BETTER = {"PSNR": "↑", "ID": "↑", "ID driving": "↑", "blink recall": "↑", "face found": "↑"}
WORSE = ("perceptual", "perceptual, mouth and eyes", "Exp", "Angle", "Gaze", "FD-EffLite0", "jitter", "LPIPS", "FID")
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
    if name in BETTER or name.startswith("r "):
        return f"{name} ↑"
    return f"{name} ↓" if name in WORSE else name


def _number(column: str, value: float | None) -> str:
    return "" if value is None else f"{value:.{_DIGITS.get(column, 4)}f}"
