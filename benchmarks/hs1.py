"""Hate speech on the five public folds of HS1 (Ibrohim and Budi 2019, folds of IndoBERTweet): F1 of the hate class.

    python -m benchmarks.hs1 --folds folds.parquet --checkpoint DIR --out DIR [--config training/configs/hs1.toml]

Each fold trains encoder and n-grams on its own training part alone, takes their weights and its threshold from its dev
part and is measured once on its test part. The checkpoint must not have seen these posts: leave hs_okky_multilabel out
of its training (tier N). A finished fold is not trained again. Published, mean of folds: mBERT 85.1, IndoBERT
86.4-86.8, IndoBERTweet 88.4.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from sklearn.linear_model import LogisticRegression
from transformers import AutoModelForSequenceClassification

from netral.model import mask_of
from netral.ngrams import FILE, Ngrams
from netral.normalize import light
from netral.schema import FLAGS
from training.checkpoint import load_tokenizer
from training.metrics import f1
from training.model import build
from training.ngrams import fit
from training.train import Config, Texts, predict, read_config, train

HATE = FLAGS.index("hate")


def fold_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a fold as `training.train` reads them: hate known, the other flags null."""
    return frame.select(
        pl.col("Tweet").alias("text"),
        pl.col("HS").cast(pl.Float64).alias("hate"),
        *(pl.lit(None, pl.Float64).alias(flag) for flag in FLAGS if flag != "hate"),
        pl.lit(1.0).alias("weight"),
        pl.lit("N").alias("tier"),
        pl.col("split"),
    )


def measure(frame: pl.DataFrame, checkpoint: Path, config: Config, out: Path) -> dict[str, float]:
    """Train one fold and return its threshold and F1 of the hate class on dev and test."""
    tokenizer = load_tokenizer(checkpoint)
    texts = Texts(config, tokenizer)
    parts = {name: fold_rows(frame.filter(pl.col("split") == name)) for name in ("train", "dev", "test")}
    if not (out / "model.safetensors").exists():
        torch.manual_seed(config.seed)
        model = build(checkpoint, tokenizer, config.pooling)
        train(model, tokenizer, parts["train"], parts["dev"].clear(), texts, config, out, 240)
    model = AutoModelForSequenceClassification.from_pretrained(out, dtype=torch.float32)
    truth = {name: part["hate"].to_numpy() > 0.5 for name, part in parts.items()}
    known = parts["train"].select(FLAGS).cast(pl.Float64).fill_null(float("nan")).to_numpy()
    np.savez_compressed(out / FILE, **fit(parts["train"]["text"].to_list(), known, np.ones(len(known))))
    ngrams, names = Ngrams(out / FILE), mask_of()
    both: dict[str, Any] = {}
    for name in ("dev", "test"):
        ids = [texts.plain(text) for text in parts[name]["text"]]
        spelled = [ngrams.logits(light(text, names=names).text)[HATE] for text in parts[name]["text"]]
        both[name] = np.column_stack([predict(model, ids, tokenizer.pad_token_id)[:, HATE], spelled])
    blend = LogisticRegression(C=1e4).fit(both["dev"], truth["dev"])
    found = {name: blend.predict_proba(rows)[:, 1] for name, rows in both.items()}
    grid = np.arange(0.2, 0.81, 0.02)
    best = float(max(grid, key=lambda limit: f1(truth["dev"], found["dev"] >= limit)))
    seen = frame.filter(pl.col("split") == "train")["Tweet"].unique()
    fresh = ~parts["test"]["text"].is_in(seen.to_list()).to_numpy()
    return {
        "threshold": round(best, 2),
        "dev": round(100 * f1(truth["dev"], found["dev"] >= best), 2),
        "test": round(100 * f1(truth["test"], found["test"] >= best), 2),
        "test without texts of its training part": round(
            100 * f1(truth["test"][fresh], found["test"][fresh] >= best), 2
        ),
    }


def main() -> None:
    """Print the figures of every fold and their means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=Path(__file__).parents[1] / "training" / "configs" / "hs1.toml")
    args = parser.parse_args()
    config, folds = read_config(args.config), pl.read_parquet(args.folds)
    results = []
    for fold in sorted(folds["fold"].unique().to_list()):
        found = measure(folds.filter(pl.col("fold") == fold), args.checkpoint, config, args.out / f"fold{fold}")
        print(json.dumps({"fold": fold} | found), flush=True)
        results.append(found)
    print(json.dumps({"mean": {key: round(float(np.mean([row[key] for row in results])), 2) for key in results[0]}}))


if __name__ == "__main__":
    main()
