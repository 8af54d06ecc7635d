"""Judge one text and read the verdict."""

import netral

verdict = netral.predict("Bapak ibu warga RW 04, jangan lupa coblos nomor 2 ya, demi kampung kita!")

print(verdict.label, round(verdict.score, 2))
for flag, value in verdict.flags.items():
    print(f"  {flag}: {value:.2f}")
for item in verdict.evidence:
    print(f"  {verdict.post.text[item.start : item.end]!r} speaks for {item.flag}: {item.why}")
if verdict.review:
    print("  close to a threshold: look at it first")
