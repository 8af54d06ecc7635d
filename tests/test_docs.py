"""The documents cannot drift: README's code runs, links lead somewhere, and every command and key is named."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import netral
from netral.cli import main
from netral.rules.reading import _KEYS
from netral.scan.findings import post_of

ROOT = Path(__file__).parent.parent
NOT_OURS = {"build", "dist", "hasil"}
FOLDERS = [path for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "." and path.name not in NOT_OURS]
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in folder.rglob("*.md"))])
VERDICT = ROOT / "docs" / "verdict.md"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def blocks(page: Path, language: str) -> list[str]:
    return [body for name, body in _BLOCK.findall(page.read_text(encoding="utf-8")) if name == language]


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for part, below in command.commands.items():
            yield from commands(below, f"{name} {part}")
    else:
        yield name, command


COMMANDS = dict(commands(main, "netral"))


@pytest.mark.parametrize("code", blocks(ROOT / "README.md", "python"))
def test_the_python_of_the_readme_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_documented(name):
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert [page.name for page in pages if name in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_options_have_help(name):
    command = COMMANDS[name]
    assert command.help
    assert [item.name for item in command.params if isinstance(item, click.Option) and not item.help] == []


@pytest.mark.parametrize("key", sorted(_KEYS))
def test_a_key_of_rules_is_documented(key):
    assert f"`{key}`" in (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_local_links_lead_somewhere(page):
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    links = [link.partition("#")[0] for link in _LINK.findall(text) if not re.match(r"[a-z]+:", link)]
    assert [link for link in links if link and not (page.parent / link).exists()] == []


def test_the_verdict_in_the_docs_is_made_again():
    (shown,) = blocks(VERDICT, "json")
    (verdict,) = netral.load("rules").stream([post_of(json.loads(shown)["post"])])
    made = json.dumps(verdict.to_dict(), ensure_ascii=False, indent=2) + "\n"
    if os.environ.get("NETRAL_REFRESH"):
        VERDICT.write_text(VERDICT.read_text(encoding="utf-8").replace(shown, made), encoding="utf-8")
        shown = made
    assert verdict.evidence
    assert verdict.regulations
    assert shown == made, "rules or regulations changed: NETRAL_REFRESH=1 python -m pytest tests/test_docs.py"
