"""Name a contest by a roster of your own: its names, numbers and hand signs count, and its dates choose the rules."""

from datetime import datetime
from pathlib import Path

import netral
from netral.contest import load_contest

roster = load_contest(Path(__file__).parent / "data" / "kabupaten.toml")
print(roster.title, [candidate.name for candidate in roster.candidates])

post = netral.Post("Kami sekeluarga tetap BAMA ✌️ #BamaBangunDariDesa", time=datetime(2024, 10, 5, 19, 30))
for contest in (None, roster):
    (verdict,) = netral.load("rules", contest=contest).stream([post])
    print(f"{contest.id if contest else 'no roster named'}: {verdict.label}")
    for item in verdict.evidence:
        print(f"  {post.text[item.start : item.end]!r}: {item.why}")
    print("  dapat menyentuh", [pointer.id for pointer in verdict.regulations])
