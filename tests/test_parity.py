"""Likes swapped for likes change nothing: candidates, parties, numbers, signs, peoples and religions."""

from collections import defaultdict

import pytest

import netral
from netral.contest import bundled_contests
from netral.schema import FLAGS
from training.evaluate import group_variants, parity_variants

VARIANTS = defaultdict(list)
for _contest, _texts in parity_variants():
    VARIANTS[_contest.id].append(_texts)


def changed(screener: netral.Screener, variants: list[list[str]]) -> list[str]:
    found = []
    for texts in variants:
        first, *others = screener.predict_batch(texts)
        for other in others:
            moved = max(abs(other.flags[flag] - first.flags[flag]) for flag in FLAGS)
            if other.label is not first.label or moved > 0.01:
                found.append(f"{first.post.text!r} {first.label} -> {other.post.text!r} {other.label} ({moved:.3f})")
    return found


def test_there_are_templates_of_every_kind():
    assert len({texts[0] for variants in VARIANTS.values() for texts in variants}) >= 200
    assert set(VARIANTS) == {contest.id for contest in bundled_contests()}


@pytest.mark.parametrize("contest", sorted(VARIANTS))
@pytest.mark.parametrize("named", [False, True])
def test_rules_judge_candidates_alike(contest, named):
    screener = netral.load("rules", contest=contest if named else None)
    assert changed(screener, VARIANTS[contest]) == []


def test_the_shipped_model_judges_candidates_alike():
    variants = [texts for contest in VARIANTS.values() for texts in contest]
    assert changed(netral.load(), variants[::7]) == []


def test_rules_judge_peoples_and_religions_alike():
    assert changed(netral.load("rules"), list(group_variants())) == []


def test_the_shipped_model_judges_peoples_and_religions_alike():
    assert changed(netral.load(), list(group_variants())) == []
