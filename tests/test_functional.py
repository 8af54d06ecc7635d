"""The functional suite: frozen files and levels on record; a change lowers one only with its reason written down.

`pytest -s` prints the table by functionality.
"""

import hashlib
import json
from pathlib import Path

import pytest

import netral
from training.evaluate import functional, read_lines

FOLDER = Path(__file__).parent / "functional"
LEVELS = json.loads((FOLDER / "levels.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=sorted(LEVELS))
def judged(request):
    """The levels on record and the figures reached, of rules alone and of the shipped model."""
    screener = netral.load(None if request.param == "model" else request.param)
    if request.param == "model":
        assert screener.classifier is not None
    return LEVELS[request.param], screener, functional(screener)


def test_the_suite_is_the_one_that_was_frozen():
    listed = dict(reversed(line.split()) for line in read_lines(FOLDER / "SHA256SUMS"))
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.jsonl")}
    assert files == listed


def test_levels_only_rise(judged):
    levels, _, figures = judged
    width = max(map(len, figures["by functionality"]))
    for name, (cases, share) in figures["by functionality"].items():
        print(f"{name:{width}} {cases:4} {share:6.1%}")
    reached = {name: figures[name][1] for name in ("cases", "pairs both right", "groups consistent")}
    print(reached)
    assert {name: share for name, share in reached.items() if share < levels[name]} == {}


@pytest.mark.parametrize("name", ["socialisation", "socialisation_unseen"])
def test_sentences_on_neutrality_are_neutral(judged, name):
    levels, screener, _ = judged
    lines = read_lines(FOLDER.parent / "data" / f"{name}.txt")
    assert len(lines) >= 200
    flagged = [verdict for verdict in screener.predict_batch(lines) if verdict.label is not netral.Label.NEUTRAL]
    assert 1 - len(flagged) / len(lines) > levels[name] - 1e-4, [verdict.post.text for verdict in flagged]
