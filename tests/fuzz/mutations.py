"""Mutations of legal specs."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from mimgraph.ir.option_types import choices
from mimgraph.ops import registry
from mimgraph.ops.op import Op
from tests.fuzz.seeds import places, seeds, trees
from tests.helpers.strategies import to_yaml

# --- text -------------------------------------------------------------------------------------

SPECIAL = "\t\n\r\0 :-?,[]{}#&*!|>'\"%@`$()+/.~=<0179eE_éß\x7f\x85\xa0\u0301\u200b\u202e\u2028\ufeff\ud800\U0001f600"
fragments = st.text(st.sampled_from(SPECIAL) | st.characters(), min_size=1, max_size=4)
TOKEN = re.compile(r"\w+|[^\w\s]")


def _span(draw: st.DrawFn, text: str, most: int) -> tuple[int, int]:
    start = draw(st.integers(0, len(text)))
    return start, min(len(text), start + draw(st.integers(0, most)))


def _overwrite(draw: st.DrawFn, text: str) -> str:
    start, end = _span(draw, text, 3)
    return text[:start] + draw(fragments) + text[end:]


def _delete(draw: st.DrawFn, text: str) -> str:
    start, end = _span(draw, text, 40)
    return text[:start] + text[end:]


def _duplicate(draw: st.DrawFn, text: str) -> str:
    start, end = _span(draw, text, 40)
    return text[:end] + text[start:end] * draw(st.integers(1, 3)) + text[end:]


def _flip_bit(draw: st.DrawFn, text: str) -> str:
    """Flip a bit; bytes that are not UTF-8 any more are decoded as when a file is read."""
    data = bytearray(text.encode(errors="surrogatepass"))
    if data:
        data[draw(st.integers(0, len(data) - 1))] ^= 1 << draw(st.integers(0, 7))
    return data.decode(errors="surrogateescape")


def _swap_lines(draw: st.DrawFn, text: str) -> str:
    lines = text.split("\n")
    one, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def _indent(draw: st.DrawFn, text: str) -> str:
    lines = text.split("\n")
    at, by = draw(st.integers(0, len(lines) - 1)), draw(st.integers(-3, 3))
    lines[at] = " " * by + lines[at] if by >= 0 else lines[at][-by:]
    return "\n".join(lines)


def _swap_tokens(draw: st.DrawFn, text: str) -> str:
    """Replace one token by another."""
    tokens = list(TOKEN.finditer(text))
    if not tokens:
        return text
    at, new = draw(st.sampled_from(tokens)), draw(st.sampled_from(tokens))
    return text[: at.start()] + new[0] + text[at.end() :]


TEXT_MUTATIONS = (_overwrite, _delete, _duplicate, _flip_bit, _swap_lines, _indent, _swap_tokens)


def mutated_texts() -> st.SearchStrategy[str]:
    """Draw specs with mutated letters, bytes, tokens and lines."""
    return mutated(seeds)


@st.composite
def mutated(draw: st.DrawFn, texts: Callable[[], list[str]]) -> str:
    """Draw one of the texts after a few mutations."""
    text = draw(st.sampled_from(texts()))
    for mutate in draw(st.lists(st.sampled_from(TEXT_MUTATIONS), min_size=1, max_size=4)):
        text = mutate(draw, text)
    return text


# --- trees ------------------------------------------------------------------------------------

ODD_NUMBERS = (0, 1, -1, 2, 7, 64, 255, 4097, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30)
ODD_FLOATS = (0.0, -0.0, 0.5, 1e-30, 1e308, float("inf"), float("-inf"), float("nan"))
ODD_TEXTS = (
    *("", " ", "x", "N", "T", "C", "no", "010", "1:30", "1e-3", "null", "~", "-1", "same", "0"),
    *("$", "$x", "$hidden", "$C", "$T", "$N", "$(", "$()", "$(1 // 0)", "$(2 ** 62 * 2)"),
    *("$(T / 2)", "$(-1)", "$(1 + 1)", "$hidden.x", "__class__", "self", "forward", "torch"),
    *("Linear", "concat", "x.last", "x.*", "*", ".", "..", "x.", "x.0", "last", "output", "weight"),
    *("a -> b", "n c -> n", "n c -> (n c)", "n,n->n", "T - 3", "2*T", "(T - 3)//2 + 1", "é", "ｘ"),
    *("\u202e", "\0", "a" * 300, "int64", "float16", "bool", "zeros", "learned", "relu", "ReLU"),
    *("training", "a\nb", "'", '"""'),
)
odd_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(ODD_NUMBERS),
    st.sampled_from(ODD_FLOATS),
    st.sampled_from(ODD_TEXTS),
    st.integers(-3, 9),
    st.text(max_size=5),
)
odd_values = odd_scalars | st.recursive(
    odd_scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(ODD_TEXTS), inner, max_size=3)
    ),
    max_leaves=6,
)

Place = tuple[Any, Any]


def _place(draw: st.DrawFn, tree: Any) -> Place:
    return draw(st.sampled_from(list(places(tree))))


def _replace(draw: st.DrawFn, tree: Any) -> None:
    holder, key = _place(draw, tree)
    holder[key] = draw(odd_values)


def _remove(draw: st.DrawFn, tree: Any) -> None:
    holder, key = _place(draw, tree)
    del holder[key]


def _rename(draw: st.DrawFn, tree: Any) -> None:
    """Rename a key in its place, as the order of keys has a meaning."""
    holder, key = _place(draw, tree)
    if isinstance(holder, dict):
        name = draw(st.sampled_from([str(k) for _, k in places(tree)]) | st.sampled_from(ODD_TEXTS))
        entries = [(name if k == key else k, value) for k, value in holder.items()]
        holder.clear()
        holder.update(entries)


def _wrap(draw: st.DrawFn, tree: Any) -> None:
    """Wrap a value in lists or mappings, sometimes deep ones."""
    holder, key = _place(draw, tree)
    value = holder[key]
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 30, 70]))):
        value = [value] if draw(st.booleans()) else {"x": value}
    holder[key] = value


def _swap(draw: st.DrawFn, tree: Any) -> None:
    """Swap two subtrees; if they overlap, copy the second into the first."""
    (one, key), (other, name) = _place(draw, tree), _place(draw, tree)
    one[key], other[name] = copy.deepcopy(other[name]), copy.deepcopy(one[key])


def _splice(draw: st.DrawFn, tree: Any) -> None:
    """Insert a subtree of another spec, by preference one from the same key."""
    other = draw(st.sampled_from(trees()))
    holder, key = _place(draw, tree)
    alike = [place for place in places(other) if place[1] == key]
    donor, name = draw(st.sampled_from(alike)) if alike else _place(draw, other)
    holder[key] = copy.deepcopy(donor[name])


def _adopt(draw: st.DrawFn, tree: Any) -> None:
    """Add the nodes, inputs or blocks of another spec."""
    other = draw(st.sampled_from(trees()))
    for section in draw(st.sets(st.sampled_from(["inputs", "params", "blocks", "nodes"]))):
        theirs = other.get(section)
        if isinstance(theirs, dict) and isinstance(tree.get(section, {}), dict):
            tree.setdefault(section, {}).update(copy.deepcopy(theirs))


def _port(draw: st.DrawFn, tree: Any) -> None:
    """Let a source name a port."""
    holder, key = _place(draw, tree)
    port = draw(st.sampled_from(["last", "weights", "0", "1", "*", "weight", "x", "state", "cell"]))
    if isinstance(holder[key], str):
        holder[key] += f".{port}"


small = st.integers(-2, 9)
sizes = small | st.sampled_from(["T", "S", "$T", "2*T", "(T - 3)//2 + 1", 64, 2**31])


def _ops(tree: Any) -> list[tuple[Op, Any, Any]]:
    """Return every op that a node or item names, and the place of its options."""
    found = []
    for holder, key in places(tree):
        if key in ("layer", "merge") and isinstance(holder[key], str):
            op = registry.find(key, holder[key])
            found += [(op, holder, None)] if op else []
        elif isinstance(key, str) and (op := registry.find("layer", key)):
            found.append((op, holder, key))
    return found


def _set_option(draw: st.DrawFn, tree: Any) -> None:
    """Set an option of the op to a value of about the right kind."""
    ops = [found for found in _ops(tree) if found[0].options]
    if not ops:
        return
    op, holder, key = draw(st.sampled_from(ops))
    if key is not None:
        holder[key] = holder[key] if isinstance(holder[key], dict) else {}
        holder = holder[key]
    option = draw(st.sampled_from(list(op.options.values())))
    words = choices(option.annotation)
    values = [small, st.lists(small, max_size=4), st.booleans(), st.floats(-1, 2), odd_scalars]
    holder[option.name] = draw(st.one_of(*([st.sampled_from(words)] if words else []), *values))


def _another_op(draw: st.DrawFn, tree: Any) -> None:
    """Replace an op by another one, with the same options."""
    holders = [holder for _, holder, key in _ops(tree) if key is None]
    if holders:
        holder = draw(st.sampled_from(holders))
        kind = "layer" if "layer" in holder else "merge"
        holder[kind] = draw(st.sampled_from(list(registry.ops(kind))))


def _reshape(draw: st.DrawFn, tree: Any) -> None:
    """Change the shape or dtype of an input."""
    inputs = tree.get("inputs")
    if not isinstance(inputs, dict) or not inputs:
        return
    name = draw(st.sampled_from(list(inputs)))
    shape = draw(st.lists(sizes, max_size=4))
    dtype = draw(st.sampled_from(["float32", "int64", "bool", "float16", "complex64", None]))
    inputs[name] = {"shape": shape, "dtype": dtype} if dtype else shape


TreeMutation = Callable[[st.DrawFn, Any], None]
TWEAKS: tuple[TreeMutation, ...] = (_set_option, _set_option, _set_option, _another_op, _reshape)
TREE_MUTATIONS: tuple[TreeMutation, ...] = (
    *(_replace, _replace, _remove, _rename, _wrap, _swap, _splice, _splice, _adopt, _port),
    *TWEAKS,
)


@st.composite
def mutated_trees(draw: st.DrawFn) -> str:
    """Draw specs with mutated keys and values, written as YAML or JSON."""
    tree = copy.deepcopy(draw(st.sampled_from(trees())))
    for mutate in draw(st.lists(st.sampled_from(TREE_MUTATIONS), min_size=1, max_size=3)):
        if tree:
            mutate(draw, tree)
    return draw(st.sampled_from([to_yaml, to_yaml, json.dumps]))(tree)


@st.composite
def tweaked_trees(draw: st.DrawFn) -> str:
    """Draw specs with options and inputs that are nearly right, many of them legal."""
    tree = copy.deepcopy(draw(st.sampled_from(trees())))
    for mutate in draw(st.lists(st.sampled_from(TWEAKS), min_size=1, max_size=2)):
        mutate(draw, tree)
    return to_yaml(tree)


@st.composite
def overridden(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw a spec with other values for some params, also values that only Python has."""
    having = [place for place in zip(seeds(), trees(), strict=True) if place[1].get("params")]
    text, tree = draw(st.sampled_from(having))
    names = draw(st.sets(st.sampled_from(list(tree["params"])), min_size=1, max_size=3))
    foreign = st.sampled_from([{1: 2}, {"a": object()}, [None, object()], b"x", 1j, (1, 2)])
    return text, {name: draw(odd_values | foreign) for name in sorted(names)}
