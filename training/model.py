"""The classifier that is trained: a Hugging Face sequence classifier, its vector pooled as configured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification

from netral.schema import FLAGS

POOLING = "netral_pooling"
"""Key of config.json: "mean" over the last layer, or "first" for the checkpoint's own pooled token."""

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
"""Where training runs."""


def autocast() -> torch.autocast:
    """Return the context of forward passes: bfloat16 where `DEVICE` multiplies it itself, else float32.

    CPUs without AVX-512 imitate bfloat16: 29 tokens a second instead of 710 (measured with 12 layers of 384).
    """
    if DEVICE.type == "cuda":
        quick = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        quick = torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return torch.autocast(DEVICE.type, torch.bfloat16, enabled=quick)


def build(path: Path, tokenizer: Any, pooling: str, *, random: bool = False) -> Any:
    """Return a three-flag sequence classifier over the checkpoint at `path`, in float32."""
    config = AutoConfig.from_pretrained(path)
    config.num_labels = len(FLAGS)
    config.id2label = dict(enumerate(FLAGS))
    config.label2id = {flag: index for index, flag in enumerate(FLAGS)}
    config.problem_type = "multi_label_classification"
    config.attention_probs_dropout_prob = 0.0  # its mask would double the time of attention on a CPU
    setattr(config, POOLING, pooling)
    if random:
        model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager")
    else:
        model = AutoModelForSequenceClassification.from_pretrained(
            path, config=config, dtype=torch.float32, attn_implementation="eager"
        )
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=True)
    for layer in list(model.modules()):
        for name, child in layer.named_children():
            if isinstance(child, nn.Dropout):
                setattr(layer, name, SharedDropout(child.p))
    return model.float()


class SharedDropout(nn.Dropout):
    """Dropout with one mask a post, shared by its tokens (Gal and Ghahramani 2016): fewer numbers to draw."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Return `input` [n, ..., channels] with dropped channels at 0 and the others scaled up."""
        if not self.training or not self.p:
            return input
        shape = (input.shape[0], *[1] * (input.ndim - 2), input.shape[-1])
        keep = torch.rand(shape, device=input.device) >= self.p
        return input * (keep / (1 - self.p)).to(input.dtype)


def logits(model: Any, ids: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
    """Return logits [n, 3] for token ids and attention mask [n, width], on the model's device."""
    ids, attention = ids.to(model.device), attention.to(model.device)
    if getattr(model.config, POOLING, "first") != "mean":
        return model(input_ids=ids, attention_mask=attention).logits  # type: ignore[no-any-return]
    hidden = model.base_model(input_ids=ids, attention_mask=attention).last_hidden_state
    mask = attention.unsqueeze(-1).to(hidden.dtype)
    mean = (hidden * mask).sum(1) / mask.sum(1)
    return model.classifier(model.dropout(mean))  # type: ignore[no-any-return]


class Alike(nn.Module):
    """What is exported: input_ids [posts, tokens] of posts alike in length -> logits [posts, 3]; no mask is needed.

    Mean and classifier are products of one post each: so onnxruntime adds in one order, however many posts there are.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        if getattr(self.model.config, POOLING, "first") != "mean":
            return self.model(input_ids=input_ids).logits  # type: ignore[no-any-return]
        hidden = self.model.base_model(input_ids=input_ids).last_hidden_state
        mean = hidden.new_ones(1, hidden.shape[1]) / hidden.shape[1] @ hidden
        return (self.model.classifier.weight @ mean.transpose(1, 2)).squeeze(-1) + self.model.classifier.bias  # type: ignore[no-any-return]
