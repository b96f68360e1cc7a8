"""Find and open the files that a spec may name: regular ones of specs in its folder, bounded in sum."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import NamedTuple

from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.nearest import nearest
from mimgraph.ir.declared_graph import Block
from mimgraph.language.foreign_files import ENDINGS, kind_of
from mimgraph.language.yaml_tree.limits import MAX_BYTES

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


@dataclass(slots=True, eq=False)
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
        return "a part is a file beside the spec: download it"
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
            return f"did you mean {posixpath.relpath(meant, '/'.join(place.beside) or '.')}?"
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
