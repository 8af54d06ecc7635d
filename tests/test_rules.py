"""The matcher, what the loader refuses, and every line of every shipped rule."""

import time

import pytest

import netral
from netral.contest import load_contest
from netral.decision import remaining
from netral.errors import RuleError
from netral.rules import RuleClassifier, check_rules, load_rules, parse_rules

RULE = """
[[rule]]
id = "r"
flag = "partisan"
{fields}
why = "mengapa"
match = ["x"]
skip = ["y"]
"""


def classifier(fields: str, contest=None) -> RuleClassifier:
    return RuleClassifier(list(parse_rules(RULE.format(fields=fields), "t.toml")), contest)


def spans(fields: str, text: str, contest=None) -> list[str]:
    return [text[hit.start : hit.end] for hit in classifier(fields, contest).match(text)]


@pytest.mark.parametrize(
    ("fields", "text", "found"),
    [
        ('weight = 0.8\nterms = ["coblos nomor"]', "Ayo  COBLOS   nmr 2", ["COBLOS   nmr"]),
        ('weight = 0.8\nterms = ["coblos nomor"]', "coblos. Nomor antrean", []),
        ('weight = 0.8\nterms = ["coblos"]', "c0bl0s coblooos c o b l o s", ["c0bl0s", "coblooos", "c o b l o s"]),
        ('weight = 0.8\nterms = ["nomor <angka>"]', "nomor 02, nomor dua, nomor 123", ["nomor 02", "nomor dua"]),
        ('weight = 0.8\nterms = ["AMIN"]', "AMIN amin Amin aamiin", ["AMIN"]),
        ('weight = 0.8\nterms = ["pilih ... wibawa"]', "pilih yang punya wibawa", ["pilih yang punya wibawa"]),
        ('weight = 0.8\nterms = ["pilih ... wibawa"]', "pilih satu dua tiga empat wibawa", []),
        ('weight = 0.8\nterms = ["asal bukan"]', "#AsalBukanDia", ["#AsalBukan"]),
        ('weight = 0.8\nterms = ["#asalbukandia"]', "#AsalBukanDia", ["#AsalBukanDia"]),
        ('weight = 0.8\nterms = ["<jari>"]', "oke ✌🏽", ["✌🏽"]),
        ('weight = 0.8\nterms = ["<jari>"]', "oke ✌️ ya", ["✌️"]),
        (
            'weight = 0.8\nterms = ["info valid dari", "valid dari", "dari kpu"]',
            "Info valid dari KPU",
            ["Info valid dari", "dari KPU"],
        ),
        ('weight = 0.8\nterms = ["pilih"]\nnear = ["paslon"]', "pilih dia. paslon", []),
        ('weight = 0.8\nterms = ["pilih"]\nnear = ["paslon"]', "pilih paslon dia", ["pilih"]),
        ('weight = 0.8\nterms = ["pilih"]\nunless = ["jurusan"]', "pilih dia. jurusan", []),
        ('weight = 0.8\nterms = ["dukung"]\ncontest = true', "dukung timnas", []),
        ('weight = 0.8\nterms = ["dukung"]\ncontest = true', "dukung Prabowo", ["dukung"]),
        ('weight = 0.8\nterms = ["dukung <nama>"]', "dukung Prabowo Subianto", ["dukung Prabowo Subianto"]),
    ],
)
def test_terms_match_spellings_not_neighbours(fields, text, found):
    assert spans(fields, text) == found


def test_nicknames_need_their_contest():
    fields = 'weight = 0.8\nterms = ["dukung <nama>"]'
    assert spans(fields, "dukung airin") == []
    assert spans(fields, "dukung airin", load_contest("pilkada-banten-2024")) == ["dukung airin"]


def test_bare_numbers_and_signs_need_an_open_contest():
    contest = load_contest("pemilu-2024")
    fields = 'weight = 0.8\nterms = ["<nomor>", "<tanda>"]'
    assert spans(fields, "02 ✌") == []
    assert spans(fields, "02 ✌", contest) == ["02", "✌"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ('weight = 1.5\nterms = ["a"]', "weight must lie"),
        ('weight = 0.5\ncounter = true\nterms = ["a"]', "either a weight or counter"),
        ('terms = ["a"]', "either a weight or counter"),
        ('weight = 0.5\nterms = ["!!"]', "holds no word"),
        ("weight = 0.5\nterms = []", "at least one line"),
        ('weight = 0.5\nterms = ["@nowhere"]', r"\[lists\] does not hold"),
        ('weight = 0.5\nterms = ["a"]\ncolour = "red"', "unknown key 'colour'"),
        ('weight = 0.5\nterms = ["a"]\ncontest = "false"', "contest must be true or false"),
        ('weight = 0.5\nterms = ["dukung <nma>"]', "no placeholder '<nma>'"),
        ('weight = 0.5\nterms = ["dukung @paslon"]', "'@paslon' in the term 'dukung @paslon' matches nothing"),
        ('weight = 0.5\nterms = ["lihat https://x.id"]', "'https://x.id' in the term"),
        ('weight = 0.5\nterms = ["dukung … budi"]', "'…' in the term"),
        ('weight = 0.5\nterms = ["dukung (<nama>)"]', r"'\(<nama>\)' in the term"),
    ],
)
def test_malformed_rules_are_refused_by_name(fields, message):
    with pytest.raises(RuleError, match=message) as caught:
        classifier(fields)
    assert "t.toml: rule r" in str(caught.value)


@pytest.mark.parametrize("text", ["[rule]", 'rule = "x"', "lists = 3", "[lists]\nx = [1]", '[lists]\nx = "abc"'])
def test_malformed_tables_are_refused_by_file(text):
    with pytest.raises(RuleError, match=r"t\.toml: "):
        list(parse_rules(text, "t.toml"))


def test_user_rules_add_to_the_shipped_ones_and_may_not_shadow_them(tmp_path):
    (tmp_path / "own.toml").write_text(RULE.format(fields='weight = 0.5\nterms = ["xyzzy"]'), encoding="utf-8")
    rules = load_rules(tmp_path)
    assert [rule.id for rule in rules if rule.own] == ["r"]
    (tmp_path / "twin.toml").write_text(RULE.format(fields='weight = 0.5\nterms = ["plugh"]'), encoding="utf-8")
    with pytest.raises(RuleError, match="this id is taken"):
        load_rules(tmp_path)
    with pytest.raises(RuleError, match="no rule files"):
        load_rules(tmp_path / "nowhere")


def test_every_line_of_every_shipped_rule_holds():
    assert check_rules(load_rules()) == []


@pytest.mark.parametrize(
    "unit", ["coblos ", "pilih a b ", "✌", "nomor 2 ", "jangan sampai ", "#a1B2", "a.", "sebarkan "]
)
def test_a_megabyte_of_hostile_text_takes_linear_time(unit):
    shipped = RuleClassifier(load_rules())

    def seconds(size: int) -> float:
        start = time.process_time()
        shipped.predict([unit * (size // len(unit))])
        return time.process_time() - start

    seconds(1000)
    small = max(seconds(50_000), 1e-3)
    assert seconds(1_000_000) < 60 * small + 1


def test_hits_behind_many_others_still_count():
    rules = RuleClassifier(load_rules())
    lonely = rules.match("Pak Anies emang top ✌🏽")
    assert lonely
    assert {hit.rule for hit in lonely} <= {hit.rule for hit in rules.match("✌. " * 60 + "\nPak Anies emang top ✌🏽")}


def test_counter_rules_cancel_every_copy():
    line = "Imbauan: dukung paslon 1 di grup kantor bisa kena sanksi.\n"
    screener = netral.load("rules")
    assert screener.predict(line * 30).label is screener.predict(line).label is netral.Label.NEUTRAL


def test_blanks_that_cannot_be_seen_are_blanks():
    rules = RuleClassifier(load_rules())
    seen = [hit.rule for hit in rules.match("ayo coblos nomor 2 menangkan paslon kami")]
    assert seen
    for blank in "\u2800\u3164\u115f\uffa0":
        assert [
            hit.rule for hit in rules.match(f"ayo{blank}coblos{blank}nomor 2{blank}menangkan paslon{blank}kami")
        ] == seen


def test_place_names_are_peoples_only_after_orang_and_the_like():
    fields = 'weight = 0.8\nterms = ["<suku>"]'
    assert spans(fields, "bus ke Jawa, orang Jawa, Batak, dasar papua") == ["Jawa", "Batak", "papua"]
    assert spans('weight = 0.8\nterms = ["<agama>"]', "umat Islam dan kaum nasrani") == ["Islam", "nasrani"]


def test_tens_are_no_ones():
    assert spans('weight = 0.8\nterms = ["nomor <angka>"]', "nomor dua belas, nomor sebelas") == ["nomor sebelas"]


@pytest.mark.parametrize(
    "title", ["", "Pak ", "Ibu ", "Mbak ", "Kang ", "Gus ", "Teteh ", "Ustadz ", "H. ", "Bapak H. ", "Daeng ", "Bli "]
)
def test_a_name_weighs_alike_behind_every_title(title):
    fields = 'weight = 0.8\nterms = ["skip <nama>", "<nama> dulu"]'
    post = f"skip {title}Prabowo aja, {title}Ganjar dulu baru yang lain"
    assert spans(fields, post) == [f"skip {title}Prabowo", f"{title}Ganjar dulu"]


def test_a_title_alone_is_a_form_of_address_and_many_are_read_in_linear_time():
    fields = 'weight = 0.8\nterms = ["coblos <panggilan>", "asal <nama>"]'
    assert spans(fields, "coblos Bu Ningsih, coblos cak Har, coblos kucing") == ["coblos Bu", "coblos cak"]
    assert spans(fields, "asal " + "bapak " * 200_000 + "Ganjar") == []


@pytest.mark.parametrize(
    "who", ["Prabowo", "Pak Ganjar", "PKS", "paslon 2", "pasangan nomor 3", "nomor urut 1", "calon nomor 4", "02"]
)
def test_a_contestant_weighs_alike_by_name_and_by_number(who):
    rules = RuleClassifier(load_rules())
    for frame in ("Saya mendukung {}", "Saya pendukung {}", "Asal bukan {}", "{} keok, janji doang"):
        assert "partisan" in {hit.flag for hit in remaining(rules.match(frame.format(who)))}, frame


@pytest.mark.parametrize("people", ["Batak", "Jawa", "Papua", "Cina", "Aceh", "orang Bali", "Minang"])
def test_a_people_needs_no_orang_before_itu(people):
    flags = RuleClassifier(load_rules()).predict([f"{people} itu licik semua, jangan dipercaya"])[0].flags
    assert flags["hate"] >= 0.5
