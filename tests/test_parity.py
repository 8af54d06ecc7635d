"""Likes swapped for likes change nothing: candidates, parties, numbers, signs, peoples and religions."""

import re
from collections import defaultdict

import pytest

import netral
from netral.contest import bundled_contests
from netral.model import mask_of
from netral.normalize import light
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


def spelt(name: str) -> list[str]:
    leet = re.sub("(?<=[a-z])[aeo](?=[a-z])", lambda found: {"a": "4", "e": "3", "o": "0"}[found[0]], name)
    return [f"{name}{name[-1] * 3}", leet, " ".join(name)]


def test_names_are_masked_however_they_are_spelt():
    names = {
        name.lower()
        for contest in bundled_contests()
        for candidate in contest.candidates
        for name in candidate.names
        if re.fullmatch("[A-Za-z]{4,}", name) and not name.isupper()
    }
    assert len(names) > 30
    masks, plain = mask_of(), {}
    for name in sorted(names):
        plain[name] = light(f"yakin sama {name} kok", names=masks).text
        assert {light(f"yakin sama {other} kok", names=masks).text for other in spelt(name)} == {plain[name]}, name
    assert len(set(plain.values())) <= 2  # a candidate, a party


def test_rules_judge_peoples_and_religions_alike():
    assert changed(netral.load("rules"), list(group_variants())) == []


def test_the_shipped_model_judges_peoples_and_religions_alike():
    assert changed(netral.load(), list(group_variants())) == []


@pytest.mark.parametrize("name", ["Prabowo", "Jokowi", "Anies Baswedan"])
@pytest.mark.parametrize("act", ["lantik 8 duta besar", "tiba di Beijing sore ini", "resmikan tiga puskesmas"])
def test_a_report_on_an_office_holder_is_no_hoax(name, act):
    verdicts = netral.predict_batch([f"{office} {name} {act}" for office in ("Presiden", "Wakil Presiden", "Gubernur")])
    assert {verdict.label for verdict in verdicts} == {netral.Label.NEUTRAL}
