"""Recognise files that are not specs by their first bytes, and refuse them with a help."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import NamedTuple

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.source import SourceFile

HEAD = 4096  # bytes that are examined


class Kind(NamedTuple):
    """A kind of file, in words for a message, and the help for it."""

    what: str
    help: str


_SPEC = "give the spec itself, a .yaml or .json file"
_WEIGHTS = "load the spec, then its weights into model = graph.compile()"

_TORCH = Kind(
    "a checkpoint that torch.save wrote",
    f"{_WEIGHTS}: graph.load_state(model, torch.load(path)), or model.load_state_dict",
)
_PICKLE = Kind("a pickle, as old versions of torch.save wrote", _TORCH.help)
_SAFETENSORS = Kind("a file of weights", "rename it to end in .safetensors")
_IMPORTED = "write a spec of it: mimgraph import {} -o net.yaml"
_KERAS = Kind("a Keras model", _IMPORTED.format("model.keras"))
_KERAS_CONFIG = Kind("a Keras model in JSON", _IMPORTED.format("model.json"))
_HDF5 = Kind(
    "an HDF5 file, as Keras writes models",
    "save it with model.save('model.keras'), and mimgraph import model.keras -o net.yaml",
)
_EXPORTED = Kind(
    "a program of torch.export", f"if you trust it, {_IMPORTED.format('model.pt2 --trust')}"
)
ULTRALYTICS = Kind(
    "a model of Ultralytics",
    "build it with YOLO(path).model, and import that from Python code: mimgraph import my_model.py:net -o "
    "net.yaml",
)
_ONNX = Kind("an ONNX model", "mimgraph cannot convert it: declare the model in YAML")
_ARRAYS = Kind("a file of numpy arrays", f"{_SPEC}; mimgraph run --inputs takes arrays")
_PICTURE = Kind("a picture", f"{_SPEC}; mimgraph draw makes a picture from it")
_PDF = Kind("a PDF", _PICTURE.help)
_ARCHIVE = Kind("an archive", "unpack it and give the spec in it")
_BINARY = Kind("a binary file", _SPEC)
_PYTHON = Kind(
    "Python code",
    "name the graph in it: mimgraph check my_model.py:graph; write a spec of an nn.Module in it: mimgraph "
    "import my_model.py:Net -o net.yaml",
)
_NOTEBOOK = Kind("a notebook", "run it, and write a spec from it with graph.dump(path)")
_PAGE = Kind("a page or picture in XML or HTML", _PICTURE.help)
_TABLE = Kind("a table", _SPEC)
_EMPTY = Kind(
    "empty",
    "a spec has inputs: {x: [5]}, nodes: {y: {layer: ReLU, from: x}} and outputs: y",
)

_BEGINNINGS = (
    (b"\x93NUMPY", _ARRAYS),
    (b"\x89HDF\r\n\x1a\n", _HDF5),
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF8", _PICTURE),
    (b"II*\x00", _PICTURE),
    (b"MM\x00*", _PICTURE),
    (b"%PDF", _PDF),
    (b"%!PS", _PDF),
    (b"\x1f\x8b", _ARCHIVE),
    (b"BZh", _ARCHIVE),
    (b"\xfd7zXZ\x00", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"\x28\xb5\x2f\xfd", _ARCHIVE),
    (b"Rar!\x1a\x07", _ARCHIVE),
    (b"GGUF", Kind("a file of weights in GGUF", _SPEC)),
    (b"PAR1", _TABLE),
    (b"SQLite format 3\x00", Kind("a database", _SPEC)),
)
ENDINGS = (".yaml", ".yml", ".json")  # of specs
# what a model of another library begins with that is in YAML or JSON, too
_TEXTS = (
    (re.compile(rb'\A\s*\{\s*"(module|class_name)": "'), _KERAS_CONFIG),
    (re.compile(rb"^backbone:(?:[ \t]*(?:#[^\n]*)?\n)+ *- *\[", re.MULTILINE), ULTRALYTICS),
)
_ENDINGS = {
    ".py": _PYTHON,
    ".pyi": _PYTHON,
    ".ipynb": _NOTEBOOK,
    ".svg": _PAGE,
    ".html": _PAGE,
    ".xml": _PAGE,
    ".onnx": _ONNX,
    ".pt2": _EXPORTED,
    ".csv": _TABLE,
    ".tsv": _TABLE,
}


def refuse_foreign(name: str, data: bytes) -> None:
    """Raise a `SpecError` if `data`, the first bytes of a file, show that it is no spec."""
    kind = kind_of(name, data[:HEAD])
    if kind is not None:
        place = SourceFile(name, "").start
        code: DiagnosticCode = "wrong-type"
        message = f"this is {kind.what}, not a spec"
        if kind is _EMPTY:
            code, message = "missing-key", "the file is empty"
        raise SpecError([Diagnostic(code, message, place, help=kind.help)])


def kind_of(name: str, head: bytes) -> Kind | None:
    """Return the kind of a file; None if it may be a spec, even a faulty one."""
    ending = PurePath(name).suffix.lower()
    if not head.strip():
        return _EMPTY
    if (of_plugin := _of_plugin(ending)) is not None:
        return of_plugin
    if head.startswith(b"PK") and ending != ".pt2":
        return _zipped(head)
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    if head.lstrip().lower().startswith((b"<svg", b"<?xml", b"<!doctype", b"<html")):
        return _PAGE
    for text, kind in _TEXTS:
        if text.search(head):
            return kind
    if ending in ENDINGS or not (b"\x00" in head or head.startswith(b"\x80")):
        return None  # the reader reports a wrong character
    return _binary(head)


def _of_plugin(ending: str) -> Kind | None:
    """Return the kind of a file that an importer of a plugin reads."""
    if ending in ("", ".safetensors", *ENDINGS):
        return None
    from mimgraph.support.plugins import OURS, plugins  # files with other endings are seldom specs

    if ending[1:] in OURS["importers"]:
        return None
    for one in plugins("importers"):
        if f".{one.name}" == ending:
            return Kind(f"a model that {one.origin} imports", _IMPORTED.format(f"model{ending}"))
    return None


def _zipped(head: bytes) -> Kind:
    """Return the kind of a zip archive, by the name of its first file."""
    if b"/data.pkl" in head or b"constants.pkl" in head:
        return _TORCH
    if b".npy" in head[:200]:
        return _ARRAYS
    if b"metadata.json" in head[:200] or b"model.weights.h5" in head:
        return _KERAS
    return _ARCHIVE


def _binary(head: bytes) -> Kind:
    if head.startswith(b"\x80") and head[1:2] <= b"\x05":
        return _PICKLE
    if head[8:9] == b"{" and b'"' in head[9:12]:
        return _SAFETENSORS
    if head.startswith(b"\x08") and (b"onnx" in head or b"pytorch" in head):
        return _ONNX
    if head.startswith(b"RIFF") or head[4:8] == b"ftyp":
        return _PICTURE
    if head[257:262] == b"ustar":
        return _ARCHIVE
    return _BINARY
