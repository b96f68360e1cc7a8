"""Read the spec that a .safetensors file has in its header, without its tensors and without torch."""

from __future__ import annotations

import re
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


def _header(path: str | PathLike[str]) -> str:
    """Return the start of the header that may have the metadata: its length in 8 bytes, then JSON."""
    with Path(path).open("rb") as file:
        wanted = min(int.from_bytes(file.read(8), "little"), MAX_METADATA)
        header = file.read(wanted)
    if not header or len(header) < wanted:
        _refuse(str(path), "yaml-syntax", "the file ends inside its header")
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
