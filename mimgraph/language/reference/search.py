"""Find ops and keys by a part of their name, category or documentation, or by an abbreviation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mimgraph.language.reference.entries import EVERY_KEY, bare_keys, every_op
from mimgraph.ops.colloquial import said
from mimgraph.ops.elsewhere import names_of
from mimgraph.ops.op import Op

VOWELS = "aeiou"
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")  # `Multihead`, `Attention`


def search(text: str) -> tuple[list[Op], list[str]]:
    """Return the ops and the keys with all words of a text in their name, category, first line, name
    in torch or Keras, or what people call them; if there are none, those whose names it abbreviates:
    `attn`, `mha`."""
    words = text.lower().split()
    ops: list[Op] = []
    keys: list[str] = []
    for fits in (_is_part, _leaves_out_vowels, _leaves_out_letters):
        ops = [op for op in every_op() if all(fits(word, _texts(op)) for word in words)]
        keys = [key for key in bare_keys() if all(fits(word, _key_texts(key)) for word in words)]
        if ops or keys:
            break
    return ops, keys


Texts = tuple[str, str]  # a name with its category, and a description


def _texts(op: Op) -> Texts:
    names = names_of(op)
    return f"{op.name} {op.family}", " ".join(
        [op.summary, f"{names.torch} {names.keras}", *said(op)]
    )


def _key_texts(key: str) -> Texts:
    return key, EVERY_KEY[key].about


def _is_part(word: str, texts: Texts) -> bool:
    return word in " ".join(texts).lower()


def _leaves_out_vowels(short: str, texts: Texts) -> bool:
    """Return whether the letters begin a word of the name with some of its vowels left out, or are the
    initials of its words."""
    initials = "".join(word[0] for word in _WORD.findall(texts[0].partition(" ")[0])).lower()
    return initials.startswith(short) or any(
        _is_shortened(short, word, VOWELS) for word in _words(texts[0])
    )


def _leaves_out_letters(short: str, texts: Texts) -> bool:
    """Return whether the letters begin a word of the name with any of its other letters left out."""
    return any(_is_shortened(short, word, None) for word in _words(texts[0]))


def _words(name: str) -> Iterator[str]:
    """Yield the words between spaces, then those that they are made of."""
    yield from name.lower().split()
    yield from (word.lower() for word in _WORD.findall(name))


def _is_shortened(short: str, word: str, skipped: str | None) -> bool:
    """Return whether `short` begins like the word and has its letters, without some of `skipped`."""
    at = 0
    for letter in word:
        if at < len(short) and letter == short[at]:
            at += 1
        elif at == 0 or (at < len(short) and skipped is not None and letter not in skipped):
            return False
    return at == len(short)
