"""Find and open the files of specs: those in a folder and the parts of a spec; refuse files of other kinds."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePath
from typing import NamedTuple

from mimgraph.declare import tree
from mimgraph.declare.tree import MAX_BYTES
from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.nearest import nearest
from mimgraph.diagnostics.text import did_you_mean
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.grammar import PLACES
from mimgraph.language.yaml_reader import tree_of
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


# Find and open the files that a spec may name: regular ones of specs in its folder, bounded in
# sum.


MAX_PARTS = 256  # a part counts each time that a spec names it
MAX_DEPTH = 16
MAX_LISTED = 1_000  # files that are searched for a similar name

_HELP = "a part is a .yaml, .yml or .json file in the folder of the spec"


class Refused(Exception):
    """Raised for a path that cannot be a part, with the code, message and help of its diagnostic."""

    def __init__(self, message: str, help: str = "", code: DiagnosticCode = "bad-part") -> None:
        super().__init__(message)
        self.message, self.help, self.code = message, help, code


class ReadPart(NamedTuple):
    """A part as a block, None if it is faulty, with the number and bytes of the parts in it."""

    block: Block | None
    parts: int
    size: int


@dataclass(slots=True, eq=False, repr=False)
class PartFiles:
    """The parts of one spec, in its `folder`: those that were read, by real path, and how much.

    `texts` are read in place of files, as an editor has them before they are saved; `tried` are the paths
    of all files that were looked for.
    """

    folder: str
    texts: Mapping[str, str] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)
    read: dict[str, ReadPart] = field(default_factory=dict)
    parts: int = 0
    size: int = 0

    @property
    def is_full(self) -> bool:
        """Whether there are more parts than may be read."""
        return self.parts > MAX_PARTS or self.size > MAX_BYTES

    def count(self, parts: int, size: int) -> None:
        """Count parts and their bytes; refuse more than the limit."""
        self.parts += parts
        self.size += size
        if self.parts > MAX_PARTS:
            raise Refused(f"more than {MAX_PARTS} parts, those of parts counted", code="too-large")
        if self.size > MAX_BYTES:
            raise Refused(f"the parts have more than {MAX_BYTES:,} bytes in sum", code="too-large")


class Place(NamedTuple):
    """The file of a spec: its path inside the folder of the first one, and the real paths of the
    specs that contain it, from the first one to itself. The spec that names it is in the folder
    `beside`."""

    files: PartFiles
    inside: tuple[str, ...]
    around: tuple[str, ...]
    beside: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The path as messages show it."""
        return os.path.join(self.files.folder, *self.inside)

    def part(self, text: str) -> Place:
        """Return the place of a part, by its path from the folder of this spec; raise `Refused` for
        a path that a spec may not name."""
        if fault := _path_fault(text):
            raise Refused(f"{text!r} cannot be the path of a part", fault)
        folder = self.inside[:-1]
        path = posixpath.normpath(posixpath.join(*folder, text))
        real = allowed_path(self.files.folder, path)
        if len(self.around) > MAX_DEPTH:
            raise Refused(f"parts are nested more than {MAX_DEPTH} deep", code="too-large")
        return Place(self.files, (*path.split("/"),), (*self.around, real), folder)

    @property
    def ring(self) -> list[str]:
        """The names of the files from this one back to itself, if one of its parts contains it."""
        *outer, real = self.around
        names = [os.path.basename(path) for path in self.around]
        return names[outer.index(real) :] if real in outer else []


def first_place(path: str, texts: Mapping[str, str] | None = None) -> Place:
    """Return the place of a spec that is not a part; its parts must lie in its folder. Texts by real path
    are read in place of files."""
    folder, name = os.path.split(path)
    return Place(PartFiles(folder, texts or {}), (name,), (os.path.realpath(path),))


def allowed_path(folder: str, path: str) -> str:
    """Return the real path of a file that a spec in `folder` may name, from its path there without `..`;
    raise `Refused` for any other.

    The path and the real one are in the folder, have no hidden name in it, and end as specs do. Nothing
    outside is looked at unless a link leads there.
    """
    root, written = PurePath(os.path.realpath(folder or ".")), PurePath(path)
    if written.is_absolute() or ".." in written.parts:
        raise Refused(f"{path} is outside the folder", _HELP)
    real = PurePath(os.path.realpath(root / written))
    if not real.is_relative_to(root):
        raise Refused(f"{path} is a link that leads out of the folder", _HELP)
    inside = real.relative_to(root)
    for one, what in ((written, path), (inside, f"{path} is a link to {inside}, which")):
        if any(name.startswith(".") for name in one.parts):
            raise Refused(f"{what} is hidden", _HELP)
        if not one.name.lower().endswith(ENDINGS):
            raise Refused(f"{what} does not end in .yaml, .yml or .json", _HELP)
    return str(real)


def _path_fault(text: str) -> str:
    """Return why a text cannot be the path of a part on every system; "" if it can."""
    if "$" in text:
        return "a path holds no params: write it out"
    if "://" in text:
        return "a part is a file next to the spec: download it"
    if text.startswith("/") or text[1:2] == ":":
        return "write the path from the folder of this spec, such as towers/text.yaml"
    if "\\" in text:
        return f"write {text.replace(chr(92), '/')}"
    if not text.isprintable() or not text.strip() or ":" in text:
        return "write a path such as towers/text.yaml"
    return ""


def read_bytes(place: Place, text: str) -> bytes:
    """Return the bytes of a part; raise `Refused` unless it is a regular file of a spec, and small."""
    real = place.around[-1]
    place.files.tried.add(real)
    if real in place.files.texts:
        data = place.files.texts[real].encode(errors="surrogatepass")
        if len(data) > MAX_BYTES:
            raise _too_large(text)
        return data
    try:
        data = _read_regular(real, text)
    except (FileNotFoundError, NotADirectoryError):
        raise Refused(f"there is no file {text}", _nearest(place)) from None
    except OSError as error:
        raise Refused(f"{text} cannot be read: {error.strerror or error}") from None
    if kind := kind_of(real, data):
        raise Refused(f"{text} is {kind.what}, not a spec", _HELP)
    return data


def _read_regular(real: str, text: str) -> bytes:
    """Return the bytes of a regular file, one more than allowed if it is too large.

    Opening a pipe would wait for a writer, and opening a device may do anything, so the kind is
    looked at before; it is looked at again in case the file was replaced meanwhile.
    """
    _check_regular(os.stat(real), text)
    flags = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_BINARY"))
    with open(os.open(real, flags), "rb") as opened:
        info = os.fstat(opened.fileno())
        _check_regular(info, text)
        data = b"" if info.st_size > MAX_BYTES else opened.read(MAX_BYTES + 1)
    if max(info.st_size, len(data)) > MAX_BYTES:
        raise _too_large(text)
    return data


def _too_large(text: str) -> Refused:
    return Refused(f"{text} has more than {MAX_BYTES:,} bytes", code="too-large")


def _check_regular(info: os.stat_result, text: str) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise Refused(f"{text} is not a regular file")


def _nearest(place: Place) -> str:
    """Return the help for a missing file: a path to the most similar name, or where it would be."""
    names, folder = place.inside, place.files.folder or "."
    for index, name in enumerate(names):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            near = nearest(name, [one for one in _listed(folder) if one != name])
            if near is None:
                break
            meant = "/".join((*names[:index], near, *names[index + 1 :]))
            return did_you_mean(posixpath.relpath(meant, "/".join(place.beside) or "."))
        folder = path
    return f"the folder of the spec is {place.files.folder}" if place.files.folder else ""


def _listed(folder: str) -> list[str]:
    """Return the names in a folder that are not hidden, at most so many as are quickly compared."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry, _ in zip(entries, range(MAX_LISTED), strict=False)]
            return [name for name in names if not name.startswith(".")]
    except OSError:
        return []


# Find the specs in a folder, by their keys, among all its YAML and JSON files.


MOST_FILES = 10_000  # that are searched for parts
MOST_BEGUN = 2_000  # characters of a text that may become a spec
# folders of other packages; hidden ones are skipped too
SKIPPED = ("node_modules", "site-packages")
_KEY = re.compile(r"\b(\w+)\b[\"']?\s*:")
_MAYBE = re.compile(rb"\b(?:no\w+|blocks)\b[\"']?\s*:")  # without parsing
_TOP = (
    re.compile(rb"^(nodes|blocks)\s*:", re.MULTILINE),
    re.compile(rb"^(inputs|outputs)\s*:", re.MULTILINE),
)


def specs_in(folder: str) -> list[str]:
    """Return the paths of the specs in a folder and below it, in order.

    A spec that is a part of another one is left out: it is checked there, with the params that it gets.
    """
    parts = _parts_of_specs(folder)
    named = {part for found in parts.values() for part in found}
    specs: list[str] = []
    seen: set[str] = set()
    for path in sorted(parts, key=lambda path: (path in named, path)):
        if path not in seen:  # a part that only parts in a cycle name is a spec of its own
            specs.append(path)
            _add_parts(path, parts, seen)
    return sorted(specs)


def specs_and_parts_in(folder: str) -> list[str]:
    """Return the paths of all specs in a folder and below it, in order, parts of others too."""
    return sorted(_parts_of_specs(folder))


def is_spec(path: str, text: str) -> bool:
    """Return whether a text is a spec, perhaps a wrong one, by its keys."""
    if not _MAYBE.search(text.encode(errors="surrogatepass")):
        return False
    root = tree_of(SourceFile(path, text))
    if isinstance(root, tree.Mapping):
        return _is_spec({key.text for key, _ in root.entries})
    return root is None and _is_spec({*_KEY.findall(text)})


def may_become_spec(path: str, text: str) -> bool:
    """Return whether a text has no key, or only keys that a spec may have."""
    if len(text) > MOST_BEGUN:
        return False
    root = tree_of(SourceFile(path, text))
    if not isinstance(root, tree.Mapping):
        return not isinstance(root, tree.Sequence)
    return {key.text for key, _ in root.entries} <= {*PLACES["a spec"]}


def naming_parts(folder: str) -> list[str]:
    """Return the files in a folder and below it that may be specs with parts."""
    found = islice(files_in(folder), MOST_FILES)
    return sorted(path for path in found if b"parts" in _data(path))


def _data(path: str) -> bytes:
    """Return the bytes of a file, one more than a spec may have if it is too large; none if it cannot be
    read."""
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError:
        return b""


def files_in(folder: str) -> Iterator[str]:
    """Yield the paths of files that may be specs, in order; links to folders are not followed."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(
            one for one in folders if not one.startswith(".") and one not in SKIPPED
        )
        for name in sorted(names):
            path = os.path.join(place, name)
            if name.endswith(ENDINGS) and not name.startswith(".") and os.path.isfile(path):
                yield os.path.normpath(path)


def _parts_of_specs(folder: str) -> dict[str, list[str]]:
    """Return the specs in a folder and below it, and the parts of each."""
    return {path: found for path in files_in(folder) if (found := _parts(path)) is not None}


def _parts(path: str) -> list[str] | None:
    """Return the paths of the parts of a spec; None if the file is no spec."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except PermissionError:
        return []  # a check says that it cannot be read
    except OSError:
        return None
    if not _MAYBE.search(data):
        return None
    if len(data) > MAX_BYTES:  # a check says that a spec is too large
        return [] if all(pattern.search(data) for pattern in _TOP) else None
    text = data.decode(errors="surrogateescape")
    root = tree_of(SourceFile(path, text))
    if not isinstance(root, tree.Mapping):  # a spec with a syntax error is one
        return [] if root is None and _is_spec({*_KEY.findall(text)}) else None
    if not _is_spec({key.text for key, _ in root.entries}):
        return None
    section = root.get("parts")
    entries = section.entries if isinstance(section, tree.Mapping) else ()
    names = (value.name for _, value in entries if isinstance(value, tree.Scalar))
    return [os.path.normpath(os.path.join(os.path.dirname(path), name)) for name in names if name]


def _is_spec(keys: set[str]) -> bool:
    """Return whether a file with these keys is a spec, perhaps a wrong one: keys may be misspelt."""
    meant = {nearest(key, ("inputs", "outputs", "nodes", "blocks")) for key in keys}
    return not meant.isdisjoint(("nodes", "blocks")) and not meant.isdisjoint(("inputs", "outputs"))


def _add_parts(path: str, parts: Mapping[str, list[str]], seen: set[str]) -> None:
    """Add a spec and the parts in it, at any depth."""
    waiting = [path]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += parts.get(one, ())
