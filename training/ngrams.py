"""Fits the linear model over hashed character n-grams that is added to the encoder.

    python -m training.ngrams --rows rows.parquet --out ngrams.npz

One logistic regression a flag, on the train split of the configured tiers and the corpus, with names masked.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from netral.model import mask_of
from netral.ngrams import counts
from netral.normalize import light
from netral.schema import FLAGS
from training.metrics import Array
from training.train import Config, read_config, select

BITS = 18
STRENGTH = 12.0  # inverse of the regularisation; 1, 4 and 12 were tried on dev


def matrix(texts: list[str]) -> csr_matrix:
    """Return 1 + ln(count) of the n-grams of light texts [texts, buckets]."""
    rows = [counts(text, BITS) for text in texts]
    ends = np.cumsum([0, *(len(buckets) for buckets, _ in rows)])
    buckets, values = (np.concatenate(part) for part in zip(*rows, strict=True))
    return csr_matrix((values, buckets.astype(np.int32), ends), shape=(len(texts), 1 << BITS))


def weigh(table: csr_matrix, idf: Array) -> csr_matrix:
    """Return the rows times `idf`, each of length 1."""
    out = table.copy()
    out.data *= idf[out.indices]
    out.data /= np.repeat(np.sqrt(np.add.reduceat(out.data**2, out.indptr[:-1])), np.diff(out.indptr))
    return out


def fit(texts: list[str], truth: Array, weight: Array) -> dict[str, Array]:
    """Return the arrays of `ngrams.npz` for raw texts, truth [n, 3] (NaN where unknown) and weights [n]."""
    names = mask_of()
    table = matrix([light(text, names=names).text for text in texts])
    found = np.bincount(table.indices, minlength=1 << BITS)
    idf = (1 + np.log((1 + len(texts)) / (1 + found))).astype(np.float32)
    rows = weigh(table, idf)
    weights, bias = np.zeros((1 << BITS, len(FLAGS))), np.zeros(len(FLAGS))
    for index in range(len(FLAGS)):
        known = ~np.isnan(truth[:, index])
        if known.any():
            model = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=17)
            model.fit(rows[known], truth[known, index] > 0.5, sample_weight=weight[known])
            weights[:, index], bias[index] = model.coef_[0], model.intercept_[0]
    return {"weights": weights.astype(np.float16), "idf": idf.astype(np.float16), "bias": bias.astype(np.float32)}


def main() -> None:
    """Fit and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, help="its tiers are taken; A and B without it")
    args = parser.parse_args()
    tiers = read_config(args.config).tiers if args.config else "A,B"
    rows = select(pl.read_parquet(args.rows), Config(tiers=tiers))
    truth = rows.select(FLAGS).cast(pl.Float64).fill_null(float("nan")).to_numpy()
    np.savez_compressed(args.out, **fit(rows["text"].to_list(), truth, rows["weight"].to_numpy()))


if __name__ == "__main__":
    main()
