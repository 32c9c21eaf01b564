"""``hifihead avatars``: what each of several photographs contributes, and what is missing; and taking them from a video."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from engine.values import Picture
from vcam.avatars.pictures import pictures_of, refuse_unusable
from vcam.files import refuse_png, write_png
from vcam.messages import say_on_stderr

TILE_PX, LABEL_PX, COLUMNS = 256, 40, 4
GROUND, INK = (58, 62, 68), (225, 225, 225)
AT_REST = "the face at rest"
LOOKED_AT_PER_S = 10.0  # frames of a video


def check(folder: Path, out: Path, *, as_json: bool) -> None:
    """Prints what is used of a folder of photographs, and writes a sheet of them. Raises InputError when the first one cannot
    become an avatar."""
    refuse_png(out)
    refuse_unusable(folder)
    # imported here: mediapipe and numba take seconds, and mistakes are told before
    from engine.head import load_head
    from engine.photographs.contributions import contributions, missing
    from engine.photographs.selection import select
    from engine.portrait import load_portrait
    from engine.regress.portrait import fit_portrait

    first, *further = pictures_of(folder)
    portrait = load_portrait(first)
    fit = fit_portrait(load_head(), portrait.face, portrait.crop)
    selection = select(fit, portrait, further)
    shown = {one.path.name: contributions(fit.coefficients, one.fitted) for one in selection.chosen}
    wanted = missing(name for names in shown.values() for name in names)
    tiles = [(first.name, AT_REST, portrait.crop)]
    tiles += [(one.path.name, ", ".join(shown[one.path.name]), one.found.crop) for one in selection.chosen]
    write_png(out, sheet(tiles))
    if as_json:
        result = {
            "first": first.name,
            "contributions": {name: list(names) for name, names in shown.items()},
            "left_out": list(selection.left_out),
            "missing": wanted,
            "sheet": str(out),
        }
        Console(soft_wrap=True, highlight=False).print(json.dumps(result, indent=1), markup=False)
        return
    grid = Table("photograph", "shows")
    grid.add_row(first.name, AT_REST)
    for name, names in shown.items():
        grid.add_row(name, ", ".join(names) or "another expression")
    Console().print(grid)
    for sentence in (*portrait.notes, *selection.left_out):
        say_on_stderr(sentence)
    for name, how in wanted.items():
        say_on_stderr(f"Missing: {name}. {how}")
    say_on_stderr(f"Wrote {out}: the photographs that are used.")


def sheet(tiles: Sequence[tuple[str, str, Picture]]) -> Picture:
    """Rows of pictures, each with two lines below it."""
    blank = ("", "", np.full((TILE_PX, TILE_PX, 3), GROUND, np.uint8))
    columns = min(COLUMNS, len(tiles))
    filled = [_labelled(*tile) for tile in (*tiles, *[blank] * (-len(tiles) % columns))]
    rows = [np.concatenate(filled[start : start + columns], 1) for start in range(0, len(filled), columns)]
    return np.concatenate(rows, 0)


def _labelled(name: str, line: str, picture: Picture) -> Picture:
    tile = cv2.resize(picture, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA)
    strip = np.full((LABEL_PX, TILE_PX, 3), GROUND, np.uint8)
    for text, y in ((name, 15), (line, 33)):
        plain = text.encode("ascii", "replace").decode()
        cv2.putText(strip, plain[:36], (4, y), cv2.FONT_HERSHEY_SIMPLEX, 0.4, INK, 1, cv2.LINE_AA)
    return np.asarray(np.concatenate([tile, strip], 0), np.uint8)


def from_video(clip: Path, folder: Path) -> None:
    """Writes the pictures of a video that show most into a new folder. Raises InputError."""
    from engine.track import Tracker
    from engine.video import read_frames, video_info
    from vcam.takes import choose, refuse_folder, write_takes

    video_info(clip)
    refuse_folder(folder)
    with Tracker("video") as tracker:
        frames = read_frames(clip, per_second=LOOKED_AT_PER_S)
        found = ((frame, face) for frame in frames if (face := tracker.track(frame.image, frame.time_s)) is not None)
        takes = choose(found, str(clip))
    for path, take in zip(write_takes(takes, folder), takes, strict=True):
        say_on_stderr(f"Wrote {path}, from {take.time_s:.1f} s.")
    say_on_stderr(f"hifihead avatars check {folder} says what is still missing.")
