"""Processes that share the cores fairly: as many as there are cores, each with one thread."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from engine.errors import HifiHeadError

Job = TypeVar("Job")
Result = TypeVar("Result")

_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # read when a worker imports numpy


def each(do: Callable[[Job], Result], jobs: Sequence[Job], workers: int | None = None) -> Iterator[Result]:
    """The results in the order in which they are ready; in this process when one worker is enough.

    Raises what ``do`` raises, the other jobs are then given up, and HifiHeadError when a worker was ended from outside.
    """
    count = min(workers or os.cpu_count() or 1, len(jobs))
    if count <= 1:
        yield from (do(job) for job in jobs)
        return
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    # spawned, not forked: mediapipe's and numba's threads do not survive a fork
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_begin) as pool:
        try:
            for future in as_completed([pool.submit(do, job) for job in jobs]):
                yield future.result()
        except BrokenProcessPool as error:
            reason = "a worker was ended from outside, often for lack of memory: run again with fewer --workers"
            raise HifiHeadError(reason) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    import cv2  # here, because the setting belongs to the worker's process

    cv2.setNumThreads(1)
