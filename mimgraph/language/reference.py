"""Describe ops, keys and options as plain data, and find them by name, category or documentation."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from mimgraph.diagnostics.codes import MANUAL
from mimgraph.ir.grammar import PLACES
from mimgraph.ir.option_types import describe as describe_type
from mimgraph.language.keys import EVERY_KEY, KEYS, Key
from mimgraph.ops import registry
from mimgraph.ops.op import REQUIRED, Op, OptionSpec, dotted
from mimgraph.ops.spelling import names_of

KINDS = ("layer", "merge", "tensor")  # the kinds of op that a spec can name


def every_op() -> list[Op]:
    """Return all ops that a spec can name."""
    return [op for kind in KINDS for op in registry.ops(kind).values()]


def bare_keys() -> list[str]:
    """Return the keys of a spec that are no ops as well."""
    return [key for key in EVERY_KEY if registry.find("tensor", key) is None]


def places(name: str) -> list[str]:
    """Return the places where a key is allowed."""
    return [place for place, keys in PLACES.items() if name in keys]


def explained(key: Key) -> str:
    """Return the address of the page of the manual that explains a key."""
    return f"{MANUAL}language/{key.page}.html"


def takers(name: str) -> list[dict[str, Any]]:
    """Return the ops that have an option of that name, with its default and type."""
    found = [(op, op.options[name]) for op in every_op() if name in op.options]
    return [
        {
            "name": op.name,
            "kind": op.kind,
            "default": default(option),
            "type": describe_type(option.annotation),
        }
        for op, option in found
    ]


def key_data(name: str) -> dict[str, Any]:
    """Return `{name, kind, summary, type, default, places, option_of, explained, example, refused}` of a key."""
    key = EVERY_KEY[name]
    return {
        "name": name,
        "kind": "key",
        "summary": key.about,
        "type": key.type,
        "default": key.default,
        "places": places(name),
        "option_of": takers(name),
        "explained": explained(key),
        "example": key.example,
        "refused": key.refused._asdict(),
        **({"files": dict(key.files)} if key.files else {}),
    }


def default(option: OptionSpec) -> str:
    if option.inferred:
        return "inferred"
    return "required" if option.default is REQUIRED else json.dumps(_plain(option.default))


def inputs(op: Op) -> list[str]:
    spec = op.inputs
    if op.options_decide:
        return ["the sources of the module that it makes"]
    if spec.kind == "many":
        return ["any number"]
    if spec.kind == "named":
        return ["any number, by name"]
    return [f"{name} (optional)" if name in spec.optional else name for name in spec.names]


def bare_option(op: Op) -> str | None:
    """Return the option that a bare value in a seq gives; a seq has no merges."""
    return op.lone_option if op.kind == "layer" else None


def data(op: Op) -> dict[str, Any]:
    """Return `{name, kind, family, options, bare, inputs, ports, summary, torch, keras, also}` of one op."""
    elsewhere = names_of(op)
    return {
        "name": op.name,
        "kind": op.kind,
        "family": op.family,
        "options": [_option_data(op, option) for option in op.options.values()],
        "bare": bare_option(op),
        "inputs": list(op.inputs.names),
        "ports": list(op.ports),
        "summary": op.summary,
        "torch": (elsewhere.torch or "").split(),
        "keras": elsewhere.keras.split(),
        "also": list(elsewhere.said),
        **(_as_key(op.name) if op.kind == "tensor" else {}),
    }


def _as_key(name: str) -> dict[str, Any]:
    """Return what the data of an op gains if its name is a key of a node."""
    return {"explained": explained(KEYS[name]), "refused": KEYS[name].refused._asdict()}


def _option_data(op: Op, option: OptionSpec) -> dict[str, Any]:
    required = option.default is REQUIRED
    return {
        "name": option.name,
        "default": None if required else _plain(option.default),
        "required": required and not option.inferred,
        "inferred": option.inferred,
        "type": describe_type(option.annotation),
        "since": dotted(op.since[option.name]) if option.name in op.since else None,
    }


def _plain(value: Any) -> Any:
    """Return a value itself if JSON can hold it, else its text."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | dict | None) else str(value)


# Find ops and keys by a part of their name, category or documentation, or by an abbreviation.


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
        [op.summary, f"{names.torch} {names.keras}", *names.said]
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
