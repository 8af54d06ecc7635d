"""Exports a trained checkpoint: fp32 ONNX equal to torch, then int8, with tokenizer.json and netral.json.

    python -m training.export --checkpoint DIR --ngrams ngrams.npz --policy policy.json --rows rows.parquet --out DIR
    python -m training.export --checkpoint DIR --out DIR --fp32

int8: weights with one scale a channel, activations with one a token, none of a whole run, so that posts may share one.
Outliers of activations are moved into the weights before (SmoothQuant, Xiao et al. 2022), measured on 200 posts of the
train split. The embedding table is stored as int8 with one scale a row.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import polars as pl
import torch
from onnx import TensorProto, helper, numpy_helper
from transformers import AutoModelForSequenceClassification

from netral.decision import Policy
from netral.model import mask_of
from netral.ngrams import FILE as NGRAMS
from netral.normalize import VERSION, light
from netral.schema import FLAGS
from training.checkpoint import load_tokenizer
from training.model import Alike

OPSET = 17
TOLERANCE = 1e-4
SMOOTH_POSTS = 200
GELU_FLOOR = 0.17  # GELU is nowhere below -0.16998
CONSTANTS = {
    "signed_step": np.float32(1 / 127),
    "signed_zero": np.uint8(128),
    "positive_step": np.float32(1 / 255),
    "positive_zero": np.uint8(0),
    "gelu_floor": np.float32(GELU_FLOOR),
}


def to_onnx(model: Any, path: Path) -> None:
    """Write `model` as fp32 ONNX, input_ids [posts, tokens] -> logits [posts, 3]; refuses a file unlike torch."""
    alike = Alike(model.eval()).eval()
    example = torch.tensor([[0, *range(5, 20), 2]] * 2)
    torch.onnx.export(
        alike,
        (example,),
        str(path),
        input_names=["input_ids"],
        output_names=["logits"],
        dynamic_axes={"input_ids": {0: "posts", 1: "tokens"}, "logits": {0: "posts"}},
        opset_version=OPSET,
        dynamo=False,
    )
    alike.eval()
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for shape in ((1, 3), (3, 17), (1, 64)):
        ids = torch.randint(5, model.config.vocab_size, shape)
        with torch.inference_mode():
            want = alike(ids).numpy()
        gap = float(np.abs(session.run(["logits"], {"input_ids": ids.numpy()})[0] - want).max())
        if gap > TOLERANCE:
            raise SystemExit(f"{path}: ONNX differs from torch by {gap:.1e}, more than {TOLERANCE}")


def quantize(source: Path, target: Path, posts: list[list[int]]) -> None:
    """Write `source` with int8 matrix products, smoothed over `posts`, and int8 embedding rows."""
    model = onnx.load(str(source))
    graph = model.graph
    tables = {item.name: item for item in graph.initializer}
    products: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in tables:
            products[node.input[0]].append(node)
    highest = channel_maxima(model, list(products), posts)
    gelu = any(node.op_type == "Erf" for node in graph.node)
    for key, value in CONSTANTS.items():
        graph.initializer.append(numpy_helper.from_array(value, key))
    for name, nodes in products.items():
        weights = np.concatenate([numpy_helper.to_array(tables[node.input[1]]) for node in nodes], axis=1)
        factors = np.sqrt(highest[name] / np.maximum(np.abs(weights).max(1), 1e-5))
        factors = (factors / np.exp(np.log(factors).mean())).astype(np.float32)
        int8_products(graph, nodes, weights * factors[:, None], 1 / factors, gelu and "act_fn" in name)
        for node in nodes:
            graph.initializer.remove(tables[node.input[1]])
    shrink_embeddings(model)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, str(target))


def channel_maxima(
    model: onnx.ModelProto, names: list[str], posts: list[list[int]]
) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    """Return the highest absolute value of each channel of the tensors `names` over `posts`."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    probe.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    session = ort.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    highest: dict[str, Any] = dict.fromkeys(names, np.float32(1e-5))
    for ids in posts:
        for name, value in zip(names, session.run(names, {"input_ids": np.array([ids])}), strict=True):
            highest[name] = np.maximum(highest[name], np.abs(value).reshape(-1, value.shape[-1]).max(0))
    return highest


def int8_products(
    graph: onnx.GraphProto,
    nodes: list[onnx.NodeProto],
    weights: np.ndarray[Any, Any],
    divisors: np.ndarray[Any, Any],
    gelu: bool,
) -> None:
    """Replace the products `nodes` of one tensor by one product of int8.

    What enters is multiplied by `divisors` [in], then every row (token) is divided by its highest value, so that one
    step fits every row, whatever the others hold. `weights` [in, all out] get one scale a column. What comes out of
    GELU (`gelu`) is raised above 0 before, which doubles its steps; the bias that follows takes it back.
    """
    name, base = nodes[0].input[0], nodes[0].output[0]
    scale = np.maximum(np.abs(weights).max(0), 1e-8).astype(np.float32) / 127
    rounded = np.round(weights / scale).astype(np.int8)
    tables = {"divisors": divisors, "weight": rounded, "weight_scale": scale}
    graph.initializer.extend(numpy_helper.from_array(table, f"{name}_{key}") for key, table in tables.items())
    kind, rows = ("positive", f"{name}_raised") if gelu else ("signed", name)
    new = [helper.make_node("Add", [name, "gelu_floor"], [rows])] if gelu else []
    new.append(helper.make_node("Mul", [rows, f"{name}_divisors"], [f"{name}_smoothed"]))
    if gelu:
        lower_bias(graph, nodes[0], GELU_FLOOR * divisors @ (rounded * scale))
    else:
        new.append(helper.make_node("Abs", [f"{name}_smoothed"], [f"{name}_abs"]))
    new += [
        helper.make_node("ReduceMax", [new[-1].output[0]], [f"{name}_top"], axes=[-1], keepdims=1),
        helper.make_node("Div", [f"{name}_smoothed", f"{name}_top"], [f"{name}_even"]),
        helper.make_node("QuantizeLinear", [f"{name}_even", f"{kind}_step", f"{kind}_zero"], [f"{name}_int8"]),
        helper.make_node(
            "MatMulIntegerToFloat",
            [f"{name}_int8", f"{name}_weight", f"{kind}_step", f"{name}_weight_scale", f"{kind}_zero"],
            [f"{base}_even"],
            name=",".join(node.name for node in nodes),
            domain="com.microsoft",
        ),
    ]
    outs = [node.output[0] for node in nodes]
    whole = outs if len(outs) == 1 else [f"{base}_all"]
    new.append(helper.make_node("Mul", [f"{base}_even", f"{name}_top"], whole))
    if whole != outs:
        new.append(helper.make_node("Split", whole, outs, axis=-1))
    index = list(graph.node).index(nodes[0])
    for offset, node in enumerate(new):
        graph.node.insert(index + offset, node)
    for node in nodes:
        graph.node.remove(node)


def lower_bias(graph: onnx.GraphProto, product: onnx.NodeProto, surplus: np.ndarray[Any, Any]) -> None:
    """Take `surplus` from the bias that is added to `product`; the bias itself stays for training.restore."""
    tables = {item.name: item for item in graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in tables:  # biases that are equal are stored once
            tables[node.output[0]] = tables[node.input[0]]
    (add,) = (node for node in graph.node if node.op_type == "Add" and product.output[0] in node.input)
    (index,) = (i for i, name in enumerate(add.input) if name in tables)
    lower = (numpy_helper.to_array(tables[add.input[index]]) - surplus).astype(np.float32)
    add.input[index] += "_lower"
    graph.initializer.append(numpy_helper.from_array(lower, add.input[index]))


def shrink_embeddings(model: onnx.ModelProto) -> None:
    """Replace every large float table that is only gathered from by int8 rows with one scale a row."""
    graph = model.graph
    tables = {item.name: item for item in graph.initializer}
    for node in list(graph.node):
        if node.op_type != "Gather" or node.input[0] not in tables:
            continue
        table = tables[node.input[0]]
        values = numpy_helper.to_array(table)
        if values.ndim != 2 or values.size < 1_000_000:
            continue
        scale = np.maximum(np.abs(values).max(1, keepdims=True), 1e-8).astype(np.float32) / 127
        rows = np.round(values / scale).astype(np.int8)
        graph.initializer.remove(table)
        graph.initializer.extend(
            [numpy_helper.from_array(rows, f"{table.name}_rows"), numpy_helper.from_array(scale, f"{table.name}_scale")]
        )
        out, name = node.output[0], table.name
        fresh = [
            helper.make_node("Gather", [f"{name}_rows", node.input[1]], [f"{name}_row"]),
            helper.make_node("Cast", [f"{name}_row"], [f"{name}_float"], to=TensorProto.FLOAT),
            helper.make_node("Gather", [f"{name}_scale", node.input[1]], [f"{name}_row_scale"]),
            helper.make_node("Mul", [f"{name}_float", f"{name}_row_scale"], [out]),
        ]
        index = list(graph.node).index(node)
        graph.node.remove(node)
        for offset, item in enumerate(fresh):
            graph.node.insert(index + offset, item)


def sha256(path: Path) -> str:
    """Return the hash that `netral.json` keeps of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Export and write `netral.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--policy", type=Path, help="written by training.calibrate; thresholds 0.5 without it")
    parser.add_argument("--ngrams", type=Path, help="file of training.ngrams; the encoder judges alone without it")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="1")
    parser.add_argument("--max-tokens", type=int, default=192)
    parser.add_argument("--rows", type=Path, help="prepared rows; int8 looks at posts of their train split")
    parser.add_argument("--fp32", action="store_true", help="leave the weights in float32")
    args = parser.parse_args()
    if not args.fp32 and args.rows is None:
        parser.error("int8 needs --rows")
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer(args.checkpoint)
    model = AutoModelForSequenceClassification.from_pretrained(
        args.checkpoint, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        to_onnx(model, plain)
        if args.fp32:
            shutil.copy(plain, args.out / "model.onnx")
        else:
            rows = pl.read_parquet(args.rows).filter(pl.col("split") == "train")
            posts = rows.sample(min(SMOOTH_POSTS, len(rows)), seed=17)["text"].to_list()
            names = mask_of()
            texts = [light(post, names=names).text for post in posts]
            encoded = tokenizer(texts, truncation=True, max_length=args.max_tokens)["input_ids"]
            quantize(plain, args.out / "model.onnx", encoded)
    tokenizer.backend_tokenizer.save(str(args.out / "tokenizer.json"))
    if args.ngrams:
        shutil.copy(args.ngrams, args.out / NGRAMS)
    else:
        (args.out / NGRAMS).unlink(missing_ok=True)
    write_card(args.out, args.version, args.max_tokens, args.policy)


def write_card(out: Path, version: str, max_tokens: int, policy: Path | None) -> None:
    """Write `netral.json` beside the exported files."""
    files = [name for name in ("model.onnx", "tokenizer.json", NGRAMS) if (out / name).exists()]
    plain = {
        "calibration": {flag: [0.0, 1.0, *([1.0] if NGRAMS in files else [])] for flag in FLAGS},
        "policy": Policy().to_dict(),
    }
    card = {
        "version": version,
        "labels": list(FLAGS),
        "normalizer": VERSION,
        "caps": True,
        "masks": True,
        "max_tokens": max_tokens,
        "sha256": {name: sha256(out / name) for name in files},
        **(json.loads(policy.read_text(encoding="utf-8")) if policy else plain),
    }
    (out / "netral.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
