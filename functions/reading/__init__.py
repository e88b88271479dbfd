"""Reading: what a review's text complains about, how sure that is, and the words that show it.

A lexicon that the shop's own people can edit (rules/lexicon*.toml) and a compact statistical model
(model.bin, made by infra/reader/train.py) read side by side, clause by clause.
"""

from functions.reading.lexicon import Lexicon, LexiconError
from functions.reading.model import Model
from functions.reading.reader import Reader

__all__ = ["Lexicon", "LexiconError", "Model", "Reader"]
