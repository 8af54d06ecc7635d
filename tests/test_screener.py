"""The screener: order, laziness, quoted text, and one answer whatever the batch."""

import pytest

import netral
from netral.rules import RuleClassifier, load_rules
from netral.schema import Kind, Label, Post


@pytest.fixture(scope="module")
def rules() -> RuleClassifier:
    return RuleClassifier(load_rules())


def test_stream_is_lazy_and_ordered(rules, stub):
    drawn = []

    def posts():
        for index in range(2000):
            drawn.append(index)
            yield Post(text=f"halo {index}")

    for screener in (netral.Screener(rules), netral.Screener(rules, stub(lambda text: {}))):
        drawn.clear()
        stream = screener.stream(posts())
        first = next(stream)
        assert first.post.text == "halo 0"
        assert len(drawn) < 1000
        assert [verdict.post.text for verdict in stream] == [f"halo {index}" for index in range(1, 2000)]


def test_singles_equal_batches(rules, stub):
    texts = [f"teks {index} " * (index % 7 + 1) for index in range(150)]
    screener = netral.Screener(rules, stub(lambda text: {"partisan": len(text) % 10 / 10}))
    batch = screener.predict_batch(texts)
    assert [screener.predict(text).flags for text in texts] == [verdict.flags for verdict in batch]


def test_quoted_text_asks_for_review_but_fixes_no_label(rules, stub):
    screener = netral.Screener(rules, stub(lambda text: {"partisan": 0.99 if "dukung" in text else 0.01}))
    (verdict,) = screener.stream([Post(text="kata dia begitu", quoted="dukung dia", kind=Kind.SHARE)])
    assert (verdict.label, verdict.review) == (Label.NEUTRAL, True)
    (verdict,) = screener.stream([Post(text="kata dia begitu", quoted="biasa saja")])
    assert not verdict.review


def test_explain_names_the_words_that_moved_the_model(rules, stub):
    screener = netral.Screener(rules, stub(lambda text: {"hate": 0.9 if "jahat" in text else 0.1}))
    verdict = screener.predict("orang itu jahat sekali", explain=True)
    (found,) = [item for item in verdict.evidence if item.source == "model"]
    assert "orang itu jahat sekali"[found.start : found.end] == "jahat"
    assert "0,90" in found.why
    assert screener.predict("orang itu baik", explain=True).evidence == ()


def test_version_names_package_model_and_rules(rules, stub):
    assert netral.Screener(rules).version == f"{netral.__version__}/-/{rules.version}"
