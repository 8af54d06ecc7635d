"""Workers on Ray: one process on one core each, which loads the screener once; and the cluster they live in."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import ray
from pyarrow import Table, array, table
from ray import cloudpickle

from netral.contest import Contest
from netral.errors import NetralError, ScanError
from netral.scan.cache import cached
from netral.scan.manifest import versions_of
from netral.scan.tally import Outcome
from netral.schema import Classifier, Post, Prediction, Verdict
from netral.screener import Screener, load

Item = TypeVar("Item")


class _OneByOne:
    """Asks a classifier for one text at a time: only texts of several windows then start its pool of threads."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        return [prediction for text in texts for prediction in self._classifier.predict([text])]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker loads, and the versions it must then have."""

    model: str | None
    rules: str | None
    contest: Contest | None
    versions: Mapping[str, str]

    @classmethod
    def of(cls, screener: Screener, model: str | Path | None, rules: str | Path | None) -> Setup:
        """Return what makes a worker, in whatever folder it runs, judge as `screener` does, loaded by these names."""
        model = str(model if model == "rules" else Path(model).absolute()) if model else None
        rules = str(Path(rules).absolute()) if rules else None
        return cls(model, rules, screener.rules.contest, versions_of(screener, model))

    def load(self) -> Screener:
        """Return the screener on this machine; raises `ScanError` where it is not the like of the driver's."""
        screener = load(self.model, rules=Path(self.rules) if self.rules else None, contest=self.contest)
        here = versions_of(screener, self.model)
        differing = [
            f"{key} {there}, on a worker {here.get(key)}"
            for key, there in self.versions.items()
            if key not in ("unicode", "machine") and here.get(key) != there
        ]
        if differing:
            raise ScanError(f"the machines differ: {'; '.join(differing)}. Install the same on each of them")
        if screener.classifier is None:
            return screener
        twin = copy(screener)
        twin.classifier = _OneByOne(screener.classifier)
        return cached(twin)


class Worker:
    """Holds a loaded screener in a process of its own."""

    def __init__(self, setup: Setup) -> None:
        self._screener: Screener | NetralError
        try:
            self._screener = setup.load()
        except NetralError as error:  # kept until asked to judge: a worker that fails here is started again
            self._screener = error

    def judge(self, posts: Sequence[Post]) -> list[Verdict]:
        """Return the verdicts of posts, in order; raises what loading raised."""
        if isinstance(self._screener, NetralError):
            raise self._screener
        return list(self._screener.stream(posts))

    def __call__(self, batch: Table) -> Table:
        """Turn the records of each row into outcomes."""
        judged: list[list[Outcome]] = []
        for records in unpacked(batch):
            posts = [record for record in records if isinstance(record, Post)]
            judged.append([*self.judge(posts), *(record for record in records if not isinstance(record, Post))])
        return packed(batch["name"].to_pylist(), judged)


def packed(names: Sequence[str], lists: Sequence[Sequence[Any]]) -> Table:
    """Return rows of a name and a list of records or outcomes."""
    return table({"name": names, "records": array(map(cloudpickle.dumps, lists), "binary")})


def unpacked(batch: Table) -> Iterator[list[Any]]:
    """Yield the lists that `packed` was given."""
    return map(cloudpickle.loads, batch["records"].to_pylist())


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of `size` items, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


@contextmanager
def cluster() -> Iterator[None]:
    """Use the Ray at hand, or else start it and stop it; its errors become a `ScanError`."""
    ours = not ray.is_initialized()
    if ours:
        _start()
    try:
        yield
    except ray.exceptions.RayError as error:
        raise ScanError(f"Ray: {_reason(error)}") from error
    finally:
        if ours:
            ray.shutdown()


def _start() -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else Ray reports a cluster it starts to its makers
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray has no kind of its own for this
        raise ScanError(f"Ray cannot be reached or started: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return netral's own error out of the traceback that Ray tells, else its last line."""
    text = str(error).strip() or type(error).__name__
    own = re.findall(r"^netral\.errors\.\w+: (.+)", text, re.MULTILINE)
    return str(own[-1] if own else text.splitlines()[-1])


def cores() -> int:
    """Return the cores of the cluster."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))
