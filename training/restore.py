"""Rebuilds a torch checkpoint from an exported model, so that training can go on from what ships.

    python -m training.restore --model netral/resources/model --checkpoint DIR --out DIR

`--checkpoint` gives the shape and the tokenizer (the encoder the model was trained from). The weights are those of
int8: what rounding took is not brought back, and a short training makes up for it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from training.checkpoint import load_tokenizer
from training.model import build


def weights(model: onnx.ModelProto) -> dict[str, np.ndarray[Any, Any]]:
    """Return the parameters of an exported model under the names torch gives them, in float32."""
    tables = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    found = {
        name.removeprefix("model."): table for name, table in tables.items() if name.endswith((".bias", ".weight"))
    }
    for node in model.graph.node:
        if node.op_type == "MatMulIntegerToFloat":  # weights [in, out of all its products], smoothed
            name = node.input[1].removesuffix("_weight")
            values = tables[node.input[1]] * tables[f"{name}_weight_scale"] * tables[f"{name}_divisors"][:, None]
        elif node.op_type == "MatMul" and node.input[1] in tables:
            values = tables[node.input[1]]
        else:
            continue
        products = node.name.split(",")  # "/bert/encoder/layer.0/attention/self/query/MatMul"
        for product, part in zip(products, np.split(values, len(products), axis=1), strict=True):
            found[".".join([*product.strip("/").split("/")[:-1], "weight"]).removeprefix("model.")] = part.T
    for name in [name for name in tables if name.endswith("_rows")]:
        bare = name.removesuffix("_rows")
        found[bare.removeprefix("model.")] = tables[name].astype(np.float32) * tables[f"{bare}_scale"]
    return found


def main() -> None:
    """Write the checkpoint; refuse one whose parameters are not all in the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="directory with model.onnx")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pooling", default="mean")
    args = parser.parse_args()
    tokenizer = load_tokenizer(args.checkpoint)
    model = build(args.checkpoint, tokenizer, args.pooling)
    found = weights(onnx.load(str(args.model / "model.onnx")))
    state = model.state_dict()
    for name, value in state.items():
        unused = name.startswith("bert.pooler") and name not in found  # a mean passes the pooler over
        if unused or not value.dtype.is_floating_point:
            continue
        if name not in found or found[name].shape != tuple(value.shape):
            raise SystemExit(
                f"{args.model}: no {name} of shape {tuple(value.shape)}; is {args.checkpoint} its encoder?"
            )
        state[name] = torch.from_numpy(np.array(found[name], dtype=np.float32))
    model.load_state_dict(state)
    model.save_pretrained(args.out)
    tokenizer.save_pretrained(args.out)


if __name__ == "__main__":
    main()
