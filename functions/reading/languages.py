"""Languages: which lexicon pack reads a text, told by its script and its most common words."""

import re
from typing import Literal

Language = Literal["zh", "en", "pt"]

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[a-zà-ÿ]+")
_PORTUGUESE = """
    o os um uma de do da dos das que não nao é e em no na com para por muito mais meu minha foi veio
    produto recebi comprei chegou ainda gostei bom boa bem ótimo otimo excelente prazo entrega antes loja
    tudo recomendo qualidade ruim pessimo péssimo ate até só so mas estou está
"""
_ENGLISH = """
    the a an of to and is was it i my this that not in for with very have had but they you on are be
    good great bad product item order received arrived quality never delivery
"""


_WORDS = {name: frozenset(_WORD.findall(words)) for name, words in (("pt", _PORTUGUESE), ("en", _ENGLISH))}


def language(text: str) -> Language:
    """Return the language of a text in small letters; Chinese where nothing speaks against it."""
    if _CHINESE.search(text):
        return "zh"
    words = _WORD.findall(text)
    if not words:
        return "zh"
    portuguese = sum(word in _WORDS["pt"] for word in words)
    return "pt" if portuguese > sum(word in _WORDS["en"] for word in words) else "en"
