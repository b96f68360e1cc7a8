"""Add an entry to a section of a spec or block, and the section where it is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mimgraph.language.edit.edited_spec import EditedSpec
from mimgraph.language.edit.entries import is_flow, with_entry, with_value
from mimgraph.language.edit.find_entry import Missing, unknown
from mimgraph.language.edit.find_name import fault
from mimgraph.language.formatter import BLOCK, SPEC
from mimgraph.language.text_edits import TextEdit
from mimgraph.language.tree import Mapping, is_null


def add_entry(
    spec: EditedSpec,
    at: Missing,
    value: Any,
    after: str | None,
    before: str | None,
    first: bool = False,
) -> None:
    """Add an entry to a section, which is made if it is not there."""
    section = at.section or "nodes"
    entry = at.scope.entry(section)
    if entry is None:
        order = order_of(spec.tree, at.scope)
        spec.apply(with_section(at.scope, section, {at.name: value}, order))
        return
    around = entry[1]
    if is_null(around):
        spec.apply(with_value(*entry, {at.name: value}, not is_flow(at.scope)))
        return
    if not isinstance(around, Mapping):
        raise fault(f"{section} is no mapping", around.span, f"set {section!r} as a whole")
    key = None
    beside = after if after is not None else before
    if beside is not None:
        one = around.entry(beside.rpartition(".")[2])
        if one is None:
            raise unknown(at._replace(name=beside))
        key = one[0]
    if before is not None and after is None:
        keys = [key for key, _ in around.entries]
        index = next(n for n, one in enumerate(keys) if one is key)
        key, first = (keys[index - 1], False) if index else (None, True)
    spec.apply(with_entry(around, at.name, value, key, first))


def order_of(spec: Mapping, scope: Mapping) -> Sequence[str]:
    """Return the order of the sections of the spec itself or of a block in it."""
    return SPEC if scope is spec else BLOCK


def with_section(
    scope: Mapping, section: str, value: Any, order: Sequence[str]
) -> Iterator[TextEdit]:
    """Return the edits that add a section at its place in an order."""
    earlier = order[: order.index(section)] if section in order else order
    keys = [key for key, _ in scope.entries if key.text in earlier]
    return with_entry(scope, section, value, keys[-1] if keys else None, first=not keys)
