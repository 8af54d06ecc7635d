"""Fine-tunes a BERT-family checkpoint on prepared rows: three sigmoid outputs, masked loss.

    python -m training.train --config training/configs/mini.toml --checkpoint DIR --rows rows.parquet --out DIR

Resumable: state is written every few minutes and picked up again. The weights written are the average
over the last part of the training.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import random
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import nn

from netral.contest import bundled_contests
from netral.model import mask_of
from netral.normalize import Names, light
from netral.schema import FLAGS
from training.augment import Augmenter, names_pattern
from training.checkpoint import find_checkpoint, load_state, load_tokenizer, save_state
from training.metrics import summary
from training.model import DEVICE, autocast, build, logits


@dataclass(frozen=True)
class Config:
    """One training run; every field is a key of the TOML file."""

    checkpoint: str = ""
    pooling: str = "mean"
    epochs: float = 3.0
    lr: float = 1e-4
    head_lr: float = 1e-3
    layer_decay: float = 0.95
    warmup: float = 0.06
    weight_decay: float = 0.01
    batch_tokens: int = 1600
    max_tokens: int = 192
    swap: float = 0.5
    attack: float = 0.15
    mask_share: float = 0.6
    invented_share: float = 0.25
    average_from: float = 0.6
    seed: int = 17
    random_weights: bool = False
    split: str = "train"
    tiers: str = ""
    max_rows: int = 0


def read_config(path: Path) -> Config:
    """Return the configuration of a TOML file; unknown keys are refused."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    if unknown := set(data) - {field.name for field in fields(Config)}:
        raise SystemExit(f"{path}: unknown key {sorted(unknown)[0]!r}")
    return Config(**data)


class Texts:
    """Rows -> token ids, changed anew in every epoch."""

    def __init__(self, config: Config, tokenizer: Any) -> None:
        self._tokenizer, self._config = tokenizer, config
        self._dice = random.Random(config.seed)
        self._augment = Augmenter(config.seed, config.swap, config.attack)
        self._names = mask_of()
        self._pattern = names_pattern(bundled_contests())

    def train(self, text: str) -> list[int]:
        """Return the ids of a text, augmented; names masked, replaced by invented ones or left."""
        text = self._augment(text)
        roll = self._dice.random()
        names: Names | None = self._names if roll < self._config.mask_share else None
        if self._config.mask_share <= roll < self._config.mask_share + self._config.invented_share:
            text, names = self._augment.replace_names(text, self._pattern), self._names
        return self.ids(text, names)

    def plain(self, text: str) -> list[int]:
        """Return the ids of a text as it will be judged."""
        return self.ids(text, self._names)

    def ids(self, text: str, names: Names | None) -> list[int]:
        """Return the ids of a text with special tokens, cut at the configured length."""
        encoded = self._tokenizer(light(text, names=names).text, truncation=True, max_length=self._config.max_tokens)
        return list(encoded["input_ids"])


def pad(rows: list[list[int]], padding: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and attention mask [n, width]."""
    width = max(map(len, rows))
    ids = torch.tensor([row + [padding] * (width - len(row)) for row in rows])
    attention = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    return ids, attention


def batches(lengths: list[int], size: int, dice: random.Random | None) -> Iterator[list[int]]:
    """Yield row numbers in batches of about `size` tokens, alike in length; shuffled with `dice`."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i] + (dice.random() * 3 if dice else 0))
    out: list[list[int]] = [[]]
    for index in order:
        if out[-1] and (len(out[-1]) + 1) * lengths[index] > size:
            out.append([])
        out[-1].append(index)
    if dice:
        dice.shuffle(out)
    yield from out


def predict(model: Any, rows: list[list[int]], padding: int, size: int = 4000) -> np.ndarray[Any, Any]:
    """Return logits [n, 3] as numpy, in the order of the rows."""
    model.to(DEVICE).eval()
    out = np.zeros((len(rows), len(FLAGS)), dtype=np.float32)
    with torch.inference_mode(), autocast():
        for chosen in batches([len(row) for row in rows], size, None):
            ids, attention = pad([rows[i] for i in chosen], padding)
            out[chosen] = logits(model, ids, attention).float().cpu().numpy()
    model.train()
    return out


def parameter_groups(model: Any, config: Config) -> list[dict[str, Any]]:
    """Return parameter groups: the head at its own rate, layers at rates that fall towards the input."""
    layers = model.config.num_hidden_layers
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if name.startswith("classifier"):
            rate = config.head_lr
        elif ".layer." in name:
            rate = config.lr * config.layer_decay ** (layers - 1 - int(name.split(".layer.")[1].split(".")[0]))
        else:
            rate = config.lr * config.layer_decay ** (layers if "embeddings" in name else 0)
        groups.setdefault(rate, []).append(parameter)
    return [{"params": params, "rate": rate, "lr": rate} for rate, params in groups.items()]


def select(frame: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Return the rows of the configured split and tiers ("" for all; authored rows always stay)."""
    frame = frame.filter(pl.col("split") == config.split)
    if config.tiers:
        frame = frame.filter(pl.col("tier").is_in([*config.tiers.split(","), "authored"]))
    return frame.sample(min(config.max_rows, len(frame)), seed=config.seed) if config.max_rows else frame


def main() -> None:
    """Train and write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--checkpoint", help="directory, or name on the Hugging Face hub; else the configuration's")
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--save-seconds", type=float, default=240)
    args = parser.parse_args()
    config = read_config(args.config)
    torch.manual_seed(config.seed)
    frame = pl.read_parquet(args.rows)
    checkpoint = find_checkpoint(args.checkpoint or config.checkpoint)
    tokenizer = load_tokenizer(checkpoint)
    model = build(checkpoint, tokenizer, config.pooling, random=config.random_weights)
    rows, dev = select(frame, config), frame.filter(pl.col("split") == "dev")
    texts = Texts(config, tokenizer)
    train(model, tokenizer, rows, dev, texts, config, args.out, args.save_seconds)


class Average:
    """The running mean of a model's weights over the last part of its training."""

    def __init__(self) -> None:
        self.weights: dict[str, torch.Tensor] = {}
        self.count = 0

    def add(self, model: Any) -> None:
        """Take the model's present weights into the mean."""
        self.count += 1
        for name, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                old = self.weights.get(name)
                self.weights[name] = value.clone() if old is None else old + (value - old) / self.count


def train(
    model: Any,
    tokenizer: Any,
    rows: pl.DataFrame,
    dev: pl.DataFrame,
    texts: Texts,
    config: Config,
    out: Path,
    save_seconds: float,
) -> None:
    """Run the epochs, printing loss and dev figures, and write averaged weights to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    model.to(DEVICE)
    labels = torch.tensor(rows.select(FLAGS).fill_null(float("nan")).to_numpy().astype(np.float32))
    weights = torch.tensor(rows["weight"].to_numpy().astype(np.float32))
    optimizer = torch.optim.AdamW(parameter_groups(model, config), weight_decay=config.weight_decay, fused=True)
    resume, average = out / "resume.pt", Average()
    run = hashlib.sha256(repr((config, rows["text"].to_list(), labels.tolist(), weights.tolist())).encode()).hexdigest()
    done = restore(load_state(resume, run, DEVICE), model, optimizer, average) if resume.exists() else 0
    dev_ids = [texts.plain(text) for text in dev["text"]]
    padding, begun = tokenizer.pad_token_id, time.monotonic()
    saved, mean, step, total = begun, 0.0, 0, 0
    for epoch, ids, plan in epochs(rows["text"].to_list(), texts, config):
        total = total or int(len(plan) * config.epochs)
        for chosen in plan[: total - step]:
            step += 1
            if step <= done:
                continue
            set_rates(optimizer, config, step / total)
            inputs, attention = pad([ids[i] for i in chosen], padding)
            with autocast():
                output = logits(model, inputs, attention).float()
            loss = masked_loss(output, labels[chosen].to(DEVICE), weights[chosen].to(DEVICE))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            mean = 0.98 * mean + 0.02 * loss.item() if mean else loss.item()
            if step / total >= config.average_from and step % 10 == 0:
                average.add(model)
            if step % 50 == 0:
                print(f"epoch {epoch} step {step}/{total} loss {mean:.4f} {time.monotonic() - begun:.0f}s", flush=True)
            if time.monotonic() - saved > save_seconds:
                save_state(resume, state_of(model, optimizer, average) | {"run": run, "step": step})
                saved = time.monotonic()
        if done < step:
            report(f"epoch {epoch}", model, dev, dev_ids, padding)
    final = copy.deepcopy(model)
    if average.count:
        final.load_state_dict(model.state_dict() | average.weights)
        report("averaged", final, dev, dev_ids, padding)
    final.save_pretrained(out)
    tokenizer.save_pretrained(out)
    resume.unlink(missing_ok=True)


def report(name: str, model: Any, dev: pl.DataFrame, ids: list[list[int]], padding: int) -> None:
    """Print the figures on dev, when there is one."""
    if len(dev):
        print(f"{name}: dev {summary(predict(model, ids, padding), dev)}", flush=True)


def epochs(raw: list[str], texts: Texts, config: Config) -> Iterator[tuple[int, list[list[int]], list[list[int]]]]:
    """Yield, for each epoch, its number, the token ids of its freshly augmented texts, and its batches."""
    dice = random.Random(config.seed)
    for epoch in range(int(np.ceil(config.epochs))):
        ids = [texts.train(text) for text in raw]
        yield epoch, ids, list(batches([len(row) for row in ids], config.batch_tokens, dice))


def set_rates(optimizer: torch.optim.Optimizer, config: Config, progress: float) -> None:
    """Set every group's learning rate: a linear rise over the warm-up, then a linear fall to 0."""
    factor = min(1.0, progress / config.warmup) * max(0.0, 1 - progress)
    for group in optimizer.param_groups:
        group["lr"] = group["rate"] * factor


def state_of(model: Any, optimizer: torch.optim.Optimizer, average: Average) -> dict[str, Any]:
    """Return everything a resumed run needs; on a CPU it ends in the weights of a run that was not stopped."""
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "average": average.weights}
    return state | {"averaged": average.count, "random": torch.get_rng_state()}


def restore(state: dict[str, Any], model: Any, optimizer: torch.optim.Optimizer, average: Average) -> int:
    """Bring back what `state_of` returned; return the steps that are done."""
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    average.weights, average.count = state["average"], state["averaged"]
    torch.set_rng_state(state["random"].cpu())
    return int(state["step"])


def masked_loss(output: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean binary cross-entropy over the flags that are known (not NaN)."""
    known = ~target.isnan()
    each = nn.functional.binary_cross_entropy_with_logits(output, target.nan_to_num(), reduction="none")
    scale = known * weight.unsqueeze(1)
    return (each * scale).sum() / scale.sum().clamp(min=1e-6)


if __name__ == "__main__":
    main()
