"""Speeds side by side in one run: a transformers pipeline, ONNX of the same shape, netral, rules, the machine's roof.

    python -m benchmarks.speed --posts rows.parquet --blank DIR [--model DIR] [--count 5000]

`--blank` is a checkpoint made by training.blank. The slow rows judge fewer posts (the table says how many), always
from the front of one fixed sample. Prints a Markdown table, with a row of abusify-id where that is installed
(`pip install --no-deps abusify-id`; its pickles are loaded).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import polars as pl
from onnx import TensorProto, helper

import netral
from netral.model import OnnxClassifier, load_model, usable_cores

ROOT = Path(__file__).parents[1]


def rate(run: Callable[[list[str]], Any], texts: list[str]) -> float:
    """Return posts a second, after a short warm-up."""
    run(texts[:8])
    begun = time.perf_counter()
    run(texts)
    return len(texts) / (time.perf_counter() - begun)


def roof(seconds: float = 3.0) -> float:
    """Return the int8 matrix products of all usable cores in GOP/s, by onnxruntime's MatMulInteger."""
    rows, width, out = 512, 384, 1536
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["c"])],
        "roof",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, [rows, width])],
        [helper.make_tensor_value_info("c", TensorProto.INT32, [rows, out])],
        [helper.make_tensor("b", TensorProto.INT8, [width, out], np.ones(width * out, np.int8).tobytes(), raw=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = ort.SessionOptions()
    options.intra_op_num_threads = usable_cores()
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {"a": np.ones((rows, width), np.uint8)}
    session.run(None, feed)
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        session.run(None, feed)
        count += 1
    return 2e-9 * rows * width * out * count / (time.perf_counter() - begun)


def operations(directory: Path, texts: list[str]) -> tuple[float, float]:
    """Return the int8 GOP of weight products for a mean post, and its mean tokens."""
    graph = onnx.load(str(directory / "model.onnx")).graph
    wide = {"MatMulInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat", "QAttention"}
    used = {name for node in graph.node if node.op_type in wide for name in node.input}
    weights = sum(int(np.prod(item.dims)) for item in graph.initializer if item.name in used and len(item.dims) == 2)
    encoder = OnnxClassifier(directory)._encoder
    tokens = float(np.mean([sum(map(len, encoder.windows(encoder.light(text)))) for text in texts]))
    return 2e-9 * weights * tokens, tokens


def pipeline_rows(blank: Path, texts: list[str]) -> list[tuple[str, float, int]]:
    """Return the rates of a transformers pipeline with its defaults, and with batches of 32."""
    import torch
    from transformers import AutoModelForSequenceClassification, pipeline

    from training.checkpoint import load_tokenizer

    torch.set_num_threads(usable_cores())
    judge: Any = pipeline(
        "text-classification",
        model=AutoModelForSequenceClassification.from_pretrained(blank, num_labels=3),
        tokenizer=load_tokenizer(blank),
    )
    options = {"truncation": True, "max_length": 192}
    return [
        (
            "transformers pipeline, BERT-base shape, fp32, defaults",
            rate(lambda t: judge(t, **options), texts),
            len(texts),
        ),
        (
            "the same, batches of 32",
            rate(lambda t: judge(t, batch_size=32, **options), texts),
            len(texts),
        ),
    ]


def onnx_rows(blank: Path, texts: list[str], folder: Path) -> list[tuple[str, float, int]]:
    """Return the rates of ONNX files of the same shape, fp32 and int8, one post a run."""
    config = folder / "blank.toml"
    config.write_text('pooling = "first"\nepochs = 1\nmax_rows = 8\n', encoding="utf-8")
    rows = folder / "rows.parquet"
    data = {"text": texts[:8], "partisan": [0.0] * 8, "hate": [0.0] * 8, "hoax": [0.0] * 8, "weight": [1.0] * 8}
    pl.DataFrame(data | {"split": ["train"] * 8, "source": ["x"] * 8, "tier": ["A"] * 8}).write_parquet(rows)
    run = [sys.executable, "-m"]
    trained = folder / "trained"
    command = ["training.train", "--config", config, "--checkpoint", blank, "--rows", rows, "--out", trained]
    subprocess.run([*run, *map(str, command)], cwd=ROOT, check=True, capture_output=True)
    out = []
    for name, options in (("fp32", ["--fp32"]), ("int8", ["--rows", str(rows)])):
        target = folder / name
        export = ["training.export", "--checkpoint", trained, "--out", target, *options]
        subprocess.run([*run, *map(str, export)], cwd=ROOT, check=True, capture_output=True)
        judged = texts if name == "int8" else texts[: len(texts) // 2]
        out.append((f"ONNX of the same, {name}, one post a run", rate(load_model(target).predict, judged), len(judged)))
    return out


def abusify_rows(texts: list[str]) -> list[tuple[str, float, int]]:
    """Return the rate of abusify-id where it is installed; its package is not imported, for that opens a database."""
    if (package := importlib.util.find_spec("abusify_id")) is None:
        return []
    spec = importlib.util.spec_from_file_location(
        "abusify", Path(str(package.origin)).with_name("predict_abusiveness.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [
        ("abusify-id (TF-IDF, one core)", rate(lambda t: [module.predict_abusiveness(x) for x in t], texts), len(texts))
    ]


def scan_rate(texts: list[str], model: str | None, explain: int, folder: Path) -> float:
    """Return the posts a second of `netral scan` in a fresh process, start and finish included."""
    source, out = folder / "posts.csv", folder / f"scan-{model}-{explain}"
    pl.DataFrame({"id": range(len(texts)), "full_text": texts}).write_csv(source)
    command = [sys.executable, "-m", "netral", "scan", str(source), "--out", str(out), "--explain", str(explain)]
    begun = time.perf_counter()
    subprocess.run([*command, *(["--model", model] if model else [])], check=True, capture_output=True)
    return len(texts) / (time.perf_counter() - begun)


def first_verdict() -> float:
    """Return the seconds of `netral predict` in a fresh process."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "netral", "predict", "Ayo coblos nomor 2"], check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=Path, required=True)
    parser.add_argument("--blank", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=ROOT / "netral" / "resources" / "model")
    parser.add_argument("--count", type=int, default=5000)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    frame = pl.read_parquet(args.posts, columns=["text"]).unique("text", maintain_order=True)
    texts = frame.sample(min(args.count, len(frame)), seed=1)["text"].to_list()
    peak = roof()
    work, tokens = operations(args.model, texts)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = pipeline_rows(args.blank, texts[:200]) + onnx_rows(args.blank, texts[:400], folder)
        peak = max(peak, roof())  # a shared machine's speed moves: measured again beside the model
        model = rate(load_model(args.model).predict, texts)
        peak = max(peak, roof())
        screener = netral.load(args.model)
        rows += [
            ("netral, model part alone", model, len(texts)),
            ("netral, predict_batch (model and rules)", rate(screener.predict_batch, texts), len(texts)),
            ("netral scan, file to files, --explain 0", scan_rate(texts, str(args.model), 0, folder), len(texts)),
            ("netral scan, file to files, --explain 200", scan_rate(texts, str(args.model), 200, folder), len(texts)),
            ("netral, rules only", rate(netral.load("rules").predict_batch, texts), len(texts)),
            ("netral scan, rules only", scan_rate(texts, "rules", 0, folder), len(texts)),
            *abusify_rows(texts),
        ]
    base = rows[0][1]
    print(f"{len(texts):,} posts, {tokens:.1f} tokens in the mean; {usable_cores()} cores")
    print("| what | posts/s | times the first row | posts judged |\n| --- | ---: | ---: | ---: |")
    for label, posts, count in rows:
        print(f"| {label} | {posts:,.1f} | {posts / base:,.1f} | {count:,} |")
    share = model * work / peak
    print(f"\nint8 roof {peak:,.0f} GOP/s; {work:.2f} GOP a post; the model part reaches {share:.0%} of the roof")
    print(f"first verdict in a fresh process: {min(first_verdict() for _ in range(3)):.2f} s")
    print(json.dumps({"roof": peak, "gop": work, "tokens": tokens, "model": model}))


if __name__ == "__main__":
    main()
