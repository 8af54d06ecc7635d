"""Posts a second of normaliser and rules on one core, and where the time goes.

    python -m benchmarks.rules_speed --posts rows.parquet [--count 5000]

`--posts` is a Parquet file with a column `text`.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from pathlib import Path

import polars as pl

import netral


def main() -> None:
    """Print the rate, and the three functions that take most of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=Path, required=True)
    parser.add_argument("--count", type=int, default=5000)
    args = parser.parse_args()
    frame = pl.read_parquet(args.posts, columns=["text"])
    texts = frame.sample(min(args.count, len(frame)), seed=1)["text"].to_list()
    rules = netral.load("rules").rules
    rules.match(texts[0])
    begun = time.process_time()
    for text in texts:
        rules.match(text)
    spent = time.process_time() - begun
    print(f"normaliser and rules: {len(texts) / spent:,.0f} posts a second of one core ({len(texts):,} posts)")
    profile = cProfile.Profile()
    profile.runcall(lambda: [rules.match(text) for text in texts])
    stats = pstats.Stats(profile).get_stats_profile()
    total = sum(item.tottime for item in stats.func_profiles.values())
    top = sorted(stats.func_profiles.items(), key=lambda item: -item[1].tottime)[:3]
    for name, item in top:
        print(f"  {item.tottime / total:5.1%} of the profile: {name} ({Path(item.file_name).name}:{item.line_number})")


if __name__ == "__main__":
    main()
