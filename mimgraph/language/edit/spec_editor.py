"""Change a spec in a file by program: comments, layout and order stay."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Any

from mimgraph.diagnostics import Report, SpecError
from mimgraph.language.edit.entries import (
    is_flow,
    with_entry,
    with_item,
    with_item_value,
    with_value,
    without_entry,
)
from mimgraph.language.edit.find_entry import Found, Missing, fault, find, unknown
from mimgraph.language.edit.find_name import find_name
from mimgraph.language.edit.new_entries import as_item, optioned_item, replaced_item, replaced_node
from mimgraph.language.edit.plain_tree import plain
from mimgraph.language.edit.rename import rename
from mimgraph.language.edit.split_names import rewired
from mimgraph.language.edit.take_out import reads_of, taken_out
from mimgraph.language.foreign_files import refuse_foreign
from mimgraph.language.occurrences.find import find_occurrences
from mimgraph.language.occurrences.project import Project
from mimgraph.language.occurrences.symbols import Kind, Symbol
from mimgraph.language.parts.part_files import first_place
from mimgraph.language.places import PLACES
from mimgraph.language.spec_file import load_text
from mimgraph.language.text_edits import TextEdit, edited
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.language.yaml_tree.limits import MAX_BYTES
from mimgraph.language.yaml_tree.tree import Mapping as MappingTree
from mimgraph.language.yaml_tree.tree import Scalar, Sequence, Tree, is_null
from mimgraph.source import SourceFile
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
        self._file = SourceFile(name, as_text("a spec", text))
        self._tree = self._composed(self._file)

    def __repr__(self) -> str:
        return f"<SpecEditor of {self._name}>"

    @property
    def text(self) -> str:
        """The text of the spec with the edits."""
        return self._file.text

    def diff(self) -> str:
        """Return what changed since the file was read, as a unified diff; "" if nothing did."""
        old, new = (one.splitlines(keepends=True) for one in (self._before, self.text))
        return "".join(unified_diff(old, new, self._name, self._name))

    # --- edits ------------------------------------------------------------------------------------

    def set(self, path: str, values: Mapping[str, Any] | None = None, /, **options: Any) -> None:
        """Set options of a node or item, or entries of a section; `...` leaves one out.

            spec.set("fc1", out_features=128, activation=...)
            spec.set("params", hidden="$(2 * width)")
            spec.set("fc1", {"from": "pooled"})

        Words that are no names in Python are given as a dict. The path "" means the spec itself, with its
        `name` and `doc`.
        """
        given = {**(values or {}), **options}
        given = {k: v if v is ... else as_plain(k, v) for k, v in given.items()}
        with _Undo(self):
            for key, value in given.items():
                self._set(path, key, value)

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
        found = self._find(path)
        if isinstance(found, Found) and isinstance(found.around, Sequence):
            self._apply(with_item(found.around, found.position, as_item(value)))
        elif isinstance(found, Found):
            raise fault(f"{path} exists already", found.key.span, "replace it, or set its options")
        elif found.seq is not None:
            self._apply(with_item(found.seq[1], int(found.name), as_item(value)))
        else:
            self._add(found, value, after, before)

    def replace(self, path: str, value: Any) -> None:
        """Replace what a node or item does; it keeps its sources, `take` and `over` unless they are given.

            spec.replace("fused", {"merge": "gated", "out_features": 64})
            spec.replace("pooled.0", {"AdaptiveMaxPool2d": 1})

        An input, param, block or output gets the value.
        """
        value = as_plain(path, value)
        found = self._known(path)
        if isinstance(found.around, Sequence):
            item = replaced_item(found.value, value)
            self._apply([with_item_value(found.around, found.position, item)])
            return
        if found.section == "nodes":
            value = replaced_node(found.value, _node(value))
        self._apply(with_value(found.key, found.value, value, not is_flow(found.around)))

    def remove(self, path: str) -> None:
        """Remove a node of one source, which its readers read instead, or an item of a seq.

        An output keeps its public name. What has several sources, or another port that is read, is
        refused; so is an input, param, block or output that something still names.
        """
        found = self._known(path)
        self._apply(taken_out(find_occurrences(self._tree), found))

    def insert(self, path: str, value: Mapping[str, Any], *, name: str) -> None:
        """Insert a node between a result and all that reads it.

            spec.insert("conv1", {"layer": "BatchNorm2d"}, name="norm1")

        The path names a node, an input or a port, `lstm.last`. In a seq, `add` an item.
        """
        node = _node(as_plain(path, value))
        as_text("the name", name)
        where, port = self._result(path)
        occurrences = find_occurrences(self._tree)
        kind: Kind = "input" if where.section == "inputs" else "node"
        reads = reads_of(occurrences, Symbol(kind, where.name, where.block), port)
        source = f"{where.name}.{port}" if port else where.name
        if not reads.sources:
            raise fault(f"nothing reads {source}", where.key.span, "add a node that reads it")
        word = next(iter(node), "")
        entry = {word: node.pop(word, None), "from": source, **node}
        prefix = f"blocks.{where.block}." if where.block else ""
        with _Undo(self):
            self._apply(rewired(occurrences, reads.sources, name))
            at = where.name if kind == "node" else None
            missing = self._find(f"{prefix}nodes.{name}")
            if isinstance(missing, Found):
                raise fault(f"{name} exists already", missing.key.span, "choose another name")
            self._add(missing, entry, at, None, first=at is None)

    def rename(self, old: str, new: str, *, kind: Kind | None = None) -> None:
        """Rename a node, input, param, size, block or output at all its places in the file.

            spec.rename("fc1", "head")

        A name that is declared in a part, or used by specs that have this one as a part, is renamed by the
        command `mimgraph rename`, which changes all files.
        """
        as_text("the new name", new)
        path = os.path.realpath(self._name)
        project = Project(os.path.dirname(path))
        project.add(path, self._file, self._tree)
        edits = rename(project, find_name(project, path, old, kind), new)
        others = [one for one in edits if one.span.file is not self._file]
        if others:
            message = f"{old} is declared in {others[0].span.file.name}"
            raise fault(message, others[0].span, "mimgraph rename changes both files")
        self._apply(edits)

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
                raise ValueError(f"{self._name} {message}: edit it anew")
        data = self.text.encode(errors="surrogateescape")
        write_whole(target, data)
        if path is None:
            self._data, self._before = data, self.text

    # --- the text ---------------------------------------------------------------------------------

    @staticmethod
    def _composed(file: SourceFile) -> MappingTree:
        report = Report()
        tree = compose(file, report.add)
        report.raise_if_any()
        if not isinstance(tree, MappingTree):
            raise fault("a spec must be a mapping", file.start)
        return tree

    def _apply(self, edits: Iterable[TextEdit]) -> None:
        """Change the text; the edits are of its present version."""
        file = SourceFile(self._name, edited(self._file, [*edits]))
        self._tree = self._composed(file)
        self._file = file

    def _find(self, path: str) -> Found | Missing:
        return find(self._tree, as_text("the path", path))

    def _known(self, path: str) -> Found:
        found = self._find(path)
        if isinstance(found, Missing):
            raise unknown(found)
        return found

    def _result(self, path: str) -> tuple[Found, str]:
        """Return the input or node that a path names, and the port behind it."""
        try:
            found = self._find(path)
        except SpecError:
            found = None
        if isinstance(found, Found):
            return found, ""
        before, _, port = path.rpartition(".")
        return self._known(before or path), port

    def _add(
        self, at: Missing, value: Any, after: str | None, before: str | None, first: bool = False
    ) -> None:
        """Add an entry to a section, which is made if it is not there."""
        section = at.section or "nodes"
        entry = at.scope.entry(section)
        around = None if entry is None else entry[1]
        if entry is None or around is None or is_null(around):
            self._apply(self._with_section(at.scope, entry, section, {at.name: value}))
            return
        if not isinstance(around, MappingTree):
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
        self._apply(with_entry(around, at.name, value, key, first))

    def _with_section(
        self,
        scope: MappingTree,
        entry: tuple[Scalar, Tree] | None,
        section: str,
        value: Any,
    ) -> Iterable[TextEdit]:
        """Return the edits that add a section at its usual place, or fill an empty one."""
        if entry is not None:
            return with_value(*entry, value, not is_flow(scope))
        order = PLACES["a spec" if scope is self._tree else "a block"]
        earlier = order[: order.index(section)] if section in order else order
        keys = [key for key, _ in scope.entries if key.text in earlier]
        return with_entry(scope, section, value, keys[-1] if keys else None, first=not keys)

    def _set(self, path: str, key: str, value: Any) -> None:
        """Set one option, or one entry of a section."""
        if not path:
            if value is not ... and self._tree.entry(key) is None:
                self._apply(self._with_section(self._tree, None, key, value))
            else:
                self._put(self._tree, key, value)
            return
        found = self._find(path)
        if isinstance(found, Missing):
            if found.section != found.name:
                raise unknown(found)
            if value is not ...:
                self._apply(self._with_section(found.scope, None, found.section, {key: value}))
            return
        if isinstance(found.around, Sequence):
            self._set_in_item(found, key, value)
        elif isinstance(found.value, MappingTree):
            self._put(found.value, key, value)
            if found.section == "nodes" and value is not ...:
                self._drop_columns(path, key)
        else:
            self._widen(found, key, value)

    def _put(self, mapping: MappingTree, key: str, value: Any) -> None:
        entry = mapping.entry(key)
        if entry is None:
            if value is not ...:
                self._apply(with_entry(mapping, key, value))
        elif value is ...:
            self._apply(without_entry(mapping, entry[0]))
        else:
            self._apply(with_value(*entry, value, not is_flow(mapping)))

    def _set_in_item(self, found: Found, key: str, value: Any) -> None:
        around, item = found.around, found.value
        assert isinstance(around, Sequence)
        options = item.entries[0][1] if isinstance(item, MappingTree) and item.entries else None
        if isinstance(options, MappingTree) and not (value is ... and len(options.entries) == 1):
            self._put(options, key, value)
            return
        name = (
            item.entries[0][0].text if isinstance(item, MappingTree) else getattr(item, "text", "")
        )
        blocks = self._tree.get("blocks")
        block = blocks.get(name) if isinstance(blocks, MappingTree) else None
        params = block.get("params") if isinstance(block, MappingTree) else None
        first = (
            params.entries[0][0].text
            if isinstance(params, MappingTree) and params.entries
            else None
        )
        new = optioned_item(item, {key: value}, first)
        self._apply([with_item_value(around, found.position, new)])

    def _widen(self, found: Found, key: str, value: Any) -> None:
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
        assert isinstance(found.around, MappingTree)
        self._apply(with_value(found.key, found.value, new, not is_flow(found.around)))

    def _drop_columns(self, path: str, key: str) -> None:
        """Leave out the values of each source, or of each repeat, for an option that is now the same for
        all."""
        node = self._known(path).value
        assert isinstance(node, MappingTree)
        holders = [node] if node.get("each") is not None else []
        repeat = node.get("repeat")
        holders += [repeat] if isinstance(repeat, MappingTree) else []
        for holder in holders:
            columns = holder.get("with")
            if not isinstance(columns, MappingTree) or (column := columns.get(key)) is None:
                continue
            if len(columns.entries) > 1:
                self._put(columns, key, ...)
                return
            if holder is repeat and holder.get("times") is None and isinstance(column, Sequence):
                self._put_in_repeat(path, len(column.items))
                return
            self._put(holder, "with", ...)
            return

    def _put_in_repeat(self, path: str, times: int) -> None:
        """Write how many times a block is repeated in place of its columns."""
        for key, value in (("times", times), ("with", ...)):
            node = self._known(path).value
            repeat = node.get("repeat") if isinstance(node, MappingTree) else None
            assert isinstance(repeat, MappingTree)
            self._put(repeat, key, value)


def _node(value: Any) -> dict[str, Any]:
    """Return the value of a node; raise a `TypeError` if it can be none."""
    if not isinstance(value, dict) or not value:
        raise TypeError(f"a node is a mapping, such as {{layer: ReLU}}, not {value!r}")
    return {**value}


class _Undo:
    """Puts the text back as it was if one of several edits cannot be made."""

    def __init__(self, spec: SpecEditor) -> None:
        self.spec, self.file, self.tree = spec, spec._file, spec._tree

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if error is not None:
            self.spec._file, self.spec._tree = self.file, self.tree
