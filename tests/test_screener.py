"""The screener: order, laziness, quoted text, and one answer whatever the batch."""

import unicodedata

import pytest

import netral
from netral.contest import load_contest
from netral.errors import ModelError
from netral.rules import RuleClassifier, load_rules
from netral.schema import Evidence, Kind, Label, Post, Prediction


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


@pytest.mark.parametrize("fault", [ValueError("baris 301"), None])
def test_posts_before_a_fault_have_their_verdicts(rules, stub, fault):
    def posts():
        for index in range(700):
            if index == 600 and fault:
                raise fault
            yield Post(text=f"halo {index}" if index != 600 else "x" * 100_001)

    for screener in (netral.Screener(rules), netral.Screener(rules, stub(lambda text: {}))):
        seen = []
        with pytest.raises((ValueError, netral.errors.TextTooLong), match="baris 301" if fault else "text 600 has"):
            seen.extend(screener.stream(posts()))  # extend keeps what came before
        assert len(seen) == 600


@pytest.mark.parametrize(
    ("post", "said"),
    [
        ("x", "post 1 is str, not Post"),
        (None, "post 1 is NoneType, not Post"),
        (Post(text="x", quoted=None), "quoted text 1 is NoneType"),
    ],
)
def test_what_is_no_post_is_named(rules, post, said):
    with pytest.raises(TypeError, match=said):
        list(netral.Screener(rules).stream([Post(text="halo"), post]))


def test_a_classifier_must_answer_each_text_with_a_number(rules, stub):
    class Short:
        def predict(self, texts):
            return []

    with pytest.raises(ModelError, match="0 predictions for 1 texts"):
        netral.Screener(rules, Short()).predict("halo")
    with pytest.raises(ModelError, match="no number for hate"):
        netral.Screener(rules, stub(lambda text: {"hate": float("nan")})).predict("halo")


def test_a_classifiers_own_evidence_is_shown(rules):
    own = Evidence("hate", "model", None, 0, 4, "contoh")

    class Explaining:
        def predict(self, texts):
            return [Prediction({"partisan": 0.0, "hate": 0.9, "hoax": 0.0}, (own,)) for _ in texts]

    assert netral.Screener(rules, Explaining()).predict("halo semua").evidence == (own,)


def test_a_single_text_is_judged_where_no_thread_can_start(rules, stub, monkeypatch):
    def refuse(*_):
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    monkeypatch.setattr("concurrent.futures.ThreadPoolExecutor.submit", refuse)
    assert netral.Screener(rules, stub(lambda text: {})).predict("halo").label is Label.NEUTRAL


def test_long_texts_are_explained_where_the_flag_is_highest(rules, stub):
    asked = []

    def judge(text):
        asked.append(len(text.split()))
        return {"hate": 0.9 if "jahat" in text else 0.1}

    text = "kata " * 3000 + "orang itu jahat sekali " + "kata " * 2000
    verdict = netral.Screener(rules, stub(judge)).predict(text, explain=True)
    (found,) = [item for item in verdict.evidence if item.source == "model"]
    assert "jahat" in text[found.start : found.end]
    assert found.end - found.start < 20
    assert sum(asked) < 4 * len(text.split())


def test_explain_names_the_words_that_moved_the_model(rules, stub):
    screener = netral.Screener(rules, stub(lambda text: {"hate": 0.9 if "jahat" in text else 0.1}))
    verdict = screener.predict("orang itu jahat sekali", explain=True)
    (found,) = [item for item in verdict.evidence if item.source == "model"]
    assert "orang itu jahat sekali"[found.start : found.end] == "jahat"
    assert "0,90" in found.why
    assert screener.predict("orang itu baik", explain=True).evidence == ()


@pytest.mark.parametrize(
    "text",
    [
        "!?" * 5_000 + "orang jahat" + " https://t.co/x1" * 500,
        ("kata" + "!?" * 40) * 60 + " jahat",
        ("kata" + "!?" * 10) * 59 + " jahat",
        ("kata" + " https://contoh.id/a/b/c" * 4) * 60 + " jahat",
        "jahat" + (" " + "\u332b" * 10) * 50,  # one sign, read as six letters
    ],
)
def test_explaining_reads_little_whatever_stands_between_words(rules, stub, text):
    model = stub(lambda text: {"hate": 0.9 if "jahat" in text else 0.1})
    (found,) = netral.Screener(rules, model).predict(text, explain=True).evidence
    assert "jahat" in text[found.start : found.end]
    lengths = [len(unicodedata.normalize("NFKC", again)) for again in model.asked[1:]]
    assert max(lengths) <= 1_500
    assert sum(lengths) <= 50_000 + len(unicodedata.normalize("NFKC", text))
    assert not any(again.startswith("!?") or again.endswith("/x1") for again in model.asked[1:])


def test_a_flagged_text_without_words_has_no_evidence(rules, stub):
    model = stub(lambda text: {"hate": 0.9})
    assert netral.Screener(rules, model).predict("!?!? https://t.co/x", explain=True).evidence == ()


def test_words_that_say_the_same_are_evidence_together(rules, stub):
    left = (0.41, 0.955, 0.965, 0.97)  # with none to three of the words
    model = stub(lambda text: {"hate": left[sum(word in text for word in ("jahat", "busuk", "keji"))]})
    text = "orang itu jahat, busuk dan keji sekali"
    evidence = netral.Screener(rules, model).predict(text, explain=True).evidence
    assert {text[item.start : item.end] for item in evidence} == {"jahat", "busuk", "keji"}
    assert {item.why for item in evidence} == {"Tanpa ketiga bagian ini sekaligus nilai model turun dari 0,97 ke 0,41"}


def test_version_names_package_model_and_rules(rules, stub):
    assert netral.Screener(rules).version == f"{netral.__version__}/-/{rules.version}"
    assert RuleClassifier(load_rules(), load_contest("pilkada-dki-2024")).version != rules.version
