"""Averages the weights of checkpoints of one lineage, each with its share.

    python -m training.average --checkpoint DIR=0.6 --checkpoint DIR=0.4 --out DIR

Between a checkpoint and one trained on from it lies what keeps the old posts and learns the new (Wortsman et al. 2022).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification

from training.checkpoint import load_tokenizer


def main() -> None:
    """Write the mean; the shares must add up to 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", action="append", required=True, metavar="DIR=SHARE")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    parts = [(Path(text.rpartition("=")[0]), float(text.rpartition("=")[2])) for text in args.checkpoint]
    if abs(sum(share for _, share in parts) - 1) > 1e-6:
        parser.error("the shares must add up to 1")
    models = [AutoModelForSequenceClassification.from_pretrained(path, dtype=torch.float32) for path, _ in parts]
    mean = models[0]
    weights = [model.state_dict() for model in models]
    mean.load_state_dict(
        {
            name: sum(share * each[name] for (_, share), each in zip(parts, weights, strict=True))
            for name, value in weights[0].items()
            if value.dtype.is_floating_point
        },
        strict=False,
    )
    mean.save_pretrained(args.out)
    load_tokenizer(parts[0][0]).save_pretrained(args.out)


if __name__ == "__main__":
    main()
