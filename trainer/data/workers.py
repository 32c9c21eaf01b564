"""Processes that share the cores fairly: as many as there are cores, each with one thread."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack
from multiprocessing.util import Finalize
from typing import Any, TypeVar

from engine.errors import HifiHeadError

Job = TypeVar("Job")
Result = TypeVar("Result")

_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # read when a worker imports numpy
_work: Callable[[Any], Any] | None = None  # of a worker's process: what its ``open_worker`` gave


def each(
    open_worker: Callable[[], AbstractContextManager[Callable[[Job], Result]]], jobs: Sequence[Job], workers: int | None = None
) -> Iterator[Result]:
    """The results in the order in which they are ready; in this process when one worker is enough.

    ``open_worker`` opens, once in each process, what does a job; it is closed when the jobs are done. Raises what a job raises,
    the others are then given up, and HifiHeadError when a worker was ended from outside.
    """
    count = min(workers or os.cpu_count() or 1, len(jobs))
    if count == 0:
        return
    if count == 1:
        with open_worker() as work:
            yield from (work(job) for job in jobs)
        return
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    # spawned, not forked: mediapipe's and numba's threads do not survive a fork
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, initializer=_begin, initargs=(open_worker,)) as pool:
        try:
            for future in as_completed([pool.submit(_do, job) for job in jobs]):
                yield future.result()
        except BrokenProcessPool as error:
            reason = "a worker was ended from outside, often for lack of memory: run again with fewer --workers"
            raise HifiHeadError(reason) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin(open_worker: Callable[[], AbstractContextManager[Callable[[Any], Any]]]) -> None:
    import cv2  # here, because the setting belongs to the worker's process

    global _work  # noqa: PLW0603 - a process of the pool has no other place that lasts from one job to the next
    cv2.setNumThreads(1)
    opened = ExitStack()
    _work = opened.enter_context(open_worker())
    Finalize(None, opened.close, exitpriority=10)


def _do(job: Any) -> Any:
    assert _work is not None  # noqa: S101 - for the type checker: the pool calls _begin first
    return _work(job)
