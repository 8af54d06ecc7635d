"""Read an exported file of any known form and judge its posts as a stream, one chunk in memory at a time."""

from collections import Counter
from pathlib import Path

import netral
from netral.readers import Rejected, read_posts

EXPORT = Path(__file__).parent / "data" / "unggahan.csv"
rejected: list[Rejected] = []


def posts():
    for record in read_posts(EXPORT):
        if isinstance(record, netral.Post):
            yield record
        elif isinstance(record, Rejected):  # what is left is Skipped: headers, empty texts, system lines
            rejected.append(record)


labels = Counter(verdict.label for verdict in netral.load().stream(posts()))

for label in netral.Label:
    print(f"{label:<17}{labels[label]:>5}")
print(f"{labels.total()} posts judged, {len(rejected)} rows rejected")
