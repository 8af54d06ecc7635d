"""Tokenizers of checkpoints as the recipe needs them: with the light text's symbols as one token each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError
from tokenizers import AddedToken
from transformers import AutoConfig, AutoModel, AutoTokenizer, BertTokenizerFast, PreTrainedTokenizerFast

from netral.normalize import CANDIDATE, CAPS, PARTY

_OTHER_FRAMEWORKS = ["*.h5", "*.msgpack", "*.ot", "*.onnx", "*.tflite"]
_SPECIAL = ("unk_token", "pad_token", "mask_token", "cls_token", "sep_token")


def find_checkpoint(name: str) -> Path:
    """Return the directory of a checkpoint: `name` itself, or where the Hugging Face hub's snapshot of it lies."""
    if not name:
        raise SystemExit("no checkpoint: give --checkpoint, a directory or a name on the Hugging Face hub")
    if Path(name).is_dir():
        return Path(name).resolve()
    try:
        return Path(snapshot_download(name, ignore_patterns=_OTHER_FRAMEWORKS))
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise SystemExit(f"{name}: no such directory, and the hub's cannot be fetched: {error}") from error


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write what a stopped run goes on from, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    torch.save(state, part)
    part.replace(path)


def load_state(path: Path, run: str, device: torch.device) -> dict[str, Any]:
    """Return what `save_state` wrote for the same `run`; refuse another's."""
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    if state["run"] != run:
        raise SystemExit(f"{path}: left by a run of other settings or rows; delete it or choose another --out")
    return state


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
