"""Which scenes a set consists of, and making them on all cores; those that are there already are not made again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

from engine.errors import InputError
from engine.head import load_head
from trainer.data.inputs import PICTURES
from trainer.data.recipe import refuse_held_out
from trainer.data.shards import CROP_PX, ShardFolder
from trainer.data.synthetic import SyntheticHeads
from trainer.data.workers import each
from trainer.generator.make import SceneMaker, series_of
from trainer.generator.scenes import SUFFIX, write_scene

Kind = Literal["synthetic", "series", "photograph"]


@dataclass(frozen=True)
class Order:
    """One scene to make: ``what`` is the folder of shards or the photograph, ``index`` counts its scenes; ``series`` is the
    number of the clip or album in the folder."""

    kind: Kind
    what: str
    index: int
    series: int = 0

    @property
    def file(self) -> str:
        """Its name in the set."""
        stem = {"synthetic": "", "series": f"-{self.series:04d}", "photograph": f"-{Path(self.what).stem}"}[self.kind]
        return f"{self.kind}{stem}-{self.index:06d}{SUFFIX}"


def synthetic_orders(count: int) -> list[Order]:
    """``count`` rendered people."""
    return [Order("synthetic", "", index) for index in range(count)]


def series_orders(shards: Path, per_series: int) -> list[Order]:
    """``per_series`` sources of every clip and album of prepared shards. Raises AssetError for what is kept for tests."""
    crops = ShardFolder(shards)
    series = series_of(crops)
    refuse_held_out([crops[places[0]].source for places in series])
    return [Order("series", str(shards), index, number) for number in range(len(series)) for index in range(per_series)]


def photograph_orders(paths: Sequence[Path], per_photograph: int) -> list[Order]:
    """``per_photograph`` sources for every photograph in files or folders. Raises InputError, AssetError."""
    files = [file for path in paths for file in _pictures(path)]
    refuse_held_out([str(file) for file in files])
    return [Order("photograph", str(file), index) for file in files for index in range(per_photograph)]


def make_scenes(
    out: Path, orders: Sequence[Order], *, moments: int, seed: int, workers: int | None, done: Callable[[Order, bool], None]
) -> int:
    """Makes what is missing in ``out``; ``done`` hears of each order and whether it gave a scene. Returns how many there are."""
    waiting = [order for order in orders if not (out / order.file).exists()]
    made = len(orders) - len(waiting)
    for order in orders:
        if order not in waiting:
            done(order, True)
    for order, good in each(partial(_make, out=out, moments=moments, seed=seed), waiting, workers) if waiting else ():
        made += good
        done(order, good)
    if not made:
        raise InputError(f"No scene came of {len(orders)} sources for {out}: no face was found in them.")
    return made


def _make(order: Order, out: Path, moments: int, seed: int) -> tuple[Order, bool]:
    maker = _maker(seed, moments)
    if order.kind == "synthetic":
        scene = maker.synthetic(_heads(seed), order.index)
    elif order.kind == "series":
        crops, series = _shards(order.what)
        scene = maker.series(crops, series[order.series], order.index)
    else:
        try:
            scene = maker.photograph(Path(order.what), order.index)
        except InputError:  # a photograph without a usable face
            scene = None
    if scene is not None:
        write_scene(out / order.file, scene)
    return order, scene is not None


def _pictures(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in PICTURES) if path.is_dir() else []
    if not found:
        raise InputError(f"{path} holds no photographs. Wanted: a picture file, or a folder of them.")
    return found


@lru_cache(maxsize=1)
def _maker(seed: int, moments: int) -> SceneMaker:
    return SceneMaker(load_head(), seed, moments)


@lru_cache(maxsize=1)
def _heads(seed: int) -> SyntheticHeads:
    return SyntheticHeads(CROP_PX, seed)


@lru_cache(maxsize=2)
def _shards(folder: str) -> tuple[ShardFolder, list[list[int]]]:
    crops = ShardFolder(Path(folder))
    return crops, series_of(crops)
