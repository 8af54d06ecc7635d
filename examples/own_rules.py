"""Add rules of your own from a folder of TOML files, and run their own examples first."""

from pathlib import Path

import netral
from netral.rules import check_rules, load_rules

FOLDER = Path(__file__).parent / "data" / "aturan"
failures = check_rules(load_rules(FOLDER), only_own=True)
print("every match and skip line is as expected" if not failures else failures)

screener = netral.load(rules=FOLDER)
for text in ("Merapat ke barisan payung malam ini", "ASN tidak boleh ikut barisan payung", "Payung siapa ini?"):
    verdict = screener.predict(text)
    print(f"{verdict.label:<17}{verdict.flags['partisan']:.2f}  {text}", [item.rule for item in verdict.evidence])
