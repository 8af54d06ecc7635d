"""Trains a model with the int8 rounding of `training.export` (quantization-aware training, Jacob et al. 2018).

Every matrix product of the encoder sees its weights at one scale an output channel and its input at one scale a token,
outliers shared between the two (SmoothQuant); gradients pass the rounding as if it were not there.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class RoundedLinear(nn.Linear):
    """A linear layer whose forward pass rounds as int8; its parameters stay what they are."""

    factors: torch.Tensor

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Return the product [..., out] of rounded input [..., in] and rounded weight."""
        even = input / self.factors
        step = even.detach().abs().amax(-1, keepdim=True).clamp(min=1e-5) / 127.5
        weight = self.weight * self.factors
        channel = weight.detach().abs().amax(1, keepdim=True).clamp(min=1e-8) / 127.5
        return nn.functional.linear(_rounded(even, step), _rounded(weight, channel), self.bias)


def _rounded(value: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    return value + (torch.round(value.detach() / step) * step - value.detach())


def smoothing(highest: torch.Tensor, widest: torch.Tensor) -> torch.Tensor:
    """Return what divides each input channel and multiplies its weights: outliers shared evenly, mean (log) of 1."""
    factors = torch.sqrt(highest / widest)
    return factors / factors.log().mean().exp()


def round_products(model: Any, posts: list[torch.Tensor]) -> None:
    """Make the encoder's linear layers round from now on; outliers are those of `posts`, ids [1, n] each."""
    groups = [
        [layer for layer in parent.children() if type(layer) is nn.Linear] for parent in model.base_model.modules()
    ]
    layers = [layer for group in groups for layer in group]
    highest = {layer: torch.full((layer.in_features,), 1e-5) for layer in layers}

    def look(layer: nn.Linear, inputs: tuple[torch.Tensor, ...]) -> None:
        highest[layer] = torch.maximum(highest[layer], inputs[0].float().abs().flatten(0, -2).amax(0))

    hooks = [layer.register_forward_pre_hook(look) for layer in layers]
    was = model.training
    model.eval()
    with torch.no_grad():
        for ids in posts:
            model.base_model(input_ids=ids)
    model.train(was)
    for hook in hooks:
        hook.remove()
    for group in groups:  # layers of one module (query, key, value) read the same input
        widest = [layer.weight.detach().abs().amax(0) for layer in group]
        for layer in group:
            factors = smoothing(highest[layer], torch.stack(widest).amax(0).clamp(min=1e-5))
            layer.register_buffer("factors", factors, persistent=False)
            layer.__class__ = RoundedLinear
