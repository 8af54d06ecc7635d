"""Rules: data that says which phrases speak for or against a flag, and one linear matcher for all.

A rule file is TOML; its form stands in docs/rules.md. Terms are phrases of words; a word matches a
token in any of its spellings, an ALL-CAPITALS word only capitals. Placeholders in terms:
`<nama>` a candidate, pair or party of a roster, `<slogan>` its slogan or hashtag, `<nomor>` its bare
number and `<tanda>` its hand sign (only within an open contest), `<angka>` any number up to 99,
`<jari>` any hand-sign emoji, `<suku>` a people, `<agama>` a religion or its followers, `...` up to
three words between.
"""

from netral.rules.matching import RuleClassifier, check_rules, evidence_of
from netral.rules.reading import Rule, load_rules, parse_rules

__all__ = ["Rule", "RuleClassifier", "check_rules", "evidence_of", "load_rules", "parse_rules"]
