"""Load a spec from a file, the header of a file of weights, or a text; set its params and infer its types."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from errno import EISDIR
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from mimgraph.cost.within_limits import infer_within_limits
from mimgraph.declare.sections import given_option
from mimgraph.declare.tree import MAX_BYTES, Scalar
from mimgraph.declare.values import Context
from mimgraph.diagnostics import Diagnostic, Report, SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.infer.search import settled
from mimgraph.infer.state import State
from mimgraph.ir.declared_graph import Graph
from mimgraph.ir.declared_values import Option
from mimgraph.ir.option_types import OptionValue
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.language.files import Place, first_place, refuse_foreign
from mimgraph.language.read_spec import LANGUAGE, read
from mimgraph.source import SourceFile
from mimgraph.support.arguments import as_mapping, as_path, as_plain, as_text, shown, wrong

ENDING = ".safetensors"
MAX_METADATA = 4 * MAX_BYTES  # JSON escapes some characters

MAX_HEADER = 100_000_000  # bytes, as the safetensors library has it
_BITS = {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6} | {
    f"{kind}{bits}": bits for kind in "UIF" for bits in (8, 16, 32, 64)
}

# Writers put the metadata first, so the list of tensors, however long, is never parsed.
_BEGIN = re.compile(r'\s*\{\s*"__metadata__"\s*:\s*')


def carries_weights(path: str | PathLike[str]) -> bool:
    """Return whether the file at `path` has weights as well as a spec."""
    return Path(path).suffix == ENDING


def metadata(spec: str) -> dict[str, str]:
    """Return the metadata of a file with the weights of `spec`; other tools read `format`."""
    return {"format": "pt", "mimgraph": LANGUAGE, "spec": spec}


def read_spec(path: str | PathLike[str]) -> str:
    """Return the text of the spec in the header; raise a `SpecError` if there is none."""
    found = _metadata(str(path), _header(path))
    if not isinstance(found, dict) or "mimgraph" not in found or "spec" not in found:
        _refuse(str(path), "missing-key", "there is no spec in the metadata")
    if found["mimgraph"] != LANGUAGE:
        _refuse(str(path), "bad-option", f"the version of the language must be {LANGUAGE}")
    if not isinstance(found["spec"], str):
        _refuse(str(path), "wrong-type", "the spec in the metadata must be a string")
    return found["spec"]


def read_shapes(path: str | PathLike[str]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor by its key; raise a `SpecError` for a header that lists none, or more than
    the file has."""
    import json  # needed by files of weights alone

    name = str(path)
    with Path(path).open("rb") as file:
        size = file.seek(0, 2) - 8
        file.seek(0)
        length = int.from_bytes(file.read(8), "little")
        if length > size or size <= 0:
            _refuse(name, "yaml-syntax", "this is not a safetensors file, or its header is cut")
        if length > MAX_HEADER:
            _refuse(name, "too-large", f"the header takes more than {MAX_HEADER:,} bytes")
        header = file.read(length)
    try:
        listed = json.loads(header)
    except (ValueError, RecursionError):
        _refuse(name, "yaml-syntax", "the header is not JSON")
    if not isinstance(listed, dict):
        _refuse(name, "wrong-type", "the header must list tensors by their keys")
    return {
        key: _shape_of(name, key, found, size - length)
        for key, found in listed.items()
        if key != "__metadata__"
    }


def _shape_of(name: str, key: str, found: Any, most: int) -> tuple[int, ...]:
    """Return the shape of a tensor whose values are among the `most` bytes behind the header."""
    entry = found if isinstance(found, dict) else {}
    sizes, ends = (_sizes(entry.get(field)) for field in ("shape", "data_offsets"))
    if sizes is None or ends is None or len(ends) != 2 or not isinstance(entry.get("dtype"), str):
        _refuse(name, "wrong-type", f"the header lists {key!r} without its dtype, shape and place")
    bits = _BITS.get(entry["dtype"].partition("_")[0], 0)
    if ends[0] > ends[1] or (bits and prod(sizes) * bits != (ends[1] - ends[0]) * 8):
        _refuse(name, "wrong-type", f"the place of {key!r} is not as large as its shape")
    if ends[1] > most:
        _refuse(name, "yaml-syntax", f"the file ends before {key!r}")
    return sizes


def _sizes(given: Any) -> tuple[int, ...] | None:
    """Return sizes if they are some: integers of at least 0."""
    if not isinstance(given, list) or not all(type(size) is int and size >= 0 for size in given):
        return None
    return tuple(given)


def _header(path: str | PathLike[str]) -> str:
    """Return the start of the header that may have the metadata: its length in 8 bytes, then JSON."""
    with Path(path).open("rb") as file:
        wanted = min(int.from_bytes(file.read(8), "little"), MAX_METADATA)
        header = file.read(wanted)
    if not header or len(header) < wanted:
        _refuse(str(path), "yaml-syntax", "this is not a safetensors file, or its header is cut")
    return header.decode(
        errors="surrogateescape"
    )  # bytes that are not UTF-8 are reported when the spec is read


def _metadata(name: str, header: str) -> Any:
    import json  # needed by files of weights alone

    begin = _BEGIN.match(header)
    if begin is None:
        return None
    try:
        return json.JSONDecoder().raw_decode(header, begin.end())[0]
    except (ValueError, RecursionError):
        if len(header.encode(errors="surrogateescape")) < MAX_METADATA:
            _refuse(name, "yaml-syntax", "the metadata is not JSON")
        _refuse(name, "too-large", f"the metadata takes more than {MAX_METADATA:,} bytes")


def _refuse(name: str, code: DiagnosticCode, message: str) -> NoReturn:
    help = "graph.save(model, path) writes a file of weights that carries its spec"
    raise SpecError([Diagnostic(code, message, SourceFile(name, "").start, help=help)])


# Load a spec from a file or from text: read it, set its params, and infer its types.


Params = Mapping[str, OptionValue]


class LoadedSpec(NamedTuple):
    """A spec as a declared graph and as a typed graph."""

    declared: Graph
    typed: TypedGraph


class UnknownParams(ValueError):
    """Raised for `names` that are not params of a spec; some of them may be `sizes` of its inputs."""

    def __init__(self, names: list[str], declared: Graph) -> None:
        self.names = names
        self.sizes = list(dict.fromkeys(declared.sizes))
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
    if carries_weights(file):
        return load_text(read_spec(file), params, str(path))
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
    values: dict[str, OptionValue] = {}
    if params is not None:
        given = as_mapping("params", params, '{"hidden": 128}')
        values = {param: as_plain(param, value) for param, value in given.items()}
    if not isinstance(name, str):
        name = str(name) if isinstance(name, PathLike) else as_text("name", name)
    if not isinstance(text, str):
        raise _no_text(text)
    report = Report()
    declared = read(SourceFile(name, text), report, values, place)
    if declared is None:
        raise SpecError(report.diagnostics)
    if values.keys() - declared.params.keys():
        unknown = [param for param in values if param not in declared.params]
        # a param whose key could not be read may be any of them
        if all(name.isidentifier() for name in declared.params):
            raise UnknownParams(unknown, declared)
    return checked(declared, report)


def checked(
    declared: Graph,
    report: Report,
    state: State | None = None,
    raise_faults: Callable[[], None] | None = None,
) -> LoadedSpec:
    """Return a declared graph with its typed graph; raise a `SpecError` that holds all its faults.

    `state` has what is known of the types already. `raise_faults` raises the faults in `report`, if any.
    """
    try:
        typed = infer_within_limits(declared, report, state)
        (raise_faults or report.raise_if_any)()
    except SpecError as error:
        from mimgraph.picture.faulty.sketch import sketch_of  # for faults alone

        if declared.inputs or declared.nodes:
            error.sketch = sketch_of(declared)
        raise
    assert typed is not None
    return LoadedSpec(declared, typed)


def _no_text(given: object) -> TypeError:
    """Return the error for something else in place of the text of a spec, such as a path."""
    if isinstance(given, PathLike):
        return TypeError(f"loads takes the text of a spec: mg.load({shown(given)}) reads a file")
    if isinstance(given, Mapping):
        return TypeError("loads takes the text of a spec: mg.from_dict takes a dict")
    return wrong("a spec", "a string", given)


# Give the params of a graph other values, without reading its text again.


def with_params(declared: Graph, values: Mapping[str, Any]) -> LoadedSpec:
    """Return the graph at these values; its other params have theirs, and no search is left."""
    unknown = [name for name in values if name not in declared.params]
    if unknown:
        raise UnknownParams(unknown, declared)
    report = Report()
    context = Context(report, declared.origin)
    given: dict[str, Option] = {}
    for name, value in values.items():
        option = declared.params[name]
        key = Scalar(name, option.key, name, plain=True)
        given[name] = given_option(context, key, option, value)
    return checked(settled(declared, given, [*declared.spaces]), report)
