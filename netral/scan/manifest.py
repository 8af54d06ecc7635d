"""The fingerprint a scan is resumed under, and the manifest a finished one is verified by."""

from __future__ import annotations

import json
import platform
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any

from netral.contest import bundled_contests
from netral.errors import ScanError
from netral.readers import Columns
from netral.scan.inputs import Input, sha256_of
from netral.scan.tally import Tally
from netral.schema import VERSION
from netral.screener import Screener
from netral.writers import RENDERERS

MANIFEST = "manifest.json"
VERDICTS = "verdicts.jsonl"
REJECTED = "rejected.jsonl"
LIBRARIES = ("ftfy", "numpy", "onnxruntime", "tokenizers")
"""Libraries whose version can move a verdict or the text it is on."""

PART = 10_000
"""Records of one part."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is scanned, how, and where to; `model`, `contest` and `rules` as given to `netral.load`.

    "-" among `paths` is standard input. `format` adds a table to verdicts.jsonl: csv, parquet or xlsx.
    """

    paths: tuple[str, ...]
    out: Path
    model: str | None = None
    contest: str | None = None
    rules: str | None = None
    columns: Columns = field(default_factory=Columns)
    format: str = "jsonl"
    explain: int = 200
    part: int = PART

    def __post_init__(self) -> None:
        """Refuse what no scan can do."""
        if isinstance(self.paths, str | Path) or not all(isinstance(path, str) for path in self.paths):
            raise TypeError(f'paths is {self.paths!r}, not a tuple of str such as ("export.csv",)')
        if not isinstance(self.out, Path):
            raise TypeError(f"out is {type(self.out).__name__}, not pathlib.Path")
        if self.format not in ("jsonl", *RENDERERS):
            raise ScanError(f"format {self.format!r} is unknown; choose jsonl, {', '.join(RENDERERS)}")
        if self.part < 1 or self.explain < 0 or not self.paths:
            raise ScanError("a scan needs at least one path, a part of at least one record, and explain of 0 or more")

    def options(self) -> dict[str, Any]:
        """Return the options that shape the files of the scan."""
        return {
            "paths": list(self.paths),
            "model": self.model,
            "contest": self.contest,
            "rules": self.rules,
            "columns": self.columns.named(),
            "format": self.format,
            "explain": self.explain,
            "part": self.part,
        }


def versions_of(screener: Screener, model: str | None) -> dict[str, str]:
    """Return everything besides inputs and options that a verdict depends on."""
    roster = screener.rules.contest
    out = {
        "netral": VERSION,
        "verdict": screener.version,
        "rules": screener.rules.version,
        "contest": roster.id if roster else "bundled",
        "contest_sha256": sha256(repr(roster or bundled_contests()).encode()).hexdigest(),
        "regulations_sha256": _resource_digest("regulations.toml"),
        "unicode": unicodedata.unidata_version,
        "machine": platform.machine(),
    }
    if screener.classifier is not None:
        out["model_sha256"] = _model_digest(model)
    return out | {name: _installed(name) for name in LIBRARIES if _installed(name)}


def fingerprint_of(job: Job, inputs: Sequence[Input], screener: Screener) -> dict[str, Any]:
    """Return what must be the same for a scan to be resumed."""
    return {
        "inputs": {item.path: item.sha256 for item in inputs},
        "options": job.options(),
        "versions": versions_of(screener, job.model),
        "policy": screener.policy.to_dict(),
    }


def manifest_of(
    job: Job, inputs: Sequence[Input], fingerprint: Mapping[str, Any], tally: Tally, names: Sequence[str]
) -> dict[str, Any]:
    """Return the manifest of a finished scan whose files `names` stand in `job.out`."""
    from netral.model import usable_cores

    return {
        "netral": VERSION,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": tally.to_dict(),
        "versions": fingerprint["versions"],
        "thresholds": fingerprint["policy"]["thresholds"],
        "policy": fingerprint["policy"],
        "python": platform.python_version(),
        "threads": usable_cores() if "model_sha256" in fingerprint["versions"] else 1,
        "options": fingerprint["options"],
        "folder": str(Path.cwd()),  # where the paths of the inputs start
        "inputs": [item.to_dict() for item in inputs],
        "files": {
            name: {"bytes": (job.out / name).stat().st_size, "sha256": sha256_of(job.out / name)} for name in names
        },
    }


def fingerprint_in(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fingerprint of the scan that wrote `manifest`."""
    inputs = {item["path"]: item["sha256"] for item in manifest["inputs"]}
    return {"inputs": inputs} | {key: manifest[key] for key in ("options", "versions", "policy")}


def json_text(data: Mapping[str, Any]) -> str:
    """Return a manifest as it is written."""
    return json.dumps(data, ensure_ascii=True, indent=2) + "\n"


def read_manifest(directory: Path) -> dict[str, Any]:
    """Return manifest.json of a finished scan; raises `ScanError` when there is none."""
    path = directory / MANIFEST
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if (
            not isinstance(data, dict)
            or not {"rows", "files", "inputs", "options", "versions", "policy"} <= data.keys()
        ):
            raise ValueError("keys are missing")
    except FileNotFoundError as error:
        raise ScanError(f"{directory}: no {MANIFEST} there; finish the scan with --resume") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ScanError(f"{path}: cannot be read as a manifest ({error}); scan again") from error
    return data


def _model_digest(model: str | None) -> str:
    folder = Path(model) if model else Path(str(files("netral").joinpath("resources", "model")))
    if (folder / "netral.json").is_file():  # it holds the hashes of the other files, which loading has checked
        return sha256_of(folder / "netral.json")
    parts = [f"{item.name} {sha256_of(item)}" for item in sorted(folder.glob("*")) if item.is_file()]
    return sha256("\n".join(parts).encode()).hexdigest()


def _resource_digest(name: str) -> str:
    entry = files("netral").joinpath("resources", name)
    return sha256(entry.read_bytes()).hexdigest() if entry.is_file() else ""


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
