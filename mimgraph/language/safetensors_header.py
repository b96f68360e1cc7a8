"""Read the spec and the shapes that a .safetensors file has in its header, without its tensors and torch."""

from __future__ import annotations

import re
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.language.reader.spec import LANGUAGE
from mimgraph.language.yaml_tree.limits import MAX_BYTES
from mimgraph.source import SourceFile

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
            _refuse(name, "yaml-syntax", "this is no safetensors file, or its header is cut")
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
        _refuse(str(path), "yaml-syntax", "this is no safetensors file, or its header is cut")
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
