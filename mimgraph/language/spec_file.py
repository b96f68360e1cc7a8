"""Load a spec from a file or from text: read it, set its params, and infer its types."""

from __future__ import annotations

import os
from collections.abc import Mapping
from errno import EISDIR
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from mimgraph.cost.within_limits import infer_within_limits
from mimgraph.diagnostics import Report, SpecError
from mimgraph.ir.declared_graph import Graph
from mimgraph.ir.option_types import OptionValue
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.language import safetensors_header
from mimgraph.language.foreign_files import refuse_foreign
from mimgraph.language.parts.part_files import Place, first_place
from mimgraph.language.reader.spec import read
from mimgraph.language.yaml_tree.limits import MAX_BYTES
from mimgraph.source import SourceFile
from mimgraph.support.arguments import as_mapping, as_path, as_plain, as_text, shown

Params = Mapping[str, OptionValue]


class LoadedSpec(NamedTuple):
    """A spec as a declared graph and as a typed graph."""

    declared: Graph
    typed: TypedGraph


class UnknownParams(ValueError):
    """Raised for `names` that are not params of a spec; some of them may be `sizes` of its inputs."""

    def __init__(self, names: list[str], declared: Graph) -> None:
        sizes = (name for one in declared.inputs if one.shape for name in one.shape.names)
        self.names = names
        self.sizes = list(dict.fromkeys(sizes))
        odd = next((name for name in names if name not in self.sizes), names[0])
        params = ", ".join(declared.params) or "none"
        super().__init__(f"no param is called {odd!r}; the spec's params: {params}")

    def with_sizes(self) -> str:
        """Return the message for a place where sizes may be set as well."""
        return (
            f"{self}; the sizes of its inputs: {', '.join(self.sizes)}" if self.sizes else f"{self}"
        )


def load_file(path: str | PathLike[str], params: Params | None = None) -> LoadedSpec:
    """Load the spec in a file, or in the metadata of a .safetensors file."""
    if isinstance(path, Mapping):
        raise TypeError("load takes the path of a spec: mg.from_dict takes a dict")
    file = as_path("the spec to load", path)
    if "\n" in str(path) and not os.path.exists(path):
        raise ValueError("load takes the path of a spec: mg.loads takes its text")
    if file.is_dir():
        reason = "it is a directory, so name the spec in it"
        raise IsADirectoryError(EISDIR, reason, str(path))
    if safetensors_header.carries_weights(file):
        return load_text(safetensors_header.read_spec(file), params, str(path))
    return load_text(_text_in(file, str(path)), params, str(path), first_place(str(path)))


def _text_in(file: Path, name: str) -> str:
    """Return the text of a spec; its bytes do not stay in memory while it is read."""
    with file.open("rb") as opened:
        return _decoded(opened.read(MAX_BYTES + 1), name)


def load_bytes(
    data: bytes, params: Params | None, name: str, place: Place | None = None
) -> LoadedSpec:
    """Load the spec in the bytes of a file."""
    return load_text(_decoded(data, name), params, name, place)


def _decoded(data: bytes, name: str) -> str:
    """Return the text of bytes; the reader reports bytes that are not UTF-8."""
    refuse_foreign(name, data)
    return data.decode(errors="surrogateescape")


def load_text(
    text: str, params: Params | None = None, name: str = "<string>", place: Place | None = None
) -> LoadedSpec:
    """Load a spec; `name` is the name of the text in messages, `place` where its parts are found."""
    given = as_mapping("params", params, '{"hidden": 128}')
    values = {param: as_plain(param, value) for param, value in given.items()}
    report = Report()
    file = SourceFile(
        str(name) if isinstance(name, PathLike) else as_text("name", name), _spec(text)
    )
    declared = read(file, report, values, place)
    if declared is None:
        raise SpecError(report.diagnostics)
    unknown = [param for param in values if param not in declared.params]
    # a param whose key could not be read may be any of them
    if unknown and all(name.isidentifier() for name in declared.params):
        raise UnknownParams(unknown, declared)
    return checked(declared, report)


def checked(declared: Graph, report: Report) -> LoadedSpec:
    """Return a declared graph with its typed graph; raise a `SpecError` that holds all its faults."""
    try:
        typed = infer_within_limits(declared, report)
        report.raise_if_any()
    except SpecError as error:
        from mimgraph.picture.faulty.sketch import sketch_of  # for faults alone

        if declared.inputs or declared.nodes:
            error.sketch = sketch_of(declared)
        raise
    assert typed is not None
    return LoadedSpec(declared, typed)


def _spec(given: object) -> str:
    """Return the text of a spec; refuse a path."""
    if isinstance(given, PathLike):
        raise TypeError(f"loads takes the text of a spec: mg.load({shown(given)}) reads a file")
    if isinstance(given, Mapping):
        raise TypeError("loads takes the text of a spec: mg.from_dict takes a dict")
    return as_text("a spec", given)
