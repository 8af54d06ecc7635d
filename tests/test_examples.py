"""Every file in examples/ runs by itself, from any folder, and says what it should."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
SAID = {
    "predict_one.py": "'coblos nomor 2' speaks for partisan",
    "batch_file.py": "300 posts judged, 0 rows rejected",
    "explain.py": "hoax_hate decided by",
    "own_contest.py": "pilkada-rimbajaya-2024: partisan_support",
    "own_rules.py": "every match and skip line is as expected",
}


@pytest.mark.parametrize("name", SAID)
def test_an_example_runs(name, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    ran = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        env=environment,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    assert SAID[name] in ran.stdout


def test_every_example_is_run_and_listed():
    names = sorted(path.name for path in EXAMPLES.glob("*.py"))
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert names == sorted(SAID)
    assert [name for name in names if f"[{name}]({name})" not in page] == []
