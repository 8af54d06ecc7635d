"""Makes an untrained checkpoint of IndoBERT's own classes and shape, to try the recipe and to measure speed.

    python -m training.blank --texts rows.parquet --out DIR

BertModel, 12 layers of 768, a lower-casing WordPiece vocabulary of up to 50,000 pieces learnt from the texts
(column `text`); the sizes of indobenchmark/indobert-base-p2.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl
import torch
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertModel

VOCABULARY = 50_000


def main() -> None:
    """Write config.json, random weights and vocab.txt."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = BertWordPieceTokenizer(lowercase=True, strip_accents=True)
    texts = pl.read_parquet(args.texts, columns=["text"])["text"].to_list()
    tokenizer.train_from_iterator(texts, vocab_size=VOCABULARY, show_progress=False)
    tokenizer.save_model(str(args.out))
    torch.manual_seed(0)
    BertModel(BertConfig(vocab_size=VOCABULARY)).save_pretrained(args.out)


if __name__ == "__main__":
    main()
