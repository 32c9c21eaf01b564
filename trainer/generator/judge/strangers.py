"""People to judge by where there are no clips and portraits: rendered ones whom no training has seen."""

from __future__ import annotations

from itertools import count, islice
from pathlib import Path

from av.error import FFmpegError

from engine.errors import InputError
from engine.track import Tracker
from trainer.data.report import save_sheet
from trainer.data.shards import CROP_PX
from trainer.data.synthetic import SyntheticHeads
from trainer.generator.judge.exhibits import Film
from trainer.generator.sitter import only_face

SEED, FPS = 11, 4.0
CLIP, PORTRAITS = "sitting.mp4", ("first.png", "second.png")


def make_strangers(folder: Path, frames: int) -> None:
    """Two portraits and a clip of a third person, into ``folder``. Raises InputError."""
    heads, tracker = SyntheticHeads(CROP_PX, SEED, split="test"), Tracker("picture")
    *sitters, driver = islice((index for index in count() if _is_seen(heads, index, tracker)), len(PORTRAITS) + 1)
    folder.mkdir(parents=True, exist_ok=True)
    for name, index in zip(PORTRAITS, sitters, strict=True):
        save_sheet([heads.sitting(index, 1)[0].image], folder / name)
    unfinished = folder / f"unfinished-{CLIP}"
    try:
        film = Film(unfinished, FPS)
        for take in heads.sitting(driver, frames):
            film.add(take.image)
        film.close()
        unfinished.replace(folder / CLIP)
    except (OSError, FFmpegError) as error:
        raise InputError(f"{folder / CLIP} cannot be written ({error}): free some space and run again.") from error


def _is_seen(heads: SyntheticHeads, index: int, tracker: Tracker) -> bool:
    """Whether the tracker takes the first picture of a sitting for a face."""
    try:
        only_face(tracker, heads.sitting(index, 1)[0].image)
    except InputError:
        return False
    return True
