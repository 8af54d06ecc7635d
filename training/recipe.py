"""The whole recipe in one command: rows, training, n-grams, calibration, and the int8 model that `netral.load` runs.

    python -m training.recipe --config training/configs/indobert.toml --datasets DIR --out indobert

Writes rows.parquet, trained/, ngrams.npz, fp32/, policy.json and model/ to OUT, each by the command of its own module.
What stands there whole is not made again, and a training that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from training.checkpoint import find_checkpoint
from training.train import read_config

ROOT = Path(__file__).parents[1]


def make(target: Path, module: str, *arguments: object) -> Path:
    """Return `target`, made by `training.<module> ... --out` unless it is there; a step that fails ends all."""
    if not target.exists():
        part = target.parent / "part" / target.name
        part.parent.mkdir(parents=True, exist_ok=True)
        print(f"== training.{module}: {target}", flush=True)
        command = [sys.executable, "-m", f"training.{module}", *map(str, arguments), "--out", str(part)]
        if code := subprocess.run(command, cwd=ROOT).returncode:
            raise SystemExit(code)
        part.rename(target)
    return target


def main() -> None:
    """Run the steps in order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--checkpoint", help="directory, or name on the Hugging Face hub; else the configuration's")
    parser.add_argument("--datasets", type=Path, required=True, help="directory of the public posts, <source>.parquet")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    config_file, datasets, out = (path.resolve() for path in (args.config, args.datasets, args.out))
    config = read_config(config_file)
    checkpoint = find_checkpoint(args.checkpoint or config.checkpoint)
    rows = make(out / "rows.parquet", "prepare", "--datasets", datasets)
    use = ("--config", config_file, "--checkpoint", checkpoint, "--rows", rows)
    trained = make(out / "trained", "train", *use)
    ngrams = make(out / "ngrams.npz", "ngrams", "--rows", rows, "--config", config_file)
    export = ("--checkpoint", trained, "--ngrams", ngrams, "--max-tokens", config.max_tokens)
    fp32 = make(out / "fp32", "export", *export, "--fp32")
    policy = make(out / "policy.json", "calibrate", "--model", fp32, "--rows", rows)
    model = make(out / "model", "export", *export, "--rows", rows, "--policy", policy, "--version", out.name)
    print(f"netral predict ... --model {model}")


if __name__ == "__main__":
    main()
