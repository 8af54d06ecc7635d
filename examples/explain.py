"""Show what a verdict rests on: the rules' words, and with `explain` the words that moved the model."""

import netral

TEXT = "SEBARKAN sebelum dihapus! Tujuh kontainer surat suara sudah tercoblos, media dibungkam."

verdict = netral.predict(TEXT, explain=True)
print(verdict.label, "decided by", verdict.decided_by)
for item in verdict.evidence:
    source = item.rule or "the model"
    print(f"  {item.start:>3}-{item.end:<3} {TEXT[item.start : item.end]!r} ({source}): {item.why}")
for pointer in verdict.regulations:
    print(f"  dapat menyentuh {pointer.title}, {pointer.article}: {pointer.condition}")
