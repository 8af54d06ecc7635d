"""Runs one scan with a scripted model in a process of its own, for tests that kill it or starve it of disk."""

import resource
import sys
from hashlib import sha256
from pathlib import Path

import netral
from netral.scan import Job, scan
from netral.schema import Prediction
from netral.screener import Screener


class Hashed:
    """Answers flags that depend on the text alone."""

    def predict(self, texts):
        return [Prediction(dict(zip(("partisan", "hate", "hoax"), self._of(text), strict=True))) for text in texts]

    def _of(self, text):
        return [byte / 255 for byte in sha256(text.encode("utf-8", "replace")).digest()[:3]]


def main(source: str, out: str, limit: str = "") -> None:
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    rules = netral.load("rules").rules
    try:
        job = Job((source,), Path(out), format="csv", explain=5, part=40)
        scan(job, Screener(rules, Hashed(), model="hashed"), resume=True)
    except netral.NetralError as error:
        sys.exit(f"netral: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
