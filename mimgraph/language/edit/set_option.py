"""Set an option of a node or item, or an entry of a section, in the form in which it is written."""

from __future__ import annotations

from typing import Any

from mimgraph.language.edit.add_entry import order_of, with_section
from mimgraph.language.edit.edited_spec import EditedSpec
from mimgraph.language.edit.entries import (
    is_flow,
    with_entry,
    with_item_value,
    with_value,
    without_entry,
)
from mimgraph.language.edit.find_entry import Found, Missing, unknown
from mimgraph.language.edit.find_name import fault
from mimgraph.language.edit.new_entries import optioned_item
from mimgraph.language.formatter import SPEC
from mimgraph.language.tree import Mapping, Sequence, is_null, plain


def set_option(spec: EditedSpec, path: str, key: str, value: Any) -> None:
    """Set one option, or one entry of a section."""
    if not path:
        if value is not ... and spec.tree.entry(key) is None:
            spec.apply(with_section(spec.tree, key, value, SPEC))
        else:
            _put(spec, spec.tree, key, value)
        return
    found = spec.find(path)
    if isinstance(found, Missing):
        if found.section != found.name:
            raise unknown(found)
        if value is not ...:
            order = order_of(spec.tree, found.scope)
            spec.apply(with_section(found.scope, found.section, {key: value}, order))
        return
    if isinstance(found.around, Sequence):
        _set_in_item(spec, found, key, value)
    elif isinstance(found.value, Mapping):
        _put(spec, found.value, key, value)
        if found.section == "nodes" and value is not ...:
            _drop_columns(spec, path, key)
    else:
        _widen(spec, found, key, value)


def _put(spec: EditedSpec, mapping: Mapping, key: str, value: Any) -> None:
    entry = mapping.entry(key)
    if entry is None:
        if value is not ...:
            spec.apply(with_entry(mapping, key, value))
    elif value is ...:
        spec.apply(without_entry(mapping, entry[0]))
    else:
        spec.apply(with_value(*entry, value, not is_flow(mapping)))


def _set_in_item(spec: EditedSpec, found: Found, key: str, value: Any) -> None:
    around, item = found.around, found.value
    assert isinstance(around, Sequence)
    options = item.entries[0][1] if isinstance(item, Mapping) and item.entries else None
    if isinstance(options, Mapping) and not (value is ... and len(options.entries) == 1):
        _put(spec, options, key, value)
        return
    name = item.entries[0][0].text if isinstance(item, Mapping) else getattr(item, "text", "")
    blocks = spec.tree.get("blocks")
    block = blocks.get(name) if isinstance(blocks, Mapping) else None
    params = block.get("params") if isinstance(block, Mapping) else None
    first = params.entries[0][0].text if isinstance(params, Mapping) and params.entries else None
    new = optioned_item(item, {key: value}, first)
    spec.apply([with_item_value(around, found.position, new)])


def _widen(spec: EditedSpec, found: Found, key: str, value: Any) -> None:
    """Set a key of an entry that is written short: a shape, or the source of an output."""
    old = plain(found.value)
    if found.section == "inputs":
        new = {"shape": old, key: value}
    elif found.section == "outputs":
        new = {"from": old, key: value}
    elif not found.section and found.name == "outputs":
        names = old if isinstance(old, list) else [old]
        new = {name.partition(".")[0]: name for name in names if isinstance(name, str)}
        new[key] = value
    elif is_null(found.value):
        new = {key: value}
    else:
        message = f"{found.name} is {found.value.span.excerpt().text}, which has no options"
        raise fault(message, found.value.span, f"replace {found.name!r}")
    new = {k: v for k, v in new.items() if v is not ...}
    assert isinstance(found.around, Mapping)
    spec.apply(with_value(found.key, found.value, new, not is_flow(found.around)))


def _drop_columns(spec: EditedSpec, path: str, key: str) -> None:
    """Leave out the values of each source, or of each repeat, for an option that is now the same for
    all."""
    node = spec.known(path).value
    assert isinstance(node, Mapping)
    holders = [node] if node.get("each") is not None else []
    repeat = node.get("repeat")
    holders += [repeat] if isinstance(repeat, Mapping) else []
    for holder in holders:
        columns = holder.get("with")
        if not isinstance(columns, Mapping) or (column := columns.get(key)) is None:
            continue
        if len(columns.entries) > 1:
            _put(spec, columns, key, ...)
            return
        if holder is repeat and holder.get("times") is None and isinstance(column, Sequence):
            _put_in_repeat(spec, path, len(column.items))
            return
        _put(spec, holder, "with", ...)
        return


def _put_in_repeat(spec: EditedSpec, path: str, times: int) -> None:
    """Write how many times a block is repeated in place of its columns."""
    for key, value in (("times", times), ("with", ...)):
        node = spec.known(path).value
        repeat = node.get("repeat") if isinstance(node, Mapping) else None
        assert isinstance(repeat, Mapping)
        _put(spec, repeat, key, value)
