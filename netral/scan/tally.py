"""The row accounting of a scan: every record becomes a verdict, a rejection or a counted skip."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from netral.readers import Rejected, Skipped
from netral.schema import Label, Verdict

Outcome = Verdict | Rejected | Skipped
"""What becomes of one record."""

_CODE = re.compile("[: (]")  # ends the code of a reason; what follows is of one record alone


@dataclass(slots=True)
class Tally:
    """Counts of a scan; records = verdicts + rejected + skipped.

    `files` counts the records among them that stand for a whole file nothing could be read from.
    """

    records: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    review: int = 0
    truncated: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    files: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count what became of one record."""
        self.records += 1
        if isinstance(outcome, Verdict):
            self.labels[outcome.label.value] += 1
            self.review += outcome.review
            self.truncated += outcome.truncated
            return
        self.files += outcome.row == 0
        if isinstance(outcome, Skipped):
            self.skipped[outcome.reason] += 1
        else:
            self.rejected[_CODE.split(outcome.reason, maxsplit=1)[0]] += 1

    def join(self, other: Tally) -> None:
        """Add the counts of another tally."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def verdicts(self) -> int:
        """How many posts were judged."""
        return self.labels.total()

    @property
    def findings(self) -> int:
        """How many verdicts are not neutral."""
        return self.verdicts - self.labels[Label.NEUTRAL.value]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; reasons in order of name."""
        return {
            "records": self.records,
            "verdicts": self.verdicts,
            "labels": {label.value: self.labels[label.value] for label in Label},
            "review": self.review,
            "truncated": self.truncated,
            "rejected": self.rejected.total(),
            "rejected_by_reason": dict(sorted(self.rejected.items())),
            "skipped": self.skipped.total(),
            "skipped_by_reason": dict(sorted(self.skipped.items())),
            "unreadable_files": self.files,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Tally:
        """Return what `to_dict` wrote."""
        return cls(
            records=data["records"],
            labels=Counter(data["labels"]),
            review=data["review"],
            truncated=data["truncated"],
            rejected=Counter(data["rejected_by_reason"]),
            skipped=Counter(data["skipped_by_reason"]),
            files=data["unreadable_files"],
        )
