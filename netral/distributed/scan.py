"""A scan's posts judged by workers; its files are read and written here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from typing import Any

import ray

from netral.distributed.workers import Setup, Worker, batches, cluster, cores
from netral.scan.manifest import Job
from netral.scan.run import Judge
from netral.schema import Post, Verdict
from netral.screener import Screener

_SCAN_BATCH = 128  # posts: about a second of one core, so that a part's end finds few workers idle
_AHEAD = 3  # batches in flight for each worker of a scan
_RETRIES = 5  # a batch that kills its worker as often ends a scan; Ray Data goes on for ever


@contextmanager
def judging(job: Job, screener: Screener, *, workers: int | None = None) -> Iterator[Judge]:
    """Yield what `netral.scan.scan(job, screener, judge=...)` judges by: workers instead of this process.

    Inputs are read and files written here; the cluster needs nothing but netral, and the model and rules under the
    same paths. `workers` is by default every core of the cluster. Raises `ScanError` when Ray fails, or a worker has
    other versions than `screener` was loaded with.
    """
    with cluster():
        remote = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=_RETRIES)(Worker)
        setup = Setup.of(screener, job.model, job.rules)
        actors = [remote.remote(setup) for _ in range(workers or cores())]
        try:
            yield partial(_in_turn, actors)
        finally:
            actors.clear()  # Ray ends a worker that nobody holds


def _in_turn(actors: Sequence[Any], posts: Iterator[Post]) -> Iterator[Verdict]:
    """Hand batches round, a few ahead; yield the verdicts in order."""
    waiting: deque[Any] = deque()
    for actor, batch in zip(cycle(actors), batches(posts, _SCAN_BATCH), strict=False):
        waiting.append(actor.judge.remote(batch))
        if len(waiting) >= _AHEAD * len(actors):
            yield from ray.get(waiting.popleft())
    while waiting:
        yield from ray.get(waiting.popleft())
