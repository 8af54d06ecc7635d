"""Rosters: what the loader takes and refuses, and what must hold of every roster that ships."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path

import pytest
from emoji import is_emoji

from netral.contest import Candidate, bundled_contests, load_contest, local_day, parse_contest
from netral.errors import ContestError

ROSTER = """
id = "pilkada-sukamaju"
title = "Pilkada Sukamaju"
scope = "Kabupaten Sukamaju"
vote = 2024-11-27

[[offices]]
id = "bupati"
title = "Bupati"
designated = 2024-09-22
drawn = 2024-09-23

[[offices.candidates]]
number = 1
name = "Wiratno - Ningsih"
names = ["wiratno sasmita", "WANI"]
"""
SECOND = '\n[[offices.candidates]]\nnumber = 1\nname = "Hasan - Umar"\nnames = ["hasan kartawijaya"]\n'
BUNDLED = bundled_contests()
by_id = pytest.mark.parametrize("contest", BUNDLED, ids=lambda contest: contest.id)


def test_a_roster_is_read_as_written():
    contest = parse_contest(ROSTER, "sukamaju.toml")
    (office,) = contest.offices
    (candidate,) = contest.candidates
    assert (contest.scope, contest.vote, contest.drawn) == ("Kabupaten Sukamaju", date(2024, 11, 27), date(2024, 9, 23))
    assert (office.designated, office.parties) == (date(2024, 9, 22), False)
    assert (candidate.number, candidate.names, candidate.signs) == (1, ("wiratno sasmita", "WANI"), ())
    assert not candidate.checked


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id = ", "= ", "sukamaju.toml: not valid TOML"),
        ("vote = 2024-11-27", "", "sukamaju.toml: 'vote' is missing; see docs/contests.md"),
        ("pilkada-sukamaju", "Pilkada Sukamaju", "must be small letters, digits and hyphens"),
        ("designated = 2024-09-22", "designated = 2025-09-22", "office bupati: designated lies after the vote"),
        ("2024-11-27", "2024-01-27", "lies after the vote; correct the dates"),
        ("vote = 2024-11-27", 'vote = "27 November"', "sukamaju.toml: vote must be a date like 2024-11-27"),
        ("vote = 2024-11-27", "vote = 2024-11-27T07:00:00", "sukamaju.toml: vote must be a date like"),
        ("drawn = 2024-09-23", "drawn = 23", "drawn must be a date like"),
        ("scope", "region", "sukamaju.toml: unknown key 'region'; known are .*scope"),
        ('title = "Bupati"', "", "'title' is missing; see docs/contests.md"),
        ("designated", "penetapan", "office bupati: unknown key 'penetapan'; known are"),
        ("names", "nama", "candidate Wiratno - Ningsih: unknown key 'nama'; known are .*names"),
        ('["wiratno sasmita", "WANI"]', '"wiratno"', "Wiratno - Ningsih: names must be a list of texts"),
        ('["wiratno sasmita", "WANI"]', '["", "WANI"]', "Wiratno - Ningsih: names must be a list of texts"),
        ('["wiratno sasmita", "WANI"]', "[]", "Wiratno - Ningsih: names is empty; list how posts name"),
        ("number = 1", 'number = "1"', "Wiratno - Ningsih: number must be a whole number from 0 to 99"),
        ("number = 1", "number = true", "Wiratno - Ningsih: number must be a whole number"),
        ("drawn = 2024-09-23", 'parties = "false"', "office bupati: parties must be true or false"),
        ("number = 1", 'number = 1\nchecked = "no"', "Wiratno - Ningsih: checked must be true or false"),
        ("number = 1", "number = 100", "Wiratno - Ningsih: number must be a whole number"),
        ("number = 1", f"number = {'9' * 5000}", "sukamaju.toml: not valid TOML"),
        ("number = 1", f"number = {'[' * 5000}", "sukamaju.toml: nested too deeply; write it as docs"),
    ],
)
def test_a_malformed_roster_is_refused_by_name_with_the_remedy(old, new, said):
    with pytest.raises(ContestError, match=said) as refusal:
        parse_contest(ROSTER.replace(old, new, 1), "sukamaju.toml")
    assert str(refusal.value).startswith("sukamaju.toml")


def test_two_candidates_of_an_office_cannot_share_a_number():
    with pytest.raises(ContestError, match=r"office bupati: a number stands twice; give each candidate its own"):
        parse_contest(ROSTER + SECOND, "sukamaju.toml")


def test_a_roster_loads_by_id_and_from_a_file(tmp_path):
    path = tmp_path / "sukamaju.toml"
    path.write_text(ROSTER, encoding="utf-8")
    assert load_contest("pilpres-2019").title == "Pemilihan Presiden dan Wakil Presiden 2019"
    assert load_contest(path) == load_contest(str(path)) == parse_contest(ROSTER, "sukamaju.toml")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pilpres-2099", r"no contest 'pilpres-2099'; bundled are .*pilpres-2019.*; or name a \.toml file"),
        ("missing.toml", r"missing\.toml: the roster cannot be read .*; name a TOML file in UTF-8"),
        ("a\0.toml", r"the roster cannot be read \(embedded null byte\); name a TOML file in UTF-8"),
    ],
)
def test_an_unknown_roster_is_refused(name, said):
    with pytest.raises(ContestError, match=said):
        load_contest(name)


def test_a_roster_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "sukamaju.toml"
    path.write_bytes(ROSTER.encode("utf-16"))
    with pytest.raises(ContestError, match=r"sukamaju\.toml: the roster cannot be read"):
        load_contest(path)


def test_a_bundled_id_wins_over_a_file_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pemilu-2024").write_text("", encoding="utf-8")
    assert load_contest("pemilu-2024").offices
    (tmp_path / "bom.toml").write_text(ROSTER, encoding="utf-8-sig")
    assert load_contest("bom.toml").id
    with pytest.raises(ContestError, match=r"no contest|cannot be read"):
        load_contest("x" * 5000)


@pytest.mark.parametrize("field", [{"names": "budi santoso"}, {"signs": (1,), "names": ("budi",)}, {"number": "1"}])
def test_a_candidate_made_in_code_is_checked_too(field):
    with pytest.raises(TypeError, match="candidate Budi"):
        Candidate(**({"name": "Budi", "number": 1, "names": ("budi",)} | field))


def test_a_sign_that_is_no_emoji_is_refused(tmp_path):
    place = tmp_path / "sukamaju.toml"
    place.write_text(ROSTER + 'signs = ["✊🏽"]\n', encoding="utf-8")
    assert next(iter(load_contest(place).candidates)).signs == ("✊🏽",)
    place.write_text(ROSTER + 'signs = ["dua jari"]\n', encoding="utf-8")
    with pytest.raises(ContestError, match=r"sukamaju\.toml: candidate Wiratno - Ningsih: sign 'dua jari'"):
        load_contest(place)


def test_the_end_of_time_has_a_day():
    assert local_day(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)) == date(9999, 12, 31)


def test_a_contest_is_open_from_the_drawing_to_the_vote():
    contest = parse_contest(ROSTER, "sukamaju.toml")
    open_on = [day for day in (22, 23) if contest.is_open(datetime(2024, 9, day))]
    assert open_on == [23]
    assert contest.is_open(datetime(2024, 11, 27, 23, 59))
    assert not contest.is_open(datetime(2024, 11, 28))
    undrawn = parse_contest(ROSTER.replace("drawn = 2024-09-23", ""), "sukamaju.toml")
    assert not undrawn.is_open(datetime(2024, 10, 1))


def test_days_are_those_of_western_indonesia():
    assert local_day(datetime(2024, 9, 22, 18, 0, tzinfo=UTC)) == date(2024, 9, 23)
    assert local_day(datetime(2024, 9, 23, 0, 30, tzinfo=timezone(timedelta(hours=9)))) == date(2024, 9, 22)
    assert local_day(datetime(2024, 9, 22, 18, 0)) == date(2024, 9, 22)


# --------------------------------------------------------------------------- what ships


def test_every_bundled_roster_loads_in_the_order_of_ballot_days():
    assert [contest.id for contest in BUNDLED] == [
        "pilpres-2014",
        "pilkada-dki-2017",
        "pilpres-2019",
        "pemilu-2024",
        "pilkada-banten-2024",
        "pilkada-dki-2024",
        "pilkada-jatim-2024",
    ]


def test_pemilu_2024_holds_the_pairs_and_the_parties():
    presiden, parpol = load_contest("pemilu-2024").offices
    assert [candidate.number for candidate in presiden.candidates] == [1, 2, 3]
    assert [candidate.number for candidate in parpol.candidates] == list(range(1, 25))
    assert (presiden.parties, parpol.parties) == (False, True)


@by_id
def test_dates_follow_each_other(contest):
    for office in contest.offices:
        assert office.designated
        assert office.drawn
        assert max(office.designated, office.drawn) < contest.vote
        assert office.parties or office.designated < office.drawn


@by_id
def test_every_candidate_says_where_it_was_checked(contest):
    assert [candidate.name for candidate in contest.candidates if not (candidate.checked and candidate.source)] == []


@by_id
def test_signs_are_emoji(contest):
    assert all(is_emoji(sign) for candidate in contest.candidates for sign in candidate.signs)


@by_id
def test_a_pair_has_as_many_signs_as_its_rivals(contest):
    for office in contest.offices:
        assert len({len(candidate.signs) for candidate in office.candidates}) == 1
        signs = [sign for candidate in office.candidates for sign in candidate.signs]
        assert len(set(signs)) == len(signs)


@by_id
def test_names_are_lower_case_or_capitals_and_hashtags_one_word(contest):
    for candidate in contest.candidates:
        assert [name for name in candidate.names if not (name.islower() or name.isupper())] == []
        assert all(slogan.islower() for slogan in candidate.slogans)
        assert all(tag[0] == "#" and tag[1:].isalnum() for tag in candidate.hashtags)


@by_id
def test_nothing_names_two_candidates_or_stands_twice(contest):
    terms = Counter(
        term.lower()
        for candidate in contest.candidates
        for term in (*candidate.names, *candidate.slogans, *candidate.hashtags)
    )
    assert [term for term, count in terms.items() if count > 1] == []


def test_a_term_in_two_contests_means_the_same_person():
    first: dict[str, str] = {}
    for contest in BUNDLED:
        for candidate in contest.candidates:
            for term in (*candidate.names, *candidate.slogans, *candidate.hashtags):
                known = first.setdefault(term.lower(), candidate.name)
                assert set(known.split()) & set(candidate.name.split()) - {"-"}, term


COMMON = (
    "agus ade airin andra anis budi dharma dimyati djoko emil hasan hatta imin joko kamil lukman luluk muhaimin".split()
)
COMMON += (
    "pramono rano ridwan risma sandi sylvi tri amin rido pan psi buruh garuda gelora ummat padi pkn pbb jk".split()
)


@pytest.mark.parametrize("word", COMMON)
def test_common_names_and_words_stand_for_nobody(word):
    assert [candidate.name for contest in BUNDLED for candidate in contest.candidates if word in candidate.names] == []


def test_the_template_parses_and_is_not_bundled():
    template = files("netral").joinpath("resources", "contests", "template-kabupaten.toml")
    contest = parse_contest(template.read_text(encoding="utf-8"), template.name)
    assert contest.scope == "Kabupaten Sukamaju"
    assert contest.id not in {bundled.id for bundled in BUNDLED}
    assert [candidate.checked for candidate in contest.candidates] == [False, False]


def test_the_example_in_the_docs_parses():
    page = (Path(__file__).parent.parent / "docs" / "contests.md").read_text(encoding="utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    contest = parse_contest(example, "docs/contests.md")
    assert [candidate.number for candidate in contest.candidates] == [1, 2]
    assert [bundled.id for bundled in BUNDLED if f"| `{bundled.id}` |" not in page] == []


def test_a_name_of_two_candidates_is_refused():
    second = SECOND.replace("number = 1", "number = 2").replace("hasan kartawijaya", "wani")
    with pytest.raises(ContestError, match="'wani' names two candidates; leave it to one or to none"):
        parse_contest(ROSTER + second, "sukamaju.toml")


def test_the_id_of_a_bundled_roster_is_taken(tmp_path):
    path = tmp_path / "lokal.toml"
    path.write_text(ROSTER.replace("pilkada-sukamaju", BUNDLED[0].id), encoding="utf-8")
    with pytest.raises(ContestError, match="is a bundled roster's; choose another"):
        load_contest(path)
