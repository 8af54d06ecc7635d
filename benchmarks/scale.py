"""Memory and time of one scan against the rows it has read: a table, the slopes, and a plot.

    python -m benchmarks.scale --datasets DIR --rows 5000000 --model rules --work DIR [--plot scale-rules.svg]

Distinct posts are made from those of `DIR` by a serial of letters at the end, in one CSV file under `--work`. The scan
runs as a process of its own; its memory (resident, with its children) and the parts in its journal are looked at once
a second.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import matplotlib.figure
import numpy as np
import polars as pl

from netral.scan import PART
from netral.scan.journal import JOURNAL
from netral.scan.run import WORK

LETTERS = "bcdfghjk"


def posts(datasets: Path, rows: int) -> Iterator[str]:
    """Yield distinct posts: stored ones, each with a serial that is no word."""
    texts = pl.concat(pl.read_parquet(path, columns=["text"]) for path in sorted(datasets.glob("*.parquet")))["text"]
    short = texts.filter(texts.str.len_chars() < 2000).sample(fraction=1, shuffle=True, seed=7).to_list()
    for number, text in enumerate(islice(cycle(short), rows)):
        serial = "".join(LETTERS[(number >> 3 * place) & 7] for place in range(8))
        yield f"{text} {serial}"


def resident(process: int) -> int:
    """Return the resident bytes of a process and of its children."""
    total = 0
    for task in Path(f"/proc/{process}/task").iterdir():
        total += sum(resident(int(child)) for child in (task / "children").read_text().split())
    return total + int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096


def watch(process: subprocess.Popen[bytes], journal: Path, rows: int) -> list[tuple[float, int, int]]:
    """Return (seconds, rows finished of `rows`, resident bytes), once a second until the process ends."""
    begun, seen, done = time.monotonic(), [], 0
    while process.poll() is None:
        time.sleep(1)
        try:
            parts = journal.read_bytes().count(b"\n") - 1 if journal.exists() else 0  # grouping writes lines too
            done = max(done, min(parts * PART, rows))
            seen.append((time.monotonic() - begun, done, resident(process.pid)))
        except FileNotFoundError:  # it ended between two looks
            continue
    return seen


def plot(seen: list[tuple[float, int, int]], title: str, path: Path) -> None:
    """Draw memory and time against rows."""
    seconds, rows, memory = np.array(seen).T
    figure = matplotlib.figure.Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(rows / 1e6, memory / 1e6, ".", markersize=2)
    left.set(xlabel="million rows", ylabel="resident MB", ylim=(0, None))
    right.plot(rows / 1e6, seconds / 60, ".", markersize=2)
    right.set(xlabel="million rows", ylabel="minutes", ylim=(0, None))
    figure.suptitle(title)
    figure.savefig(path)


def main() -> None:
    """Make the file, scan it, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--model", help="as `netral scan` takes it")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--plot", type=Path)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    source, out = args.work / "posts.csv", args.work / "out"
    shutil.rmtree(out, ignore_errors=True)
    with source.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "text"])
        writer.writerows(enumerate(posts(args.datasets, args.rows)))
    command = [sys.executable, "-m", "netral", "scan", str(source), "--out", str(out), "--explain", "0"]
    process = subprocess.Popen(command + (["--model", args.model] if args.model else []))
    seen = watch(process, out / WORK / JOURNAL, args.rows)
    print("| rows | minutes | resident MB |\n| ---: | ---: | ---: |")
    for tenth in range(1, 11):
        second, done, memory = next(row for row in seen if row[1] >= args.rows * tenth // 10)
        print(f"| {done:,} | {second / 60:.1f} | {memory / 1e6:.0f} |")
    reading = np.array([row for row in seen if args.rows / 10 <= row[1] < args.rows])
    growth, _ = np.polyfit(reading[:, 1] / 1e6, reading[:, 2] / 1e6, 1)
    print(
        f"\nhighest {max(row[2] for row in seen) / 1e6:.0f} MB; from a tenth on, {growth:+.1f} MB a million rows; ",
        end="",
    )
    print(f"{seen[-1][0] / 60:.1f} minutes in all, exit code {process.returncode}")
    if args.plot:
        plot(seen, f"netral scan, {args.rows:,} distinct posts, {Path(args.model or 'model').name}", args.plot)


if __name__ == "__main__":
    main()
