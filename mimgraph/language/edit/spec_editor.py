"""Change a spec in a file by program: comments, layout and order stay."""

from __future__ import annotations

import os
from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from difflib import unified_diff
from pathlib import Path
from typing import Any, NamedTuple

from mimgraph.declare.tree import MAX_BYTES, Mapping, Scalar, Sequence, Tree, is_null, plain
from mimgraph.diagnostics import SpecError
from mimgraph.ir.grammar import CONSTANTS
from mimgraph.language.edit.entries import (
    EditedSpec,
    add_entry,
    as_item,
    is_flow,
    optioned_item,
    order_of,
    replaced_item,
    replaced_node,
    with_entry,
    with_item,
    with_item_value,
    with_section,
    with_value,
    without_entry,
    without_item,
)
from mimgraph.language.edit.paths import SECTIONS, Found, Missing, fault, find_name, unknown
from mimgraph.language.edit.rename import rename, rewired
from mimgraph.language.files import first_place, refuse_foreign
from mimgraph.language.occurrences import Project, find_occurrences
from mimgraph.language.scopes import Kind, Occurrence, Occurrences, Scopes, Symbol, entries
from mimgraph.language.spec_file import load_text
from mimgraph.language.text_edits import TextEdit
from mimgraph.source import SourceFile, Span
from mimgraph.support.arguments import as_path, as_plain, as_text
from mimgraph.support.entry_point import entry_point, entry_points
from mimgraph.support.files import write_whole


@entry_point
def edit(path: str | os.PathLike[str]) -> SpecEditor:
    """Return an editor of the spec in a file, which keeps comments, layout and order:

        spec = mg.edit("resnet.yaml")
        spec.set("fc1", out_features=128)
        spec.save()

    A `SpecError` says that the text is no YAML.
    """
    file = as_path("the spec to edit", path)
    with file.open("rb") as opened:
        data = opened.read(MAX_BYTES + 1)
    refuse_foreign(str(path), data)
    return SpecEditor(data.decode(errors="surrogateescape"), str(path), data)


@entry_points
class SpecEditor:
    """A spec whose text is changed piece by piece; nothing is written before `save`.

    A path names what is changed: `fc1` a node, `features.2` an item of a seq, `residual.conv` a node in a
    block, by the name of the block or of a node that uses it. Nodes come before other things of that name,
    which their sections tell apart: `params.hidden`, `inputs.x`, `outputs.score`, `residual.params.width`.

    A change in a block changes all its uses. A `SpecError` says why an edit cannot be made; then nothing
    was changed.
    """

    def __init__(self, text: str, name: str = "<string>", data: bytes | None = None) -> None:
        self._name = name
        self._data = data  # of the file, as it was read or written last
        self._before = text
        self._spec = EditedSpec(SourceFile(name, as_text("a spec", text)))

    def __repr__(self) -> str:
        return f"<SpecEditor of {self._name}>"

    @property
    def text(self) -> str:
        """The text of the spec with the edits."""
        return self._spec.file.text

    def diff(self) -> str:
        """Return what changed since the file was read, as a unified diff; "" if nothing did."""
        old, new = (one.splitlines(keepends=True) for one in (self._before, self.text))
        return "".join(unified_diff(old, new, self._name, self._name))

    # --- edits ------------------------------------------------------------------------------------

    def set(
        self, path: str, values: MappingType[str, Any] | None = None, /, **options: Any
    ) -> None:
        """Set options of a node or item, or entries of a section; `...` leaves one out.

            spec.set("fc1", out_features=128, activation=...)
            spec.set("params", hidden="$(2 * width)")
            spec.set("fc1", {"from": "pooled"})

        Words that are no names in Python are given as a dict. The path "" means the spec itself, with its
        `name` and `doc`.
        """
        given = {**(values or {}), **options}
        given = {k: v if v is ... else as_plain(k, v) for k, v in given.items()}
        with self._spec.all_or_none():
            for key, value in given.items():
                set_option(self._spec, path, key, value)

    def add(
        self, path: str, value: Any, *, after: str | None = None, before: str | None = None
    ) -> None:
        """Add a node, or an item of a seq at its position; with its section an input, param, block or output.

            spec.add("fc2", {"layer": "Linear", "from": "fc1", "out_features": 8}, after="fc1")
            spec.add("pooled.1", {"Dropout": 0.1})
            spec.add("params.hidden", 64)

        `after` and `before` name another entry beside it; without them it is the last one.
        """
        value = as_plain(path, value)
        found = self._spec.find(path)
        if isinstance(found, Found) and isinstance(found.around, Sequence):
            self._spec.apply(with_item(found.around, found.position, as_item(value)))
        elif isinstance(found, Found):
            raise fault(f"{path} exists already", found.key.span, "replace it, or set its options")
        elif found.seq is not None:
            self._spec.apply(with_item(found.seq[1], int(found.name), as_item(value)))
        else:
            add_entry(self._spec, found, value, after, before)

    def replace(self, path: str, value: Any) -> None:
        """Replace what a node or item does; it keeps its sources, `take` and `over` unless they are given.

            spec.replace("fused", {"merge": "gated", "out_features": 64})
            spec.replace("pooled.0", {"AdaptiveMaxPool2d": 1})

        An input, param, block or output gets the value.
        """
        value = as_plain(path, value)
        found = self._spec.known(path)
        if isinstance(found.around, Sequence):
            item = replaced_item(found.value, value)
            self._spec.apply([with_item_value(found.around, found.position, item)])
            return
        if found.section == "nodes":
            value = replaced_node(found.value, _node(value))
        self._spec.apply(with_value(found.key, found.value, value, not is_flow(found.around)))

    def remove(self, path: str) -> None:
        """Remove a node of one source, which its readers read instead, or an item of a seq.

        An output keeps its public name. What has several sources, or another port that is read, is
        refused; so is an input, param, block or output that something still names.
        """
        found = self._spec.known(path)
        self._spec.apply(taken_out(find_occurrences(self._spec.tree), found))

    def insert(self, path: str, value: MappingType[str, Any], *, name: str) -> None:
        """Insert a node between a result and all that reads it.

            spec.insert("conv1", {"layer": "BatchNorm2d"}, name="norm1")

        The path names a node, an input or a port, `lstm.last`. In a seq, `add` an item.
        """
        node = _node(as_plain(path, value))
        as_text("the name", name)
        where, port = self._result(path)
        occurrences = find_occurrences(self._spec.tree)
        kind: Kind = "input" if where.section == "inputs" else "node"
        reads = reads_of(occurrences, Symbol(kind, where.name, where.block), port)
        source = f"{where.name}.{port}" if port else where.name
        if not reads.sources:
            raise fault(f"nothing reads {source}", where.key.span, "add a node that reads it")
        word = next(iter(node), "")
        entry = {word: node.pop(word, None), "from": source, **node}
        prefix = f"blocks.{where.block}." if where.block else ""
        with self._spec.all_or_none():
            self._spec.apply(rewired(occurrences, reads.sources, name))
            at = where.name if kind == "node" else None
            missing = self._spec.find(f"{prefix}nodes.{name}")
            if isinstance(missing, Found):
                raise fault(f"{name} exists already", missing.key.span, "choose another name")
            add_entry(self._spec, missing, entry, at, None, first=at is None)

    def rename(self, old: str, new: str, *, kind: Kind | None = None) -> None:
        """Rename a node, input, param, size, block or output at all its places in the file.

            spec.rename("fc1", "head")

        A name that is declared in a part, or used by specs that have this one as a part, is renamed by the
        command `mimgraph rename`, which changes all files.
        """
        as_text("the new name", new)
        path = os.path.realpath(self._name)
        project = Project(os.path.dirname(path))
        project.add(path, self._spec.file, self._spec.tree)
        edits = rename(project, find_name(project, path, old, kind), new)
        others = [one for one in edits if one.span.file is not self._spec.file]
        if others:
            message = f"{old} is declared in {others[0].span.file.name}"
            raise fault(message, others[0].span, "mimgraph rename changes both files")
        self._spec.apply(edits)

    # --- checks and files -------------------------------------------------------------------------

    def check(self) -> None:
        """Raise a `SpecError` with all faults of the spec, as `mimgraph check` reports them."""
        place = first_place(self._name) if self._data is not None else None
        load_text(self.text, name=self._name, place=place)

    def save(self, path: str | os.PathLike[str] | None = None, *, check: bool = True) -> None:
        """Write the file, whole or not at all; before that, `check` it.

        A file that another program has changed meanwhile is not overwritten.
        """
        if check:
            self.check()
        target = Path(self._name) if path is None else as_path("the file to write", path)
        if path is None:
            if self._data is None:
                raise ValueError("the spec was given as text: save it under a path")
            if target.read_bytes() != self._data:
                message = "was changed by another program since it was read"
                raise ValueError(f"{self._name} {message}: edit it again")
        data = self.text.encode(errors="surrogateescape")
        write_whole(target, data)
        if path is None:
            self._data, self._before = data, self.text

    # --- the text ---------------------------------------------------------------------------------

    def _result(self, path: str) -> tuple[Found, str]:
        """Return the input or node that a path names, and the port behind it."""
        try:
            found = self._spec.find(path)
        except SpecError:
            found = None
        if isinstance(found, Found):
            return found, ""
        before, _, port = path.rpartition(".")
        return self._spec.known(before or path), port


def _node(value: Any) -> dict[str, Any]:
    """Return the value of a node; raise a `TypeError` if it can be none."""
    if not isinstance(value, dict) or not value:
        raise TypeError(f"a node is a mapping, such as {{layer: ReLU}}, not {value!r}")
    return {**value}


# Set an option of a node or item, or an entry of a section, in the form in which it is written.


def set_option(spec: EditedSpec, path: str, key: str, value: Any) -> None:
    """Set one option, or one entry of a section."""
    if not path:
        if value is not ... and spec.tree.entry(key) is None:
            spec.apply(with_section(spec.tree, key, value, order_of(spec.tree, spec.tree)))
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


# Take a node out of a text, or put one between a result and what reads it.


class Reads(NamedTuple):
    """The sources that read a result, by the spans of their names, and a use of the node that is none."""

    sources: dict[Span, Span]
    other: Occurrence | None = None


def taken_out(occurrences: Occurrences, found: Found) -> Iterator[TextEdit]:
    """Yield the edits that remove an entry. What reads a node reads its one source instead; anything else
    must not be named by others."""
    if isinstance(found.around, Sequence):
        if len(found.around.items) == 1:
            message = f"item {found.position} is the only one of its seq"
            raise fault(message, found.value.span, "remove the whole node", code="missing-key")
        yield without_item(found.around, found.position)
        return
    if not found.section:
        message = f"{found.name} is a section of the spec"
        raise fault(message, found.key.span, "remove its entries by their names")
    if found.section == "nodes":
        yield from _rewired(occurrences, found)
    else:
        _check_unnamed(occurrences, found)
    yield from without_entry(found.around, found.key)


def _rewired(occurrences: Occurrences, found: Found) -> Iterator[TextEdit]:
    name, symbol = found.name, Symbol("node", found.name, found.block)
    reads = reads_of(occurrences, symbol, "")
    if reads.other is not None:
        span, text = reads.other.span, _text_at(reads.other.span)
        message = f"{text} is used, and it would be gone"
        raise fault(message, span, f"replace {name}, or remove what uses it first")
    if not reads.sources:
        return
    sources = [*dict.fromkeys(_sources(found.value))]
    if len(sources) != 1 or sources[0].endswith(".*"):
        message = f"{name} has several sources: {', '.join(sources)}"
        if not sources:
            message = f"{name} has no source that its readers could read in its place"
        raise fault(
            message, found.key.span, "replace it, or remove its readers first", code="wrong-arity"
        )
    yield from rewired(occurrences, reads.sources, sources[0])


def reads_of(occurrences: Occurrences, symbol: Symbol, port: str) -> Reads:
    """Return the sources that read a result of an input or node, which is its default one if `port` is ""."""
    found: dict[Span, Span] = {}
    other: Occurrence | None = None
    shares = _shares(occurrences.scopes, symbol)
    for one in occurrences.of(symbol):
        if one.defines:
            continue
        text = _text_at(one.span)
        is_share = one.span[1:3] in shares
        if text == (f"{symbol.name}.{port}" if port else symbol.name) and not is_share:
            found[one.span] = one.span.part(0, len(text))
        elif other is None:
            other = one
    return Reads(found, other)


def _text_at(span: Span) -> str:
    """Return the name at a span, with the port behind it."""
    line = span.file.line(span.line)
    end = span.end_column - 1
    while line[end : end + 1] and (line[end].isalnum() or line[end] in "._*"):
        end += 1
    return line[span.column - 1 : end]


def _shares(scopes: Scopes, symbol: Symbol) -> set[tuple[int, int]]:
    """Return where a `share` names this node, in its own scope or in a block."""
    found: set[tuple[int, int]] = set()
    for scope in scopes.by_block.values():
        for node in scope.nodes.values():
            share = node.get("share") if isinstance(node, Mapping) else None
            if not isinstance(share, Scalar) or share.text.partition(".")[0] != symbol.name:
                continue
            targets = {(target.block, name) for target, name in scopes.shared(scope, symbol.name)}
            if (symbol.block, symbol.name) in targets:
                found.add((share.part(0, 1).line, share.part(0, 1).column))
    return found


def _sources(node: Tree) -> Iterator[str]:
    """Yield the sources of a node as they are written."""
    for key, value in entries(node):
        is_source = key.text in ("from", "each", "carry") or (
            key.text == "like" and any(node.get(word) for word in (*CONSTANTS, "layer"))  # type: ignore[union-attr]
        )
        is_source |= key.text == "arange" and isinstance(value, Scalar) and value.name is not None
        is_source |= key.text == "over" and node.get("scan") is not None  # type: ignore[union-attr]
        if not is_source:
            continue
        if isinstance(value, Mapping):
            named = [one for one, _ in value.entries] if key.text == "over" else []
            items: list[Tree] = named or [one for _, one in value.entries]  # type: ignore[assignment]
        else:
            items = [*value.items] if isinstance(value, Sequence) else [value]
        yield from (one.text for one in items if isinstance(one, Scalar) and one.name is not None)


def _check_unnamed(occurrences: Occurrences, found: Found) -> None:
    """Raise an error for an input, param or block that something names."""
    kind = SECTIONS.get(found.section)
    if kind is None:  # a limit, which nothing names
        return
    block = "" if kind == "block" else found.block
    for one in occurrences.of(Symbol(kind, found.name, block)):
        if not one.defines and not one.implied:
            message = f"{found.name} is used, and it would be gone"
            raise fault(message, one.span, "remove what uses it first")
