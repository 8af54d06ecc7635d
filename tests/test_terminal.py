"""What the commands say is safe for a terminal, and in Indonesian."""

import ast
import json
import re
from pathlib import Path

import pytest

import netral
import netral.readers
from netral.report import REASONS
from netral.terminal import number, safe, safe_json, share, verdict_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("biasa saja 🫰 👨‍👩‍👧", "biasa saja 🫰 👨‍👩‍👧"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b2J", "\\x9b2J"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb", "a\\u200bb"),
        ("satu\r\ndua\ttiga", "satu↵↵dua tiga"),
        ("a\u2028b\x85c", "a\\u2028b\\x85c"),
        ("\ud83d", "\ufffd"),
    ],
)
def test_safe_writes_out_what_a_terminal_would_obey(text, shown):
    assert safe(text) == shown


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0x200B, 0x202E, 0x2066, 0xFEFF, 0xE0041])
def test_no_invisible_character_passes_raw(code):
    text = f"a{chr(code)}b"
    assert chr(code) not in safe(text)
    line = safe_json({"text": text})
    assert chr(code) not in line
    assert json.loads(line) == {"text": text}


def test_numbers_are_written_as_indonesians_do():
    assert (number(1234567), share(0.5)) == ("1.234.567", "0,50")


def test_every_reason_of_the_readers_has_indonesian_words():
    sources = [path.read_text(encoding="utf-8") for path in Path(netral.readers.__file__).parent.glob("*.py")]
    constants = [
        node.value.value
        for source in sources
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    codes = {value for value in constants if re.fullmatch("[a-z]+(-[a-z]+)+", value)}
    assert codes
    assert codes <= REASONS.keys()


def test_what_rules_saw_in_a_neutral_post_is_not_called_evidence():
    screener = netral.load("rules")
    neutral = [*verdict_lines(screener.predict("Semoga Prabowo sehat"))]
    assert "Dilihat aturan, tidak cukup untuk sebuah temuan:" in neutral
    assert "Bukti    :" not in neutral
    assert "Bukti    :" in [*verdict_lines(screener.predict("Ayo coblos Prabowo"))]
