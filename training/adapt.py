"""Masked-language adaptation of an encoder to Indonesian social text, bounded by a token budget.

    python -m training.adapt --checkpoint DIR --texts text.parquet --out DIR --tokens 4_000_000

The masked-language head is tied to the embeddings and thrown away afterwards. Resumable: a checkpoint
is written every few minutes, and a restart with the same arguments goes on from it.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch import nn

from netral.normalize import light
from training.checkpoint import find_checkpoint, load_encoder, load_state, load_tokenizer, save_state
from training.model import DEVICE, autocast
from training.prepare import text_key
from training.train import Config, pad, set_rates


class MaskedHead(nn.Module):
    """Dense, GELU, LayerNorm, then the embeddings transposed (BERT's own head)."""

    def __init__(self, encoder: Any) -> None:
        """Tie the output to the encoder's embeddings."""
        super().__init__()
        width = encoder.config.hidden_size
        self.dense, self.norm = nn.Linear(width, width), nn.LayerNorm(width)
        self.embeddings = encoder.get_input_embeddings()
        self.bias = nn.Parameter(torch.zeros(self.embeddings.num_embeddings))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return logits over the vocabulary for hidden states [n, width]."""
        return nn.functional.linear(
            self.norm(nn.functional.gelu(self.dense(hidden))), self.embeddings.weight, self.bias
        )


def lines(path: Path, shares: dict[str, float], exclude: set[str], seed: int) -> Iterator[str]:
    """Yield texts, domains mixed by their shares, none whose key is in `exclude`."""
    frame = pl.read_parquet(path)
    dice = random.Random(seed)
    pools = {name: frame.filter(pl.col("domain") == name)["text"].to_list() for name in shares}
    for pool in pools.values():
        dice.shuffle(pool)
    while any(pools.values()):
        name = dice.choices(list(shares), list(shares.values()))[0]
        if pools[name] and text_key(text := pools[name].pop()) not in exclude:
            yield text


def batches(texts: Iterator[str], tokenizer: Any, size: int, limit: int) -> Iterator[list[list[int]]]:
    """Yield batches of about `size` tokens, of texts alike in length, from windows of 2,000 texts."""
    dice = random.Random(0)
    while window := [text for _, text in zip(range(2000), texts, strict=False)]:
        ids = tokenizer([light(text).text for text in window], truncation=True, max_length=limit)["input_ids"]
        ids.sort(key=len)
        out: list[list[list[int]]] = [[]]
        for row in ids:
            if (len(out[-1]) + 1) * len(row) > size:
                out.append([])
            out[-1].append(row)
        dice.shuffle(out)
        yield from filter(None, out)


def mask(rows: list[list[int]], tokenizer: Any, share: float = 0.2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return ids with `share` of the tokens masked (80/10/10), attention mask and labels (-100 elsewhere)."""
    ids, attention = pad(rows, tokenizer.pad_token_id)
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    chosen = (torch.rand(ids.shape) < share) & ~special
    labels = torch.where(chosen, ids, -100)
    fate = torch.rand(ids.shape)
    ids = torch.where(chosen & (fate < 0.8), tokenizer.mask_token_id, ids)
    ids = torch.where(chosen & (fate >= 0.9), torch.randint(5, len(tokenizer), ids.shape), ids)
    return ids, attention, labels


def main() -> None:
    """Run the adaptation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=find_checkpoint, required=True, help="directory, or name on the hub")
    parser.add_argument("--texts", type=Path, required=True, help="Parquet with columns text, domain")
    parser.add_argument("--exclude", type=Path, nargs="*", default=[], help="Parquet files whose texts are left out")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=4_000_000)
    parser.add_argument("--batch-tokens", type=int, default=2048)
    parser.add_argument("--lr", type=float, default=2e-4)
    parser.add_argument("--seed", type=int, default=17)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    tokenizer = load_tokenizer(args.checkpoint)
    encoder = load_encoder(args.checkpoint, tokenizer).to(DEVICE)
    head = MaskedHead(encoder).to(DEVICE)
    body = list(encoder.parameters())
    fresh = [*head.dense.parameters(), *head.norm.parameters(), head.bias]  # starts from nothing: learns faster
    groups = [{"params": body, "rate": args.lr}, {"params": fresh, "rate": 5 * args.lr}]
    optimizer = torch.optim.AdamW(groups, lr=args.lr, weight_decay=0.01, betas=(0.9, 0.98))
    exclude = {text_key(text) for file in args.exclude for text in pl.read_parquet(file)["text"]}
    stream = batches(
        lines(args.texts, {"social": 0.85, "news": 0.12, "law": 0.03}, exclude, args.seed),
        tokenizer,
        args.batch_tokens,
        128,
    )
    done, resume = 0, args.out / "resume.pt"
    run = f"{args.texts} {args.tokens} {args.batch_tokens} {args.lr} {args.seed}"
    if resume.exists():
        state = load_state(resume, run, DEVICE)
        encoder.load_state_dict(state["encoder"])
        head.load_state_dict(state["head"])
        optimizer.load_state_dict(state["optimizer"])
        while done < state["done"]:
            done += sum(map(len, next(stream)))
    args.out.mkdir(parents=True, exist_ok=True)
    encoder.train()
    begun = saved = time.monotonic()
    mean = 0.0

    def save() -> None:
        state = {"encoder": encoder.state_dict(), "head": head.state_dict(), "optimizer": optimizer.state_dict()}
        save_state(resume, state | {"run": run, "done": done})
        encoder.save_pretrained(args.out)
        tokenizer.save_pretrained(args.out)

    for step, rows in enumerate(stream):
        set_rates(optimizer, Config(), done / args.tokens)
        ids, attention, labels = (part.to(DEVICE) for part in mask(rows, tokenizer))
        with autocast():
            hidden = encoder(input_ids=ids, attention_mask=attention).last_hidden_state
            loss = nn.functional.cross_entropy(head(hidden[labels != -100]).float(), labels[labels != -100])
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*body, *fresh], 1.0)
        optimizer.step()
        optimizer.zero_grad()
        done += sum(map(len, rows))
        mean = loss.item() if not mean else 0.98 * mean + 0.02 * loss.item()
        if step % 20 == 0:
            print(f"{done:>9} tokens  loss {mean:.3f}  {done / (time.monotonic() - begun):.0f} tokens/s", flush=True)
        if time.monotonic() - saved > 240:
            save()
            saved = time.monotonic()
        if done >= args.tokens:
            break
    save()


if __name__ == "__main__":
    main()
