"""Which scenes a set consists of, and making them on all cores; those that are there already are not made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

from engine.errors import InputError
from engine.head import load_head
from trainer.data.inputs import photographs_in
from trainer.data.recipe import refuse_held_out
from trainer.data.shards import CROP_PX, ShardFolder
from trainer.data.synthetic import SyntheticHeads
from trainer.data.workers import each
from trainer.generator.make import SceneMaker, series_of
from trainer.generator.scenes import SUFFIX, TrainingScene, write_scene

Kind = Literal["synthetic", "series", "photograph"]


@dataclass(frozen=True)
class SceneJob:
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


def synthetic_jobs(count: int) -> list[SceneJob]:
    """``count`` rendered people."""
    return [SceneJob("synthetic", "", index) for index in range(count)]


def series_jobs(shards: Path, per_series: int) -> list[SceneJob]:
    """``per_series`` sources of every clip and album of prepared shards. Raises AssetError for what is kept for tests."""
    crops = ShardFolder(shards)
    series = series_of(crops)
    refuse_held_out([crops[places[0]].source for places in series])
    return [SceneJob("series", str(shards), index, number) for number in range(len(series)) for index in range(per_series)]


def photograph_jobs(paths: Sequence[Path], per_photograph: int) -> list[SceneJob]:
    """``per_photograph`` sources for every photograph in files or folders. Raises InputError, AssetError."""
    files = photographs_in(paths)
    refuse_held_out([str(file) for file in files])
    return [SceneJob("photograph", str(file), index) for file in files for index in range(per_photograph)]


def make_scenes(
    out: Path, jobs: Sequence[SceneJob], *, moments: int, seed: int, workers: int | None, done: Callable[[SceneJob, bool], None]
) -> int:
    """Makes what is missing in ``out``; ``done`` hears of each order and whether it gave a scene. Returns how many there are."""
    waiting: list[SceneJob] = []
    for job in jobs:
        if (out / job.file).exists():
            done(job, True)
        else:
            waiting.append(job)
    made = len(jobs) - len(waiting)
    for job, good in each(partial(open_worker, out, moments, seed), waiting, workers):
        made += good
        done(job, good)
    if not made:
        raise InputError(f"No scene came of {len(jobs)} sources for {out}: no face was found in them.")
    return made


@contextmanager
def open_worker(out: Path, moments: int, seed: int) -> Iterator[Callable[[SceneJob], tuple[SceneJob, bool]]]:
    """What makes scenes into ``out``, one after another: a job → the job, and whether it gave a scene."""
    with SceneMaker(load_head(), seed, moments) as maker:

        def work(job: SceneJob) -> tuple[SceneJob, bool]:
            scene = _scene_of(job, maker, seed)
            if scene is not None:
                write_scene(out / job.file, scene)
            return job, scene is not None

        yield work


def _scene_of(job: SceneJob, maker: SceneMaker, seed: int) -> TrainingScene | None:
    if job.kind == "synthetic":
        return maker.synthetic(_heads(seed), job.index)
    if job.kind == "series":
        crops, series = _shards(job.what)
        return maker.series(crops, series[job.series], job.index)
    try:
        return maker.photograph(Path(job.what), job.index)
    except InputError:  # a photograph without a usable face
        return None


@lru_cache(maxsize=1)
def _heads(seed: int) -> SyntheticHeads:
    return SyntheticHeads(CROP_PX, seed)


@lru_cache(maxsize=2)
def _shards(folder: str) -> tuple[ShardFolder, list[list[int]]]:
    crops = ShardFolder(Path(folder))
    return crops, series_of(crops)
