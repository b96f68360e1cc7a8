"""Change a spec in a file by program: comments, layout and order stay."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Any

from mimgraph.diagnostics import SpecError
from mimgraph.language.edit.add_entry import add_entry
from mimgraph.language.edit.edited_spec import EditedSpec
from mimgraph.language.edit.entries import (
    is_flow,
    with_item,
    with_item_value,
    with_value,
)
from mimgraph.language.edit.find_entry import Found
from mimgraph.language.edit.find_name import fault, find_name
from mimgraph.language.edit.new_entries import as_item, replaced_item, replaced_node
from mimgraph.language.edit.rename import rename
from mimgraph.language.edit.set_option import set_option
from mimgraph.language.edit.split_names import rewired
from mimgraph.language.edit.take_out import reads_of, taken_out
from mimgraph.language.files import first_place, refuse_foreign
from mimgraph.language.occurrences import Project, find_occurrences
from mimgraph.language.scopes import Kind, Symbol
from mimgraph.language.spec_file import load_text
from mimgraph.language.tree import MAX_BYTES, Sequence
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

    def insert(self, path: str, value: Mapping[str, Any], *, name: str) -> None:
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
                raise ValueError(f"{self._name} {message}: edit it anew")
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
