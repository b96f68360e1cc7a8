"""Describe tensors whose use is unknown, as in a `state_dict`, by names, order and shapes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from torch import Tensor

from mimgraph.runtime.weight_transfer.align import leaf, owner
from mimgraph.runtime.weight_transfer.parts import Part, View, whole
from mimgraph.runtime.weight_transfer.usage import Usage

# the names of projections, in the order in which one tensor joins them
PROJECTIONS = (
    frozenset(("q", "query", "queries", "wq")),
    frozenset(("k", "key", "keys", "wk")),
    frozenset(("v", "value", "values", "wv")),
)

# how the result of each is used: queries times keys, and that product times values
WAYS = ("matmul0/matmul0", "matmul1/matmul0", "matmul1")


def defined(tensors: Mapping[str, Tensor]) -> Usage:
    """Return the tensors in order of definition, projections of one attention in the usual order.

    A matrix is stored (out, in), or (in, out) if its bias or those of its neighbours show it.
    """
    turned = _turned(tensors)
    parts = {}
    for key in _ordered(tensors):
        tensor = tensors[key]
        parts[key] = (Part(key, View.of(tensor.t())) if key in turned else whole(key, tensor),)
    usage = Usage({key: tensors[key] for key in parts}, parts)
    return replace(usage, roles=_roles(usage))


def in_parts(usage: Usage, used: Usage) -> Usage:
    """Return the tensors in order of definition, with the parts in which they are used."""
    changed = replace(usage, parts={key: used.parts[key] for key in usage.tensors})
    return replace(changed, roles=_roles(changed) | _roles_by_use(changed, used))


def _roles(usage: Usage) -> dict[str, str]:
    """Return the role of each projection (query, key or value) by its name."""
    found = {name: projection(_path(name)[-1]) for name in usage.named_parts()}
    return {name: f"projection {role}" for name, role in found.items() if role is not None}


def _roles_by_use(usage: Usage, used: Usage) -> dict[str, str]:
    """Return the role of each projection by how its result is used."""
    ways = {
        (used.numbered[edge.source].key, used.numbered[edge.source].addresses): edge.how
        for edge in used.edges
        if edge.source in used.numbered and edge.how in WAYS
    }
    found = {
        name: ways.get((part.key, part.addresses)) for name, part in usage.named_parts().items()
    }
    return {name: f"projection {WAYS.index(how)}" for name, how in found.items() if how is not None}


def _path(key: str) -> list[str]:
    """Return the names of the modules around a tensor, without indices of chains at the end."""
    words = owner(key).split(".")
    while words and words[-1].isdigit():
        words.pop()
    return words or [""]


def joined_in_both(ours: Usage, theirs: Usage) -> set[str]:
    """Return our tensors of several parts that the other model joins in the same way.

    It does if it has at least as many tensors of that shape as we have. Our parts must be in the
    usual order, as nothing is known of the order of its parts.
    """
    mine = Counter(tuple(tensor.shape) for tensor in ours.tensors.values())
    yours = Counter(part.shape for parts in theirs.parts.values() for part in parts)
    roles: dict[str, list[str]] = {}
    for name, part in ours.named_parts().items():
        roles.setdefault(part.key, []).append(ours.roles.get(name, ""))
    return {
        key
        for key, parts in ours.parts.items()
        for shape in [tuple(ours.tensors[key].shape)]
        if len(parts) > 1 and yours[shape] >= mine[shape] and roles[key] == sorted(roles[key])
    }


def _ordered(keys: Iterable[str]) -> list[str]:
    """Return the keys in order; the queries, keys and values of one attention follow its first one."""
    places: dict[str, int] = {}
    ranks = {}
    for key in keys:
        module = owner(key)
        role = projection(_path(key)[-1])
        group = f"projections of {'.'.join(_path(key)[:-1])}" if role is not None else module or key
        ranks[key] = (places.setdefault(group, len(places)), role or 0)
    return sorted(ranks, key=ranks.__getitem__)


def projection(name: str) -> int | None:
    """Return 0 for the projection of queries, 1 of keys, 2 of values, None if it is another one."""
    words = set(re.split(r"[^a-z]+", name.lower()))
    roles = [role for role, known in enumerate(PROJECTIONS) if words & known]
    return roles[0] if len(roles) == 1 else None


def _turned(tensors: Mapping[str, Tensor]) -> set[str]:
    """Return the matrices stored as (in, out); for a square matrix the nearest others decide."""
    shown: dict[str, bool] = {}
    square = []
    for key, tensor in tensors.items():
        bias = tensors.get(f"{owner(key)}.bias")
        if leaf(key) != "weight" or tensor.dim() != 2 or bias is None or bias.dim() != 1:
            continue
        rows, columns = tensor.shape
        if rows == columns:
            square.append(key)
        elif bias.shape[0] in (rows, columns):
            shown[key] = bias.shape[0] == columns
    turned = {key for key, is_turned in shown.items() if is_turned}
    return turned | {key for key in square if _as_nearest(key, shown)}


def _as_nearest(key: str, shown: Mapping[str, bool]) -> bool:
    """Return whether all matrices in the smallest module around this one are stored as (in, out)."""
    path = owner(key)
    while path:
        path = owner(path)
        found = {is_turned for other, is_turned in shown.items() if other.startswith(f"{path}.")}
        if found or not path:
            return found == {True} or (not path and set(shown.values()) == {True})
    return False
