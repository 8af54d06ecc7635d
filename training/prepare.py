"""Joins labels with texts, takes near-duplicates out across splits, and writes one Parquet file of rows.

    python -m training.prepare --datasets DIR --out rows.parquet

`data/annotations/*.csv` holds labels by (source, key), `key` being the SHA-256 of the UTF-8 text exactly
as stored in `DIR/<source>.parquet`; `data/corpus/*.jsonl` holds authored posts with their texts. Rows:
text, partisan, hate, hoax (null where unknown), weight, split, source, tier, unsure, drawn, group, pair.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from datasketch import MinHash, MinHashLSH

from netral.schema import FLAGS

DATA = Path(__file__).parents[1] / "data"
AUTHORED = "authored"
UNSURE_WEIGHT = 0.5
NEAR = 0.7  # Jaccard of word trigrams from which two texts count as near-duplicates
_ORDER = {"test": 0, "dev": 1, "train": 2, "weak": 3}  # a near-duplicate stays in the split that stands first


def text_hash(text: str) -> str:
    """Return the key of a text in data/annotations: SHA-256 of its UTF-8 bytes."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def text_key(text: str) -> str:
    """Return a text stripped to its words, for finding twins: lower-case, no URLs, no mentions, 80 characters."""
    return " ".join(text_key_words(text))[:80]


def shingles(text: str) -> set[str]:
    """Return the word trigrams of a text (the whole text when it is shorter)."""
    words = text_key_words(text)
    return {" ".join(words[i : i + 3]) for i in range(len(words) - 2)} or {" ".join(words)}


def text_key_words(text: str) -> list[str]:
    """Return the words of a text without URLs and mentions, lower-case."""
    return re.findall(r"\w+", re.sub(r"https?://\S+|@\w+", "", text.lower()))


def read_annotations(folder: Path) -> pl.DataFrame:
    """Return the labels of all annotation files; a later file's row replaces an earlier one's."""
    frames = [pl.read_csv(path, schema_overrides={"key": pl.String}) for path in sorted(folder.glob("*.csv"))]
    return pl.concat(frames).unique(["source", "key"], keep="last", maintain_order=True)


def join_texts(labels: pl.DataFrame, datasets: Path) -> tuple[pl.DataFrame, int]:
    """Return the labels with their texts and licence tiers, and how many texts were not found."""
    parts = [labels.clear().with_columns(text=pl.lit(""), licence_tier=pl.lit(""))]
    for (source,), part in labels.group_by(["source"], maintain_order=True):
        if not (path := datasets / f"{source}.parquet").exists():
            continue
        frame = pl.read_parquet(path, columns=["text", "licence_tier"])
        keyed = frame.with_columns(pl.col("text").map_elements(text_hash, return_dtype=pl.String).alias("key"))
        parts.append(part.join(keyed.unique("key"), on="key", how="inner"))
    joined = pl.concat(parts)
    return joined, len(labels) - len(joined)


def read_corpus(folder: Path) -> list[dict[str, Any]]:
    """Return the authored posts."""
    lines = (line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines())
    return [json.loads(line) for line in lines]


def _weak_hate(label: str) -> dict[str, float]:
    return {"hate": 0.9 if "HS" in label.split("+") else 0.1}


def _weak_netifier(label: str) -> dict[str, float]:
    return {"hate": 0.85 if any(mark in label for mark in ("sara1", "rad1", "def1")) else 0.15}


def _weak_hoax(label: str) -> dict[str, float]:
    return {"hoax": 0.9 if label == "1" else 0.1}


def _no_flag(label: str) -> dict[str, float]:
    return dict.fromkeys(FLAGS, 0.02)


WEAK: dict[str, Callable[[str], dict[str, float]]] = {
    "hs_okky_multilabel": _weak_hate,
    "hs_netifier_train": _weak_netifier,
    "hoax_satria_narasi": _weak_hoax,
    "news_detik_titles": _no_flag,
    "news_titles_gabriella": _no_flag,
}
"""Sources whose own labels say something of a flag; soft, and only for a first stage (split "weak")."""


def read_weak(datasets: Path) -> list[dict[str, Any]]:
    """Return rows of the public labels in `WEAK`; flags they say nothing of are null."""
    rows = []
    for source, flags in WEAK.items():
        if not (path := datasets / f"{source}.parquet").exists():
            continue
        frame = pl.read_parquet(path)
        for text, label, tier in frame.select("text", "original_label", "licence_tier").iter_rows():
            rows.append(
                dict.fromkeys(FLAGS)
                | flags(str(label))
                | {"text": text, "split": "weak", "source": source, "drawn": "weak", "unsure": False, "weight": 1.0}
                | {"tier": tier, "group": "", "pair": ""}
            )
    return rows


def drop_near_duplicates(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Return the rows without those of train that are near a row of dev or test, nor of dev near test."""
    lsh = MinHashLSH(threshold=NEAR, num_perm=64)
    kept: list[dict[str, Any]] = []
    dropped: Counter[str] = Counter()
    splits: list[str] = []
    seen: set[str] = set()
    for row in sorted(rows, key=lambda row: _ORDER[row["split"].split("-")[0]]):
        split = row["split"].split("-")[0]
        if row["source"] == AUTHORED:  # checked against each other where they are written
            kept.append(row)
            continue
        if (key := text_key(row["text"])) in seen and split in ("train", "weak") and len(key) > 15:
            dropped[f"{split}: twin"] += 1
            continue
        seen.add(key)
        sketch = MinHash(num_perm=64)
        sketch.update_batch([part.encode() for part in shingles(row["text"])])
        if split != "test" and any(splits[int(found)] != split for found in lsh.query(sketch)):
            dropped[f"{split}: near an earlier split"] += 1
            continue
        if split in ("test", "dev"):
            lsh.insert(str(len(splits)), sketch)
            splits.append(split)
        kept.append(row)
    return kept, dropped


def main() -> None:
    """Write the rows and print what went in and out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", type=Path, required=True, help="folder of <source>.parquet files")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weak", action="store_true", help="add rows with public labels for a first stage")
    args = parser.parse_args()
    if not args.datasets.is_dir():
        parser.error(f"{args.datasets}: no such directory")
    labels, missing = join_texts(read_annotations(args.data / "annotations"), args.datasets)
    rows: list[dict[str, Any]] = []
    for row in labels.filter(pl.col("unusable") == 0).iter_rows(named=True):
        rows.append(
            {name: float(row[name]) for name in FLAGS}
            | {name: row[name] for name in ("text", "split", "source", "drawn")}
            | {"unsure": bool(row["unsure"]), "weight": UNSURE_WEIGHT if row["unsure"] else 1.0}
            | {"tier": row["licence_tier"], "group": "", "pair": ""}
        )
    corpus = read_corpus(args.data / "corpus")
    joined = {post["pair"]: post["group"] for post in corpus if post["pair"] and post["group"]}
    for post in corpus:
        unit = joined.get(post["pair"], post["pair"]) or post["group"] or post["id"]
        rows.append(
            {name: float(post[name]) for name in FLAGS}
            | {"text": post["text"], "split": corpus_split(unit), "source": AUTHORED, "drawn": "authored"}
            | {"unsure": False, "weight": 1.0, "tier": AUTHORED, "group": post["group"], "pair": post["pair"]}
        )
    kept, dropped = drop_near_duplicates(rows + (read_weak(args.datasets) if args.weak else []))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame(kept, infer_schema_length=None)
    frame.write_parquet(args.out)
    print(f"{missing} labels without a text in {args.datasets}; dropped: {dict(dropped)}")
    print(
        frame.group_by("split")
        .agg(pl.len(), *(pl.col(flag).sum() for flag in FLAGS), pl.col("unsure").sum())
        .sort("split")
    )


def corpus_split(unit: str) -> str:
    """Return "dev" for a tenth of the units (pair, group or single post) of the corpus."""
    return "dev" if int(text_hash(unit)[:8], 16) % 10 == 0 else "train"


if __name__ == "__main__":
    main()
