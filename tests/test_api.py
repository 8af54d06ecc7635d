"""The public promise: names, types of input, shapes of output."""

import copy
import dataclasses
import json
import math
import pickle
import shutil
import threading
from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

import netral
from netral.errors import ModelError, TextTooLong
from netral.model import load_model
from netral.normalize import VERSION
from netral.schema import FLAGS, Kind, plain
from netral.writers import json_line


def test_all_is_sorted_and_complete():
    assert netral.__all__ == sorted(netral.__all__)
    assert all(hasattr(netral, name) for name in netral.__all__)


def test_batch_keeps_length_and_order():
    texts = ["Ayo coblos nomor 2", "", "Jadwal imunisasi hari Rabu"]
    verdicts = netral.predict_batch(texts)
    assert [verdict.post.text for verdict in verdicts] == texts
    assert netral.predict_batch([]) == []


def test_a_batch_may_be_a_generator():
    assert len(netral.predict_batch(text for text in ("a", "b"))) == 2


@pytest.mark.parametrize("blank", ["", "   ", "\n\t", " \u200b\ufeff", "\u2800"])
def test_blank_text_is_neutral_for_certain(blank):
    verdict = netral.predict(blank)
    assert (verdict.label, verdict.score, verdict.review) == (netral.Label.NEUTRAL, 1.0, False)
    assert dict(verdict.flags) == {"partisan": 0.0, "hate": 0.0, "hoax": 0.0}


@pytest.mark.parametrize("wrong", [None, 3, b"bytes", ["list"]])
def test_what_is_no_text_is_named_with_its_index(wrong):
    with pytest.raises(TypeError, match="text 1 is"):
        netral.predict_batch(["ok", wrong])


def test_one_string_is_no_batch():
    with pytest.raises(TypeError, match="predict_batch"):
        netral.predict_batch("satu teks")


def test_too_long_a_text_is_refused_with_the_limit():
    with pytest.raises(TextTooLong, match="100,000"):
        netral.predict("a" * (netral.MAX_CHARS + 1))
    assert issubclass(TextTooLong, (netral.NetralError, ValueError))


def test_lone_surrogates_are_judged_and_offsets_hold():
    text = "\ud800 Ayo coblos nomor 2 \udfff"
    verdict = netral.load("rules").predict(text)
    assert verdict.label is netral.Label.PARTISAN_SUPPORT
    assert "coblos" in text[verdict.evidence[0].start : verdict.evidence[0].end]


def test_verdict_is_frozen():
    verdict = netral.predict("halo")
    with pytest.raises(AttributeError):
        verdict.label = "x"


def test_a_verdict_is_pickled_copied_hashed_and_turned_into_a_dict():
    post = netral.Post("Ayo coblos nomor 2!", meta={"file": "a.csv", "row": 1})
    (verdict,) = netral.load("rules").stream([post])
    assert pickle.loads(pickle.dumps(verdict)) == copy.deepcopy(verdict) == verdict
    assert hash(copy.deepcopy(verdict)) == hash(verdict)
    fields = dataclasses.asdict(verdict)
    assert (fields["flags"], fields["post"]["meta"]) == (verdict.flags, post.meta)


def test_a_verdict_keeps_its_flags_when_the_callers_change():
    verdict = netral.predict("halo")
    flags = dict(verdict.flags)
    copied = dataclasses.replace(verdict, flags=flags)
    flags["hate"] = 1.0
    assert copied == verdict


class NaT(datetime):
    """As pandas writes a missing time."""

    def __ne__(self, other):
        return True

    __hash__ = None


@pytest.mark.parametrize("time", ["2024-01-01", date(2024, 1, 1), 0, NaT(2024, 1, 1)])
def test_a_post_refuses_a_time_of_another_type(time):
    with pytest.raises(TypeError, match=r"not datetime\.datetime or None"):
        netral.Post("x", time=time)


def test_a_post_refuses_what_json_could_not_hold():
    with pytest.raises(TypeError, match="meta is NoneType"):
        netral.Post("x", meta=None)
    with pytest.raises(ValueError, match="'gambar' is not a valid Kind"):
        netral.Post("x", kind="gambar")
    assert netral.Post("x", kind="share").kind is Kind.SHARE


def test_odd_values_become_json():
    post = netral.Post("a\ud800b", meta={"t": datetime(2024, 1, 2), "n": float("nan"), "\udc00": [1, None, ("x",)]})
    (verdict,) = netral.load("rules").stream([post])
    data = json.loads(json.dumps(verdict.to_dict(), ensure_ascii=False, allow_nan=False).encode())["post"]
    assert data["text"] == "a\ufffdb"
    assert data["meta"] == {"t": "2024-01-02 00:00:00", "n": None, "\ufffd": [1, None, ["x"]]}


class Loud:
    """A value of the caller's that cannot be written."""

    def __str__(self):
        raise RuntimeError


def test_what_no_json_holds_in_meta_is_bounded():
    meta = {"wide": 10**5000, -(10**5000): 10**600, "loud": Loud(), "ratio": Fraction(10**5000, 3)}
    meta |= {"me": meta, "list": [meta, meta]}
    deep = []
    for _ in range(100_000):
        deep = [deep]
    (verdict,) = netral.load("rules").stream([netral.Post("x", meta=meta | {"deep": deep})])
    written = json.dumps(verdict.to_dict())
    data = json.loads(written)["post"]["meta"]
    assert (data["wide"], data["<int>"]) == (hex(10**5000), 10**600)
    assert (data["loud"], data["ratio"]) == ("<Loud>", "<Fraction>")
    assert data["me"]["list"] == ["…", "…"]
    assert written.count("[[[") < 40
    assert json_line(verdict.to_dict()) == json_line(json.loads(written))


def test_numbers_of_numpy_stay_numbers():
    np = pytest.importorskip("numpy")
    meta = {"i": np.int64(7), "u": np.uint8(7), "b": np.bool_(True), "f": np.float32(0.5), "n": np.float32("nan")}
    meta |= {"t": np.datetime64("2024-01-02T00:00:00.000000000"), "d": np.timedelta64(5, "s"), "a": np.array([1, 2])}
    data = plain(meta)
    assert data == {
        "i": 7, "u": 7, "b": True, "f": 0.5, "n": None,
        "t": "2024-01-02T00:00:00.000000000", "d": "5 seconds", "a": "[1 2]",
    }  # fmt: skip
    assert [type(data[name]) for name in "iubf"] == [int, int, bool, float]


def test_to_dict_is_json_and_complete():
    post = netral.Post(
        text="Ayo coblos nomor 2!",
        id="9",
        author="contoh",
        time=datetime(2024, 11, 1, 8, tzinfo=UTC),
        kind=Kind.COMMENT,
        meta={"row": 3},
    )
    (verdict,) = netral.load("rules").stream([post])
    data = json.loads(json.dumps(verdict.to_dict()))
    assert set(data) == {
        "label", "score", "flags", "evidence", "regulations", "decided_by", "review", "truncated", "version", "post",
    }  # fmt: skip
    assert data["post"]["time"] == "2024-11-01T08:00:00+00:00"
    assert data["post"]["kind"] == "comment"
    assert data["evidence"][0]["source"] == "rules"
    assert data["decided_by"] == "rules"


@pytest.mark.parametrize(
    ("text", "flag", "logit"),
    [
        (
            "CAPEK DENGER JANJI TUKANG AC!!! KATANYA JAM 9, INI UDAH ISYA. LIMA KALI RESCHEDULE!!! "
            "GANTI TUKANG AJA LAH BESOK!!!",
            "hoax", -1.708,
        ),
        (
            "BMKG wis njelaske, angin beracun saka laut kidul kuwi ngapusi. Aja diterusake maneh yo mbah, "
            "cukup mlebu grup mancing wae",
            "partisan", -2.224,
        ),
    ],
)  # fmt: skip
def test_the_shipped_model_answers_alike_on_every_processor(text, flag, logit):
    classifier = netral.load().classifier
    (row,) = classifier.logits([text])
    # Sums that saturate at 16 bits, as they do without VNNI unless told not to, move these by 1.0 and 1.6; the
    # rounding of activations, which other kernels' last bits tip, by up to 0.33.
    assert row[FLAGS.index(flag)] == pytest.approx(logit, abs=0.6)


def test_module_functions_are_safe_from_several_threads():
    texts = ["Ayo coblos nomor 2", "Selamat pagi"] * 5
    expected = [verdict.label for verdict in netral.predict_batch(texts)]
    seen: list[list[netral.Label]] = []
    threads = [
        threading.Thread(target=lambda: seen.append([verdict.label for verdict in netral.predict_batch(texts)]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [expected] * 8


def test_a_named_model_that_is_missing_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="no such directory"):
        netral.load(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"neither netral\.json nor config\.json"):
        netral.load(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"calibration": "abc"},
        *({"calibration": {"partisan": row, "hate": [0, 1], "hoax": [0, 1]}} for row in (
            "12", 3, None, [], [0], ["0", "1"], [0, None], [0, math.nan], [0, math.inf], [0, 10**400],
        )),
        *({"max_tokens": longest} for longest in ("192", 192.5, math.nan, None, True, 7)),
    ],
)  # fmt: skip
def test_a_model_card_of_wrong_numbers_is_refused(tmp_path, wrong):
    card = {"policy": {}, "version": "1", "max_tokens": 192, "caps": True, "masks": True, "sha256": {}}
    card |= {"labels": FLAGS, "normalizer": VERSION, "calibration": {flag: [0, 1] for flag in FLAGS}}
    (tmp_path / "netral.json").write_text(json.dumps(card | wrong))
    with pytest.raises(ModelError, match="calibration wants 2 numbers for each flag, max_tokens a whole number"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    "written", [b"[" * 100_000, b"\xff", b'{"a": ' + b"1" * 5000 + b"}", b"[]", b"null"], ids=range(5)
)
def test_a_model_card_that_is_none_is_refused(tmp_path, written):
    (tmp_path / "netral.json").write_bytes(written)
    with pytest.raises(ModelError, match=r"netral\.json"):
        load_model(tmp_path)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    torch = pytest.importorskip("torch", reason="needs netral[torch]")
    transformers = pytest.importorskip("transformers", reason="needs netral[torch]")
    folder = tmp_path_factory.mktemp("checkpoint")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "pilih", "nomor", "dua"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=32, id2label=dict(enumerate(FLAGS)),
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
def test_a_plain_checkpoint_reads_a_bounded_part_of_a_text(checkpoint, monkeypatch):
    classifier = load_model(checkpoint)
    monkeypatch.setattr("netral.model._WINDOWS", 2)
    first, more, short = classifier.predict(["pilih nomor " * 20, "pilih nomor " * 20 + "dua " * 900, "dua"])
    assert [item.truncated for item in (first, more, short)] == [False, True, False]


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "damaged"),
    [
        ("model.safetensors", b""),
        ("model.safetensors", b"\xff" * 99),
        ("config.json", b"[]"),
        ("tokenizer.json", b"{}"),
    ],
    ids=range(4),
)
def test_a_damaged_checkpoint_is_refused(checkpoint, tmp_path, name, damaged):
    shutil.copytree(checkpoint, tmp_path / "copy")
    (tmp_path / "copy" / name).write_bytes(damaged)
    with pytest.raises(ModelError):
        load_model(tmp_path / "copy")
