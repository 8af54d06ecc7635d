"""Pointers: which rules a post may touch, by its day, its contest and its signals, and in which words."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from netral.contest import Office, load_contest
from netral.errors import RegulationError
from netral.regulations import parse_regulations, pointers, regulations
from netral.rules import load_rules
from netral.schema import FLAGS, Pointer

PILPRES_2014, DKI_2017, PILPRES_2019, PEMILU_2024, DKI_2024 = map(
    load_contest, ("pilpres-2014", "pilkada-dki-2017", "pilpres-2019", "pemilu-2024", "pilkada-dki-2024")
)
PILKADA_2020 = replace(
    DKI_2024,
    id="pilkada-2020",
    vote=date(2020, 12, 9),
    offices=(replace(DKI_2024.offices[0], designated=date(2020, 9, 23), drawn=date(2020, 9, 24)),),
)
UNDATED = replace(DKI_2024, offices=(replace(DKI_2024.offices[0], designated=None),))


def ids(signals, day, contest):
    time = datetime.fromisoformat(day) if day else None
    return " ".join(pointer.id for pointer in pointers(signals.split(), time, contest))


def condition(rule, signals, day, contest):
    time = datetime.fromisoformat(day) if day else None
    return {pointer.id: pointer.condition for pointer in pointers(signals.split(), time, contest)}[rule]


@pytest.mark.parametrize(
    ("signals", "day", "contest", "expected"),
    [
        # Before the circulars: PP 53/2010 and the code of ethics; UU 7/2017 does not reach back.
        ("partisan", "2014-05-30", PILPRES_2014, "uu-5-2014 pp-42-2004 pp-53-2010"),
        ("partisan", "2014-05-31", PILPRES_2014, "uu-5-2014 pp-53-2010"),
        ("partisan", "2017-04-01", DKI_2017, "uu-5-2014 pp-53-2010"),
        # The circulars, from their own days.
        ("partisan", "2017-12-26", PILPRES_2019, "uu-5-2014 pp-42-2004 pp-53-2010 uu-7-2017-283"),
        ("partisan", "2017-12-27", PILPRES_2019, "uu-5-2014 b-71-2017 pp-42-2004 pp-53-2010 uu-7-2017-283"),
        ("partisan", "2019-04-01", PILPRES_2019, "uu-5-2014 b-71-2017 b-36-2018 pp-53-2010 uu-7-2017-283 pp-49-2018"),
        # The SKB of 2020 for Pilkada 2020 alone.
        ("partisan", "2020-09-09", PILKADA_2020, "uu-5-2014 b-71-2017 b-36-2018 pp-42-2004 pp-53-2010 pp-49-2018"),
        ("partisan", "2020-09-23", PILKADA_2020, "uu-5-2014 skb-2020 pp-53-2010 pp-49-2018"),
        ("partisan", "2020-10-01", PEMILU_2024, "uu-5-2014 pp-42-2004 pp-53-2010 uu-7-2017-283 pp-49-2018"),
        ("partisan", "2020-10-01", None, "uu-5-2014 skb-2020 pp-42-2004 pp-53-2010 uu-7-2017-283 pp-49-2018"),
        # PP 94/2021, the SKB of 2022 and UU 20/2023, from their days.
        ("partisan", "2021-08-30", DKI_2024, "uu-5-2014 pp-42-2004 pp-53-2010 pp-49-2018"),
        ("partisan", "2021-08-31", DKI_2024, "uu-5-2014 pp-42-2004 pp-94-2021 pp-49-2018"),
        ("partisan", "2022-09-21", DKI_2024, "uu-5-2014 pp-42-2004 pp-94-2021 pp-49-2018"),
        ("partisan", "2022-09-22", DKI_2024, "uu-5-2014 skb-2022-a pp-42-2004 pp-94-2021 pp-49-2018"),
        ("partisan", "2023-10-30", DKI_2024, "uu-5-2014 skb-2022-a pp-42-2004 pp-94-2021 se-1-2023 pp-49-2018"),
        ("partisan", "2023-10-31", DKI_2024, "uu-20-2023 skb-2022-a pp-42-2004 pp-94-2021 se-1-2023 pp-49-2018"),
        # Part A before the designation of candidates, B from it on, both where that cannot be said.
        ("partisan", "2024-09-21", DKI_2024, "uu-20-2023 skb-2022-a pp-42-2004 pp-94-2021 se-1-2023 pp-49-2018"),
        ("partisan", "2024-09-22", DKI_2024, "uu-20-2023 skb-2022-b pp-94-2021 se-1-2023 pp-49-2018"),
        (
            "partisan",
            "2024-09-22",
            UNDATED,
            "uu-20-2023 skb-2022-a skb-2022-b pp-42-2004 pp-94-2021 se-1-2023 pp-49-2018",
        ),
        (
            "partisan",
            "2023-11-02",
            PEMILU_2024,
            "uu-20-2023 skb-2022-a pp-42-2004 pp-94-2021 uu-7-2017-283 se-1-2023 pp-49-2018",
        ),
        (
            "partisan",
            "2023-11-03",
            PEMILU_2024,
            "uu-20-2023 skb-2022-a skb-2022-b pp-42-2004 pp-94-2021 uu-7-2017-283 se-1-2023 pp-49-2018",
        ),
        (
            "partisan",
            "2023-11-13",
            PEMILU_2024,
            "uu-20-2023 skb-2022-b pp-94-2021 uu-7-2017-283 se-1-2023 pp-49-2018",
        ),
        (
            "partisan",
            None,
            None,
            "uu-20-2023 uu-5-2014 skb-2022-a skb-2022-b pp-42-2004 pp-94-2021 pp-53-2010 uu-7-2017-283 se-1-2023"
            " pp-49-2018",
        ),
        (
            "partisan",
            None,
            PILKADA_2020,
            "uu-20-2023 uu-5-2014 skb-2020 pp-42-2004 pp-94-2021 pp-53-2010 se-1-2023 pp-49-2018",
        ),
        # Hate: the letter of BKN, then what is criminal, by the law of that day and the present one.
        ("hate", "2016-11-27", DKI_2017, "pp-53-2010-3 uu-10-2016-187 ite-2008 kuhp-243"),
        ("hate", "2016-11-28", DKI_2017, "pp-53-2010-3 uu-10-2016-187 ite-2016 kuhp-243"),
        ("hate", "2018-05-30", PILPRES_2019, "pp-53-2010-3 uu-7-2017-521 ite-2016 kuhp-243"),
        ("hate", "2018-05-31", PILPRES_2019, "bkn-2018 pp-53-2010-3 uu-7-2017-521 ite-2016 kuhp-243"),
        ("hate", "2024-01-01", PEMILU_2024, "bkn-2018 pp-94-2021-3 pp-49-2018 uu-7-2017-521 ite-2016 kuhp-243"),
        ("hate", "2024-01-02", PEMILU_2024, "bkn-2018 pp-94-2021-3 pp-49-2018 uu-7-2017-521 ite-2024 kuhp-243"),
        ("hate", "2024-10-01", DKI_2024, "bkn-2018 pp-94-2021-3 pp-49-2018 uu-10-2016-187 ite-2024 kuhp-243"),
        (
            "hate",
            "2026-01-01",
            None,
            "bkn-2018 pp-94-2021-3 pp-49-2018 uu-7-2017-521 uu-10-2016-187 ite-2024 kuhp-243",
        ),
        ("hate", "2026-01-02", None, "bkn-2018 pp-94-2021-3 pp-49-2018 uu-7-2017-521 uu-10-2016-187 kuhp-243"),
        ("hate", None, DKI_2024, "bkn-2018 pp-94-2021-3 pp-53-2010-3 pp-49-2018 uu-10-2016-187 ite-2024 kuhp-243"),
        # False news: nothing criminal before UU 1/2024, for UU 1/1946 is void and not printed.
        ("hoax", "2019-04-01", PILPRES_2019, "pp-53-2010-3 pp-49-2018"),
        ("hoax", "2024-01-01", PEMILU_2024, "pp-94-2021-3 pp-49-2018"),
        ("hoax", "2024-01-02", PEMILU_2024, "pp-94-2021-3 pp-49-2018 ite-2024-28-3 kuhp-263"),
        ("hoax", "2026-01-02", None, "pp-94-2021-3 pp-49-2018 kuhp-263"),
        # Signals of single rules, by contest.
        ("partisan-money", "2024-10-01", DKI_2024, "uu-10-2016-187a"),
        ("partisan-money", "2024-02-01", PEMILU_2024, "uu-7-2017-523"),
        ("partisan-money", "2024-10-01", None, "uu-7-2017-523 uu-10-2016-187a"),
        ("partisan-mobilise", "2024-10-01", DKI_2024, "uu-10-2016-188"),
        ("partisan-mobilise", "2024-02-01", PEMILU_2024, "uu-7-2017-494"),
        ("partisan-office-deal", "2024-10-01", DKI_2024, "uu-10-2016-188"),
        ("partisan-office-word", "2024-10-01", DKI_2024, ""),
        ("", "2024-10-01", DKI_2024, ""),
        ("own-rule", "2024-10-01", DKI_2024, ""),
    ],
)
def test_the_rules_of_a_post(signals, day, contest, expected):
    rule_ids = ids(signals, day, contest).split()
    if signals.startswith("partisan-"):  # the rules of the flag itself stand in the lines above
        rule_ids = [rule for rule in rule_ids if rule in CRIMINAL]
    assert rule_ids == expected.split()


CRIMINAL = {rule.id for rule in regulations() if rule.kind == "criminal"}


@pytest.mark.parametrize("day", [None, "2016-12-01", "2019-04-01", "2022-10-01", "2024-10-01", "2026-06-01"])
@pytest.mark.parametrize("contest", [None, PILPRES_2019, PEMILU_2024, DKI_2024, UNDATED])
def test_every_pointer_says_may_touch_and_criminal_law_comes_last(day, contest):
    time = datetime.fromisoformat(day) if day else None
    found = pointers({"partisan", "hate", "hoax", "partisan-money", "partisan-mobilise"}, time, contest)
    assert found
    assert [pointer.id in CRIMINAL for pointer in found] == sorted(pointer.id in CRIMINAL for pointer in found)
    assert len({pointer.id for pointer in found}) == len(found)
    for pointer in found:
        assert isinstance(pointer, Pointer)
        assert pointer.condition.startswith("Dapat menyentuh")
        assert "melanggar" not in pointer.condition.lower()
        assert ("bila unsurnya terpenuhi" in pointer.condition) is (pointer.id in CRIMINAL)
        assert pointer.source.startswith("http")
        assert pointer.applies_to


def test_what_changed_since_the_post_is_shown_with_the_milder_rule():
    assert condition("ite-2016", "hate", "2019-01-08", None).endswith(
        "Aturan pada saat diunggah; sesudah itu berubah, dan yang lebih ringan berlaku (Pasal 3 KUHP)."
    )
    assert condition("kuhp-243", "hate", "2019-01-08", None).endswith(
        "Aturan sekarang, berlaku sejak 2 Januari 2026; yang lebih ringan berlaku (Pasal 3 KUHP)."
    )
    assert "Pasal 3 KUHP" not in condition("kuhp-243", "hate", "2026-01-02", None)


def test_an_unknown_time_shows_both_versions_with_their_days():
    assert condition("pp-94-2021", "partisan", None, None).endswith("Berlaku bila diunggah sejak 31 Agustus 2021.")
    assert condition("uu-5-2014", "partisan", None, None).endswith("Berlaku bila diunggah sebelum 31 Oktober 2023.")
    assert condition("ite-2024", "hate", None, None).endswith(
        "Berlaku bila diunggah dari 2 Januari 2024 sampai dengan 1 Januari 2026. "
        "Sesudah itu berubah, dan yang lebih ringan berlaku (Pasal 3 KUHP)."
    )


def test_an_unknown_designation_shows_both_parts_with_their_condition():
    part_a, part_b = (condition(f"skb-2022-{part}", "partisan", "2024-09-22", UNDATED) for part in "ab")
    assert part_a.endswith("Berlaku bila diunggah sebelum KPU menetapkan calon.")
    assert part_b.endswith("Berlaku bila diunggah sejak KPU menetapkan calon.")
    assert "menetapkan" not in condition("skb-2022-b", "partisan", "2024-09-22", DKI_2024)
    assert condition("skb-2022-a", "partisan", "2023-11-08", PEMILU_2024).endswith(
        "sebelum KPU menetapkan calon (3 November 2023 atau 13 November 2023, menurut jabatannya)."
    )
    assert "(22 September 2024)" in condition("skb-2022-a", "partisan", None, DKI_2024)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2024-11-27", ""),
        ("2024-11-28", "Periksa apakah sudah diganti."),
        (None, "Bila diunggah sesudah 27 November 2024, periksa apakah sudah diganti."),
    ],
)
def test_the_skb_of_2022_is_to_be_checked_after_the_last_vote(day, said):
    text = condition("skb-2022-b", "partisan", day, DKI_2024)
    assert text.endswith(said)
    assert ("diganti" in text) is bool(said)


def test_an_unknown_contest_says_for_which_election_a_law_holds():
    assert "Hanya untuk pemilihan umum (Pemilu)." in condition("uu-7-2017-521", "hate", "2024-02-01", None)
    assert "Hanya untuk pemilihan kepala daerah (Pilkada)." in condition("uu-10-2016-187", "hate", "2024-02-01", None)
    assert "Hanya untuk" not in condition("uu-7-2017-521", "hate", "2024-02-01", PEMILU_2024)


def test_a_regional_roster_of_parties_is_a_general_election():
    council = replace(DKI_2024, offices=(Office("dprd", "DPRD", DKI_2024.offices[0].candidates, parties=True),))
    assert ids("partisan-money", "2024-02-01", council).split()[-1] == "uu-7-2017-523"


def test_days_are_counted_in_indonesia():
    late = datetime(2024, 9, 21, 18, 0, tzinfo=UTC)  # 22 September, 01.00 WIB
    assert "skb-2022-b" in {pointer.id for pointer in pointers({"partisan"}, late, DKI_2024)}
    assert "skb-2022-a" in {pointer.id for pointer in pointers({"partisan"}, late - timedelta(hours=2), DKI_2024)}


def test_who_a_rule_binds_is_said():
    bound = {rule.id: rule.applies_to for rule in regulations()}
    assert bound["pp-94-2021"] == bound["pp-53-2010"] == bound["pp-42-2004"] == ("PNS",)
    assert bound["pp-49-2018"] == ("PPPK",)
    assert bound["uu-10-2016-188"] == ("pejabat ASN",)
    assert bound["uu-20-2023"] == ("PNS", "PPPK")


def test_every_signal_is_a_flag_or_a_shipped_rule():
    known = {*FLAGS, *(rule.id for rule in load_rules())}
    assert {signal for rule in regulations() for signal in rule.signals} - known == set()


def test_after_the_vote_the_decree_speaks_of_that_election_alone():
    before, after = (condition("skb-2022-b", "partisan", day, DKI_2024) for day in ("2024-11-27", "2024-11-28"))
    assert "sudah lewat" not in before
    assert after.startswith(before)
    assert "hanya bila unggahan menyangkut pemilihan itu" in after


def test_the_order_of_signals_does_not_matter():
    time = datetime(2024, 10, 1)
    assert pointers(["partisan", "hate"], time, DKI_2024) == pointers(iter(["hate", "partisan"]), time, DKI_2024)


# ------------------------------------------------------------------------------ the file

ENTRY = """
[[regulation]]
id = "contoh"
title = "Peraturan Contoh"
article = "Pasal 1"
applies_to = ["PNS"]
in_force_from = 2020-01-01
in_force_to = 2020-12-31
signals = ["partisan"]
kind = "staff"
condition = "bila unggahan memihak"
source = "https://contoh.id"
sureness = "B"
"""


def test_a_regulation_is_read_as_written():
    (rule,) = parse_regulations(ENTRY, "aturan.toml")
    assert (rule.applies_to, rule.signals, rule.kind, rule.sureness) == (("PNS",), ("partisan",), "staff", "B")
    assert (rule.in_force(date(2020, 1, 1)), rule.in_force(date(2021, 1, 1))) == (True, False)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[[regulation]]", "[[regulation", "aturan.toml: not valid TOML"),
        ("[[regulation]]", "[regulation]", r"aturan.toml: write \[\[regulation\]\] tables and nothing else"),
        ("[[regulation]]", "[[aturan]]", r"aturan.toml: write \[\[regulation\]\] tables and nothing else"),
        ('article = "Pasal 1"', "", "regulation contoh: 'article' is missing"),
        ("article", "pasal", "regulation contoh: unknown key 'pasal'; known are .*article"),
        ('["PNS"]', '"PNS"', "regulation contoh: applies_to must be a list of texts"),
        ('["partisan"]', "[]", "regulation contoh: signals must be a list of texts"),
        ("2020-01-01", '"2020"', "regulation contoh: in_force_from must be a date like 2022-09-22"),
        ("2020-01-01", "2021-01-01", "regulation contoh: in_force_to lies before in_force_from"),
        ('"staff"', '"pidana"', "regulation contoh: kind must be one of staff, criminal"),
        ('sureness = "B"', 'sureness = "D"', "regulation contoh: sureness must be one of A, B, C"),
        ('sureness = "B"', 'sureness = "B"\npart = "C"', "regulation contoh: part must be one of A, B"),
        ('sureness = "B"', 'sureness = "B"\nlaw = "pilkades"', "regulation contoh: law must be one of pemilu, pilkada"),
        ('sureness = "B"', 'sureness = "B"\npast = 1', "regulation contoh: past must be a bool"),
        ('sureness = "B"', 'sureness = "B"\nchain = "x"', "regulation contoh: only criminal law has a chain"),
        ('"bila unggahan memihak"', '" "', "regulation contoh: condition must be a text"),
        ("bila unggahan memihak", "bila ASN melanggar", "regulation contoh: condition says 'melanggar'"),
    ],
)
def test_a_malformed_regulation_is_refused_by_name(old, new, said):
    with pytest.raises(RegulationError, match=said):
        parse_regulations(ENTRY.replace(old, new, 1), "aturan.toml")


def test_an_id_cannot_stand_twice():
    with pytest.raises(RegulationError, match="regulation contoh: this id stands twice"):
        parse_regulations(ENTRY + ENTRY, "aturan.toml")


@pytest.mark.parametrize("change", [("2020-01-01", "2020-12-31"), ('["partisan"]', '["hate"]')])
def test_versions_of_a_chain_follow_each_other(change):
    first = ENTRY.replace('"staff"', '"criminal"\nchain = "rantai"')
    second = first.replace('"contoh"', '"contoh-2"').replace("2020-12-31", "2021-12-31")
    good = second.replace("2020-01-01", "2021-01-01")
    assert [rule.id for rule in parse_regulations(first + good, "aturan.toml")] == ["contoh", "contoh-2"]
    bad = second.replace(*change) if change[0] == "2020-01-01" else good.replace(*change)
    with pytest.raises(RegulationError, match="regulation contoh-2: needs the signals of contoh, of the same chain"):
        parse_regulations(first + bad, "aturan.toml")


def test_loading_is_cached():
    assert regulations() is regulations()


def test_the_docs_list_every_regulation_with_its_article_and_sureness():
    page = (Path(__file__).parent.parent / "docs" / "regulations.md").read_text(encoding="utf-8")
    rows = {
        row[1].strip("`"): (row[2], row[-2])
        for row in (re.split(r" ?\| ?", line) for line in page.splitlines() if line.startswith("| `"))
    }
    listed = {rule.id: (rule.article, rule.sureness) for rule in regulations()}
    assert {rule: rows.get(rule) for rule in listed} == listed
    parse_regulations(page.split("```toml\n")[1].split("```")[0], "docs/regulations.md")
