"""The normaliser: tables of spellings, and properties that hold for any Unicode string."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from netral.normalize import CANDIDATE, CAPS, Names, fold, light, tokens, untitled
from netral.normalize.lighttext import _shouted

ANY = st.text(st.characters(), max_size=200)
TRICKY = st.text("aAmMiInN024@#$ .\n_-*'’✌🏽️\u200b\u0336х🫰\ud800²ﬁ", max_size=60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("pilih 02", "pilih 02"),
        ("p\u200bi\u200bl\u200bi\u200bh", "pilih"),
        ("\u202epilih\u202c", "pilih"),
        ("рilіh", "pilih"),
        ("𝗽𝗶𝗹𝗶𝗵 𝒏𝒐𝒎𝒐𝒓", "pilih nomor"),
        ("ｐｉｌｉｈ", "pilih"),
        ("ᴘɪʟɪʜ", "pilih"),
        ("p̶i̶l̶i̶h̶", "pilih"),
        ("caf\u00e9 caf\u0065\u0301", "cafe cafe"),
        ("2\ufe0f\u20e3", "2"),
        ("✌🏽 ✌\ufe0f", "✌ ✌"),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_fold_maps_what_looks_alike(text, expected):
    assert fold(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@budi lihat https://contoh.id/a?b=1", "@USER lihat HTTPURL"),
        ("@a @b  @c halo", "@USER halo"),
        ("@a INI SEMUA KAPITAL", "@USER INI SEMUA KAPITAL"),
        ("email saya budi.s@contoh.id ya", "email saya @USER ya"),
        ("p i l i h nomor", "pilih nomor"),
        ("p.i.l.i.h nomor", "pilih nomor"),
        ("c0bl0s d4jj4l k@drun", "coblos dajjal kadrun"),
        ("anak2 pilkada2024 4G h1", "anak2 pilkada2024 4G h1"),
        ("menaaaang", "menang"),
        ("Jilid III", f"Jilid {CAPS}III"),
        ("aaamiiin", "aamiin"),
        ("pilih AMIN ya", f"pilih {CAPS}AMIN ya"),
        ("AMIN", f"{CAPS}AMIN"),
        ("AYO PILIH AMIN", "AYO PILIH AMIN"),
        ("😂😂😂😂😂😂", "😂😂😂"),
        ("satu\n\n  dua", "satu\ndua"),
        ("oke 🫰", "oke saranghaeyo"),
    ],
)
def test_light_text_is_what_the_model_reads(text, expected):
    assert light(text).text == expected


def test_caps_markers_can_be_left_out():
    assert light("pilih AMIN ya", caps=False).text == "pilih AMIN ya"


def test_amin_stays_three_things():
    loud, plain, prayer = (tokens(word)[0] for word in ("AMIN", "amin", "aamiin"))
    assert (loud.form, loud.all_caps) == ("AMIN", True)
    assert (plain.form, plain.all_caps) == ("amin", False)
    assert prayer.normal == "aamiin"
    assert "amin" not in prayer.alternatives
    assert "amin" not in tokens("aaaamiiiin")[0].alternatives
    assert len({light(word).text for word in ("AMIN", "amin", "aamiin")}) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Orang Batak itu guru", "Orang Bugis itu guru"),
        ("BATAK dan batak, Minang ya", f"{CAPS}BUGIS dan bugis, Bugis ya"),
        ("orang Papua di Papua", "orang Bugis di Papua"),
        ("Gubernur Banten, warga  Banten", "Gubernur Banten, warga Bugis"),
        ("dasar c1na", "dasar bugis"),
        ("umat Islam dan Kristen", "umat Hindu dan Hindu"),
        ("kaum nasrani", "kaum muslim"),
        ("orang b a t a k, dasar p.a.p.u.a", "orang bugis, dasar bugis"),
        ("batakan islamis jawara", "batakan islamis jawara"),
    ],
)
def test_peoples_and_religions_read_alike_where_names_are_masked(text, expected):
    assert light(text, names=Names([])).text == expected
    assert "ugis" not in light(text).text


def test_a_stand_in_keeps_the_way_back():
    text = "orang Papua pintar"
    found = light(text, names=Names([]))
    assert found.spans([(6, 11)]) == [(6, 11)]
    assert text[slice(*found.spans([(found.text.index("pintar"), len(found.text))])[0])] == "pintar"


def test_slang_is_an_alternative_not_a_rewrite():
    (token,) = tokens("gk")
    assert token.normal == "gk"
    assert "tidak" in token.alternatives


def test_leet_and_stretched_are_alternatives():
    leet, stretched, spaced = tokens("c0bl0s menaaang p i l i h")
    assert leet.leet
    assert "coblos" in leet.alternatives
    assert stretched.stretched
    assert "menang" in stretched.alternatives
    assert spaced.normal == "pilih"


@pytest.mark.parametrize(
    ("hashtag", "parts"),
    [
        ("#2PeriodeLagi", ["2", "periode", "lagi"]),
        ("#AsalBukanDia", ["asal", "bukan", "dia"]),
        ("#2019GantiPresiden", ["2019", "ganti", "presiden"]),
        ("#KPUjujur", ["kp", "ujujur"]),
    ],
)
def test_hashtags_are_split_and_kept_whole(hashtag, parts):
    found = tokens(hashtag)
    if hashtag != "#KPUjujur":  # no split of letters run together is right for every writer
        assert [token.normal for token in found] == parts
    assert found[0].whole == hashtag.lower()
    assert found[0].parts == len(found)


def test_sentences_end_where_readers_stop_but_not_after_abbreviations():
    found = tokens("Coblos no. 2 ya. Jam 11.30 kumpul! Oke")
    assert [token.sentence for token in found] == [0, 0, 0, 0, 1, 1, 1, 1, 2]


def test_evidence_leads_back_to_the_original():
    text = "Ayo  p\u200bilih ✌🏽 nomor 2\ufe0f\u20e3!"
    lightened = light(text)
    start = lightened.text.index("pilih")
    ((a, b),) = lightened.spans([(start, start + 5)])
    assert text[a:b] == "p\u200bilih"
    spans = {token.normal: text[token.start : token.end] for token in tokens(text)}
    assert spans["pilih"] == "p\u200bilih"
    assert spans["2"] == "2\ufe0f\u20e3"
    assert spans["✌"] == "✌🏽"


@given(ANY | TRICKY)
@example("🫰🫰🫰🫰")
@example("AA:AA🫰AA")
@example("0$.@0.0")
@settings(max_examples=3000, deadline=None)
def test_any_string_is_normalised(text):
    once, plain = light(text), light(text, caps=False)
    assert light(plain.text, caps=False).text == plain.text
    if _shouted(fold(once.text)) == _shouted(fold(text)):  # the small words of an emoji end a text's being all capitals
        assert light(once.text).text == once.text
    assert fold(fold(text)) == fold(text)
    spans = once.spans([(i, i + 1) for i in range(len(once.text))])
    assert all(0 <= a < b <= len(text) for a, b in spans)
    for token in tokens(text):
        assert 0 <= token.start < token.end <= len(text)
        assert fold(text[token.start : token.end])


def test_an_office_gives_way_before_a_masked_name_alone():
    who = CANDIDATE
    assert untitled(f"Presiden RI {who} dan Gubernur Jawa Timur {who} hadir") == f"Pak {who} dan Pak {who} hadir"
    assert untitled(f"Bupati Ogan Ilir {who}, presiden ri bapak {who}") == f"Pak {who}, Pak {who}"
    for left in (
        f"calon presiden {who}",
        f"Presiden Macron bertemu {who}",
        "Presiden Rudi",
        f"{who} presiden",
        f"presiden baru, {who}",
    ):
        assert untitled(left) == left


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "a ",
        "a.",
        "@",
        "#",
        "✌🏽",
        "x@y",
        "1a",
        "\u0336",
        "p-",
        "aaa b",
        "https://",
        "1234567890123456789012345x ",
        "prabowo ",
        "presiden ri ",
        "inin",
        "@in1in1_ ",
    ],
)
def test_time_is_linear_in_the_text(unit):
    names = Names([("prabowo", CANDIDATE), ("pan", CANDIDATE), ("prabowo subianto", CANDIDATE)])

    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.perf_counter()
        untitled(light(text, names=names).text), tokens(text)
        return time.perf_counter() - start

    seconds(1000)
    small, large = min(seconds(50_000) for _ in range(3)), seconds(500_000)
    assert large < 40 * small + 0.5
