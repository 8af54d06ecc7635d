"""Model directories: ONNX through onnxruntime, plain checkpoints through torch (`netral[torch]`).

An exported directory holds `model.onnx` (input `input_ids` [posts, tokens], output `logits` [posts, 3]
in the order of `FLAGS`), `tokenizer.json`, `netral.json` (hashes, normaliser version, calibration,
policy, metrics) and, where they were fitted, n-grams (`ngrams.npz`). Posts share a run only where they
have as many tokens: no padding, and activations are rounded token by token, so no post's result
depends on another's.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Protocol

from netral import normalize
from netral.contest import Contest, bundled_contests
from netral.decision import Policy, is_number
from netral.errors import ModelError
from netral.normalize import CANDIDATE, PARTY, Names, light, untitled
from netral.schema import FLAGS, Prediction

logger = logging.getLogger(__name__)

_OVERLAP = 6  # neighbouring windows of a long post share one part in six
_RUN = 160  # tokens of a run: short posts share the cost of starting it, and what it writes stays in the cache
_WINDOWS = 256  # of one text; 100,000 characters of plain writing have fewer, hostile ones could have thousands


class Model(Protocol):
    """A loaded model: a Classifier that brings its policy and its name."""

    policy: Policy
    version: str

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return calibrated flags for each text."""
        ...


def mask_of(contest: Contest | None = None) -> Names:
    """Return the names of the bundled rosters, and of `contest` with its nicknames, as the light text masks them.

    So names carry no weight.
    """
    return Names(
        (name, PARTY if office.parties else CANDIDATE)
        for roster in (*bundled_contests(), *([contest] if contest else []))
        for office in roster.offices
        for candidate in office.candidates
        for name in (*candidate.names, *(candidate.nicknames if roster is contest else ()))
    )


def load_model(directory: Path, contest: Contest | None = None) -> Model:
    """Return the model of an exported directory or of a Hugging Face checkpoint directory.

    The names of `contest` are masked besides those of the bundled rosters.

    Raises `ModelError` when it is missing, altered, or does not answer partisan, hate and hoax.
    """
    if not directory.is_dir():
        raise ModelError(f"{directory}: no such directory; name an exported model or a checkpoint on this machine")
    if (directory / "model.onnx").exists() and not (directory / "netral.json").exists():
        raise ModelError(f"{directory}: model.onnx stands there without netral.json; export it with training.export")
    if (directory / "netral.json").exists():
        return OnnxClassifier(directory, contest)
    if (directory / "config.json").exists():
        return TorchClassifier(directory, contest)
    raise ModelError(f"{directory}: neither netral.json nor config.json is there; name a model directory")


def usable_cores() -> int:
    """Return the cores this process may use, by affinity and by the cgroup's quota (at least 1)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):
        return max(1, cores)


class _Encoder:
    """Text -> light text -> windows of token ids, as the model was trained to read it."""

    def __init__(self, tokenizer_file: Path, max_tokens: int, caps: bool, names: Names | None) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(tokenizer_file))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._caps, self._names = caps, names
        bare = self._tokenizer.encode("", add_special_tokens=True).ids
        if len(bare) != 2:
            raise ModelError(f"{tokenizer_file}: expected one special token before a text and one after it")
        self._first, self._last = bare
        self._room = max_tokens - 2

    def light(self, text: str) -> str:
        """Return the light text."""
        return light(text, caps=self._caps, names=self._names).text

    def windows(self, text: str) -> list[list[int]]:
        """Return one list of ids for most light texts, overlapping ones for long ones."""
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        overlap = self._room // _OVERLAP
        starts = range(0, len(ids) - overlap, self._room - overlap) if len(ids) > self._room else (0,)
        return [[self._first, *ids[start : start + self._room], self._last] for start in starts]


class OnnxClassifier:
    """Runs an exported directory; workers = usable cores, one thread each."""

    def __init__(self, directory: Path, contest: Contest | None = None) -> None:
        """Check the directory's hashes and load it; raises `ModelError`."""
        import onnxruntime as ort

        from netral.ngrams import FILE, Ngrams

        card = _read_card(directory)
        self.policy = Policy.from_dict(card["policy"])
        self.version = str(card["version"])
        self._calibration: Mapping[str, Sequence[float]] = card["calibration"]
        names = mask_of(contest) if card["masks"] else None
        self._encoder = _Encoder(directory / "tokenizer.json", card["max_tokens"], bool(card["caps"]), names)
        self._ngrams = Ngrams(directory / FILE) if FILE in card["sha256"] else None
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Without VNNI the sums of two int8 products saturate at 16 bits; this takes the kernel that does not.
        options.add_session_config_entry("session.x64quantprecision", "1")
        try:
            self._session: Any = ort.InferenceSession(
                str(directory / "model.onnx"),
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=["SkipLayerNormFusion"],  # its kernel costs six times the two it replaces
            )
        except Exception as error:  # onnxruntime raises its own unnamed kinds
            raise ModelError(f"{directory}: model.onnx cannot be loaded: {error}") from error
        if self._session.get_inputs()[0].shape[0] == 1:
            raise ModelError(f"{directory}: model.onnx takes one post a run; export the model again with this version")
        self._pool, self._pid = ThreadPoolExecutor(usable_cores(), "netral-model"), os.getpid()

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return calibrated flags for each text.

        Hoax titles name offices so often that an office before a masked name ("Presiden ...") looked like one:
        there hoax is that of the mean of two readings, the text as it stands and with "Pak" for the office.
        """
        read = [self._read(text) for text in texts]
        rows = self._judge(read)
        flags = [calibrate(row, self._calibration) for row in rows]
        bare = {index: other for index, (text, _) in enumerate(read) if (other := untitled(text)) != text}
        again = self._judge([(text, self._encoder.windows(text)) for text in bare.values()])
        for index, row in zip(bare, again, strict=True):
            both = [(one + other) / 2 for one, other in zip(rows[index], row, strict=True)]
            flags[index]["hoax"] = calibrate(both, self._calibration)["hoax"]
        return [
            Prediction(found, truncated=len(windows) > _WINDOWS)
            for found, (_, windows) in zip(flags, read, strict=True)
        ]

    def logits(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Return the uncalibrated logits of each text in the order of `FLAGS`: the encoder's, then the n-grams'.

        The encoder's are the highest of the text's first 256 windows.
        """
        return self._judge([self._read(text) for text in texts])

    def _read(self, text: str) -> tuple[str, list[list[int]]]:
        plain = self._encoder.light(text)
        return plain, self._encoder.windows(plain)

    def _judge(self, read: list[tuple[str, list[list[int]]]]) -> list[tuple[float, ...]]:
        owned = [(owner, ids) for owner, (_, windows) in enumerate(read) for ids in windows[:_WINDOWS]]
        highest = [(-math.inf,) * len(FLAGS)] * len(read)
        runs = list(_runs([len(ids) for _, ids in owned]))
        if self._pid != os.getpid():  # a forked process has none of its parent's threads
            self._pool, self._pid = ThreadPoolExecutor(usable_cores(), "netral-model"), os.getpid()
        judged = self._pool.map if len(runs) > 1 else map
        for run, rows in zip(runs, judged(lambda run: self._run([owned[i][1] for i in run]), runs), strict=True):
            for index, row in zip(run, rows, strict=True):
                owner = owned[index][0]
                highest[owner] = tuple(map(max, highest[owner], row))
        if self._ngrams is None:
            return highest
        return [(*row, *self._ngrams.logits(text)) for row, (text, _) in zip(highest, read, strict=True)]

    def _run(self, ids: list[list[int]]) -> list[list[float]]:
        import numpy as np

        (logits,) = self._session.run(["logits"], {"input_ids": np.array(ids, dtype=np.int64)})
        rows: list[list[float]] = logits.tolist()
        return rows


def _runs(lengths: list[int]) -> Iterator[list[int]]:
    """Yield the numbers of the windows that share a run: alike in length, `_RUN` tokens or one window."""
    for length, group in groupby(sorted(range(len(lengths)), key=lengths.__getitem__), key=lengths.__getitem__):
        while run := list(islice(group, max(1, _RUN // length))):
            yield run


def calibrate(logits: Sequence[float], calibration: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the flags: sigmoid(shift + slope * logit, summed over the flag's logits).

    Each flag has its own shift, and a slope for each part that gives it a logit (encoder, n-grams).
    Raises `ModelError` for logits that are no numbers.
    """
    flags = {}
    for index, flag in enumerate(FLAGS):
        shift, *slopes = calibration[flag]
        total = shift + sum(slope * logit for slope, logit in zip(slopes, logits[index :: len(FLAGS)], strict=True))
        if not math.isfinite(total):
            raise ModelError(f"the model answers no number for {flag}; train or export it again")
        flags[flag] = 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, total))))
    return flags


def _read_card(directory: Path) -> dict[str, Any]:
    """Return `netral.json` after checking everything in it that could make a verdict wrong."""
    from netral.ngrams import FILE

    try:
        card: dict[str, Any] = json.loads((directory / "netral.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{directory}: netral.json cannot be read ({error}); export the model again") from error
    if not isinstance(card, dict) or not isinstance(card.get("sha256", {}), dict):
        raise ModelError(f"{directory}: netral.json is not what training.export writes; export the model again")
    needed = {"policy", "version", "calibration", "max_tokens", "caps", "masks", "labels", "normalizer", "sha256"}
    if missing := needed - set(card):
        raise ModelError(f"{directory}: netral.json lacks {', '.join(sorted(missing))}; export the model again")
    if card["labels"] != list(FLAGS):
        raise ModelError(f"{directory}: the model answers {card['labels']}, not {list(FLAGS)}")
    numbers, longest, wanted = card["calibration"], card["max_tokens"], 3 if FILE in card["sha256"] else 2
    rows = [numbers.get(flag) for flag in FLAGS] if isinstance(numbers, dict) else [None]
    fits = all(isinstance(row, list) and len(row) == wanted and all(map(is_number, row)) for row in rows)
    if not fits or type(longest) is not int or longest < 8:
        raise ModelError(
            f"{directory}: calibration wants {wanted} numbers for each flag, max_tokens a whole number from 8; "
            "calibrate and export the model again"
        )
    if card["normalizer"] != normalize.VERSION:
        raise ModelError(f"{directory}: for normaliser {card['normalizer']}, not {normalize.VERSION}; export it again")
    for name in {"model.onnx", "tokenizer.json"} | set(card["sha256"]):
        try:
            digest = hashlib.sha256((directory / name).read_bytes()).hexdigest()
        except (OSError, ValueError) as error:  # the latter for a NUL in the name
            raise ModelError(f"{directory}: {name} cannot be read ({error})") from error
        if digest != card["sha256"].get(name):
            raise ModelError(f"{directory}: {name} is not the file that was exported (SHA-256 differs)")
    return card


class TorchClassifier:
    """Runs a Hugging Face checkpoint whose `id2label` names the three flags; needs `netral[torch]`."""

    def __init__(self, directory: Path, contest: Contest | None = None) -> None:
        """Load the checkpoint; raises `ModelError`, with the extra to install when torch is missing."""
        try:
            import torch
            from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
        except ImportError as error:
            raise ModelError(f"{directory}: a plain checkpoint needs torch: pip install 'netral[torch]'") from error
        self._torch: Any = torch
        try:
            config: Any = AutoConfig.from_pretrained(directory, local_files_only=True)
            self._tokenizer: Any = AutoTokenizer.from_pretrained(directory, local_files_only=True)
            self._model: Any = AutoModelForSequenceClassification.from_pretrained(directory, local_files_only=True)
            self._max_tokens = min(192, int(config.max_position_embeddings))
        except Exception as error:  # transformers lets through what safetensors and tokenizers raise
            raise ModelError(f"{directory}: the checkpoint cannot be loaded: {error}") from error
        names = [str(config.id2label.get(index)) for index in range(config.num_labels)]
        if sorted(names) != sorted(FLAGS):
            raise ModelError(f"{directory}: id2label names {names}; it must name {list(FLAGS)}")
        self._order = [names.index(flag) for flag in FLAGS]
        self._model.eval()
        vocabulary = self._tokenizer.get_vocab()
        self._caps = normalize.CAPS in vocabulary
        self._names = mask_of(contest) if CANDIDATE in vocabulary else None
        self.policy = Policy()
        self.version = directory.absolute().name
        logger.warning("%s has no netral.json: its scores are uncalibrated, thresholds are 0.5", directory)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return sigmoid outputs for each text, one post a run."""
        return [self._judge(text) for text in texts]

    def _judge(self, text: str) -> Prediction:
        batch = self._tokenizer(
            light(text, caps=self._caps, names=self._names).text,
            truncation=True,
            max_length=self._max_tokens,
            stride=(self._max_tokens - 2) // _OVERLAP,
            return_overflowing_tokens=True,
        )
        with self._torch.inference_mode():
            rows = [self._logits(self._torch.tensor([ids])) for ids in batch["input_ids"][:_WINDOWS]]
        highest = [max(float(row[index]) for row in rows) for index in self._order]
        flags = calibrate(highest, dict.fromkeys(FLAGS, (0.0, 1.0)))
        return Prediction(flags, truncated=len(batch["input_ids"]) > _WINDOWS)

    def _logits(self, ids: Any) -> Any:
        if getattr(self._model.config, "netral_pooling", "first") != "mean":
            return self._model(input_ids=ids).logits[0]
        return self._model.classifier(self._model.base_model(input_ids=ids).last_hidden_state.mean(1))[0]
