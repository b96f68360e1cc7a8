"""Describe the op, key or option with a name: one of ours, of torch or of Keras."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Any, NamedTuple

from mimgraph.diagnostics.nearest import suggestion
from mimgraph.language.reference.entries import (
    EVERY_KEY,
    KINDS,
    data,
    every_op,
    key_data,
    takers,
)
from mimgraph.language.reference.pages import Sheet, key_page, op_page, option_page
from mimgraph.language.reference.search import search
from mimgraph.ops import registry
from mimgraph.ops.attribute import op_called
from mimgraph.ops.custom import plugins
from mimgraph.ops.libraries import LIBRARIES, find, how_to_list, instead, is_model
from mimgraph.ops.op import Op
from mimgraph.ops.spelling import python_name
from mimgraph.support.plugins import BrokenPlugin

MOST = 3  # names that are suggested
MODELS = ("torchvision.resnet18", "timm.resnet18", "transformers.AutoModel")  # one of each library


class _Meant(NamedTuple):
    """What a name stands for: a key, an op, or an option, with the facts of the ops that take it."""

    name: str
    key: str | None
    op: Op | None
    takers: Sequence[dict[str, Any]]


def describe(name: str, format: str = "text", width: int = 100, color: bool = False) -> str:
    """Return what a name stands for in full; a `KeyError` has a message and a help if it is unknown.

    `take` is a key and a merge, and `dropout` an option and, in torch, a layer: both are described.
    """
    meant = _meant(name)
    if not any(meant[1:]):
        raise KeyError(f"no layer, merge or key is called {name!r}", _help(name))
    if format == "json":
        return json.dumps(_data(meant), indent=2)
    return "\n".join(_pages(meant, Sheet.of(width, color))).rstrip()


def _meant(name: str) -> _Meant:
    op = next((found for kind in KINDS if (found := registry.find(kind, name))), None)
    key = name if name in EVERY_KEY and (op is None or op.kind != "tensor") else None
    if not op and not key:
        op = _of_plugin(name)
    if op or key:
        return _Meant(name, key, op, ())
    return _Meant(name, None, op_called(python_name(name)), takers(name))


def _of_plugin(name: str) -> Op | None:
    """Return the layer or merge that a plugin brings; a `KeyError` says why it cannot be used."""
    try:
        return plugins.find("layer", name) or plugins.find("merge", name)
    except BrokenPlugin as broken:
        raise KeyError(str(broken), broken.help) from None


def _data(meant: _Meant) -> dict[str, Any]:
    """Return the meaning of the name as data; a second meaning is inside the first."""
    if meant.key:
        return key_data(meant.key) | ({"merge": data(meant.op)} if meant.op else {})
    if meant.op is None:
        return {"name": meant.name, "kind": "option", "option_of": meant.takers}
    return data(meant.op) | ({"option_of": meant.takers} if meant.takers else {})


def _pages(meant: _Meant, sheet: Sheet) -> Iterator[str]:
    """Yield the pages of all that the name stands for."""
    if meant.key:
        yield from key_page(meant.key, sheet)
    if meant.op:
        yield from op_page(meant.op, sheet)
    if meant.takers:
        yield from option_page(meant.name, meant.takers, sheet)


def _help(name: str) -> str:
    """Return which longer or similar names may be meant by an unknown one, or a search; "" if none."""
    if is_model(name):
        return instead(name)
    if name in LIBRARIES:
        return how_to_list(name)
    if model := next((one for one in MODELS if name in getattr(find(one), "options", ())), ""):
        return f"it is an option of models: mimgraph layers {model}"
    bare = python_name(name)
    ops, keys = search(bare)
    found = [*(op.name for op in ops), *keys]
    begun = [one for one in found if one.lower().startswith(bare.lower())]
    if 0 < len(begun) <= MOST:
        return f"did you mean {' or '.join(begun)}?"
    if not begun and (help := suggestion(bare, _names(bare))):
        return help
    return f"mimgraph layers --search {quote(bare)} finds {len(found)}" if found else ""


def _names(wrong: str) -> list[str]:
    """Return all names; those with a capital or small first letter like the wrong name come
    first."""
    ops = [name for kind in KINDS for name in (*registry.names(kind), *plugins.names(kind))]
    known = sorted([*ops, *EVERY_KEY], key=lambda name: name[:1].isupper() != wrong[:1].isupper())
    options = [name for op in every_op() for name in op.options]
    return [*known, *dict.fromkeys(options)]
