"""Exports a trained checkpoint: fp32 ONNX equal to torch, then int8, with tokenizer.json and netral.json.

    python -m training.export --checkpoint DIR --policy policy.json --rows rows.parquet --out DIR
    python -m training.export --checkpoint DIR --out DIR --fp32

int8: weights with one scale a channel, activations with one a token. Outliers of activations are moved into the weights
before (SmoothQuant, Xiao et al. 2022), measured on 200 posts of the train split. The embedding table is stored as
int8 with one scale a row.
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
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModelForSequenceClassification

from netral.model import mask_of
from netral.normalize import VERSION, light
from netral.schema import FLAGS
from training.checkpoint import load_tokenizer
from training.model import Single

OPSET = 17
TOLERANCE = 1e-4
SMOOTH_POSTS = 200


def to_onnx(model: Any, path: Path) -> None:
    """Write `model` as fp32 ONNX: input_ids [1, n] -> logits [1, 3]; refuses a file that differs from torch."""
    single = Single(model.eval()).eval()
    example = torch.tensor([[0, *range(5, 20), 2]])
    torch.onnx.export(
        single,
        (example,),
        str(path),
        input_names=["input_ids"],
        output_names=["logits"],
        dynamic_axes={"input_ids": {1: "tokens"}},
        opset_version=OPSET,
        dynamo=False,
    )
    single.eval()
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for length in (3, 17, 64):
        ids = torch.randint(5, model.config.vocab_size, (1, length))
        with torch.inference_mode():
            want = single(ids).numpy()
        gap = float(np.abs(session.run(["logits"], {"input_ids": ids.numpy()})[0] - want).max())
        if gap > TOLERANCE:
            raise SystemExit(f"{path}: ONNX differs from torch by {gap:.1e}, more than {TOLERANCE}")


def smooth(model: onnx.ModelProto, posts: list[list[int]]) -> None:
    """Divide what enters every matrix product by its channel's outliers over `posts`, and multiply the weights back."""
    graph = model.graph
    tables = {item.name: item for item in graph.initializer}
    products: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in tables:
            products[node.input[0]].append(node)
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    probe.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in products)
    session = ort.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    highest = dict.fromkeys(products, np.float32(1e-5))
    for ids in posts:
        for name, value in zip(products, session.run(list(products), {"input_ids": np.array([ids])}), strict=True):
            highest[name] = np.maximum(highest[name], np.abs(value).reshape(-1, value.shape[-1]).max(0))
    for name, nodes in products.items():
        weights = {node.input[1]: numpy_helper.to_array(tables[node.input[1]]) for node in nodes}
        widest = np.maximum(np.max([np.abs(weight).max(1) for weight in weights.values()], axis=0), 1e-5)
        factors = np.sqrt(highest[name] / widest)
        factors = (factors / np.exp(np.log(factors).mean())).astype(np.float32)
        graph.initializer.append(numpy_helper.from_array(1 / factors, f"{name}_divisors"))
        for table, weight in weights.items():
            tables[table].CopyFrom(numpy_helper.from_array(weight * factors[:, None], table))
        even_rows(graph, name, nodes)


def even_rows(graph: onnx.GraphProto, name: str, products: list[onnx.NodeProto]) -> None:
    """Divide `name` by its divisors and every row (token) by its highest value; multiply the products back."""
    smoothed, top, even = f"{name}_smoothed", f"{name}_top", f"{name}_even"
    before = [
        helper.make_node("Mul", [name, f"{name}_divisors"], [smoothed]),
        helper.make_node("Abs", [smoothed], [f"{name}_abs"]),
        helper.make_node("ReduceMax", [f"{name}_abs"], [top], axes=[-1], keepdims=1),
        helper.make_node("Div", [smoothed, top], [even]),
    ]
    for node in before:
        graph.node.insert(list(graph.node).index(products[0]), node)
    for node in products:
        node.input[0], (out,) = even, node.output
        node.output[0] = f"{out}_even"
        graph.node.insert(list(graph.node).index(node) + 1, helper.make_node("Mul", [node.output[0], top], [out]))


def quantize(source: Path, target: Path, posts: list[list[int]]) -> None:
    """Write `source`, smoothed over `posts`, with int8 matrix products and int8 embedding rows."""
    with tempfile.TemporaryDirectory() as folder:
        even, half = Path(folder) / "even.onnx", Path(folder) / "matmul.onnx"
        model = onnx.load(str(source))
        smooth(model, posts)
        onnx.save(model, str(even))
        quantize_dynamic(
            str(even),
            str(half),
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": TensorProto.FLOAT, "MatMulConstBOnly": True},
        )
        model = onnx.load(str(half))
    shrink_embeddings(model)
    onnx.save(model, str(target))


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
    write_card(args.out, args.version, args.max_tokens, args.policy)


def write_card(out: Path, version: str, max_tokens: int, policy: Path | None) -> None:
    """Write `netral.json` beside the exported files."""
    plain = {
        "calibration": {flag: [1.0, 0.0] for flag in FLAGS},
        "policy": {
            "thresholds": dict.fromkeys(FLAGS, 0.5),
            "review": {flag: [0.35, 0.65] for flag in FLAGS},
            "score": {},
            "floors": {},
            "caps": {},
        },
    }
    card = {
        "version": version,
        "labels": list(FLAGS),
        "normalizer": VERSION,
        "caps": True,
        "masks": True,
        "max_tokens": max_tokens,
        "sha256": {name: sha256(out / name) for name in ("model.onnx", "tokenizer.json")},
        **(json.loads(policy.read_text(encoding="utf-8")) if policy else plain),
    }
    (out / "netral.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
