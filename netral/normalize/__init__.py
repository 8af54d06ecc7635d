"""One normaliser, two outputs: a light text for the model and tokens for the rules.

Both keep the way back to the text as given. For the rules, slang and leet are alternatives to
match, never a rewrite: AMIN, amin and aamiin stay three things. Everything is linear in the text.
"""

from netral.normalize.folding import fold
from netral.normalize.lighttext import CAPS, VERSION, LightText, light
from netral.normalize.names import CANDIDATE, PARTY, Names, kind_of, untitled
from netral.normalize.tokenize import Token, spellings, tokens

__all__ = [
    "CANDIDATE",
    "CAPS",
    "PARTY",
    "VERSION",
    "LightText",
    "Names",
    "Token",
    "fold",
    "kind_of",
    "light",
    "spellings",
    "tokens",
    "untitled",
]
