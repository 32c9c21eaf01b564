"""Making scenes goes on where it was stopped, in time that is linear in the number of jobs."""

from __future__ import annotations

from pathlib import Path

from trainer.generator.jobs import SceneJob, make_scenes, synthetic_jobs


class Counted(SceneJob):
    """A job that counts how often it is compared with another."""

    comparisons = 0

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return super().__eq__(other)

    __hash__ = SceneJob.__hash__


def test_resuming_compares_no_job_with_the_others(tmp_path: Path) -> None:
    jobs = [Counted(job.kind, job.what, job.index) for job in synthetic_jobs(3000)]
    for job in jobs:
        (tmp_path / job.file).touch()
    heard: list[tuple[SceneJob, bool]] = []
    made = make_scenes(tmp_path, jobs, moments=1, seed=0, workers=1, done=lambda job, good: heard.append((job, good)))
    assert made == 3000
    assert [job.index for job, good in heard if good] == list(range(3000))
    assert Counted.comparisons <= len(jobs)
