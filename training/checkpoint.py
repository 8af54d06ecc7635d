"""Tokenizers of checkpoints as the recipe needs them: with the light text's symbols as one token each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken
from transformers import AutoConfig, AutoModel, AutoTokenizer, BertTokenizerFast, PreTrainedTokenizerFast

from netral.normalize import CANDIDATE, CAPS, PARTY

_SPECIAL = ("unk_token", "pad_token", "mask_token", "cls_token", "sep_token")


def load_tokenizer(path: Path) -> Any:
    """Return the tokenizer of a checkpoint directory with the symbols added; refuse one that knows no word."""
    if (path / "tokenizer.json").exists():
        plain = AutoTokenizer.from_pretrained(path)
        special = {name: getattr(plain, name) for name in _SPECIAL if getattr(plain, name, None)}
        tokenizer: Any = PreTrainedTokenizerFast(tokenizer_file=str(path / "tokenizer.json"), **special)
    elif (path / "vocab.txt").exists():  # transformers 5 passes vocab_file over without a word
        words = (path / "vocab.txt").read_text(encoding="utf-8").splitlines()
        tokenizer = BertTokenizerFast(vocab={word: index for index, word in enumerate(words)}, do_lower_case=True)
    else:
        raise SystemExit(f"{path}: neither tokenizer.json nor vocab.txt is there; download the whole checkpoint")
    tokenizer.add_tokens([AddedToken(symbol, lstrip=True, normalized=False) for symbol in (CAPS, CANDIDATE, PARTY)])
    if tokenizer.unk_token_id in tokenizer("pilih nomor", add_special_tokens=False)["input_ids"]:
        raise SystemExit(f"{path}: the tokenizer does not know the words 'pilih nomor'; is its vocabulary there?")
    return tokenizer


def load_encoder(path: Path, tokenizer: Any) -> Any:
    """Return the encoder of a checkpoint directory in float32, its embeddings grown to the tokenizer."""
    encoder = AutoModel.from_pretrained(path, config=AutoConfig.from_pretrained(path), dtype=torch.float32)
    if len(tokenizer) > encoder.get_input_embeddings().num_embeddings:
        encoder.resize_token_embeddings(len(tokenizer), mean_resizing=True)
    return encoder.float()
