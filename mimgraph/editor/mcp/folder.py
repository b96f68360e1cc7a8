"""Open and write the specs of one folder, and nothing outside of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePath

from mimgraph.declare import tree
from mimgraph.declare.tree import MAX_BYTES
from mimgraph.diagnostics.text import unmarked
from mimgraph.ir.grammar import PLACES
from mimgraph.language.files import (
    Place,
    Refused,
    allowed_path,
    files_in,
    first_place,
    is_spec,
    read_bytes,
)
from mimgraph.language.yaml_reader import compose
from mimgraph.source import SourceFile
from mimgraph.support.files import write_whole

MOST_SPECS = 200  # that are listed
LONGEST_PATH = 1_000  # characters
MOST_FILES = 20_000  # that are looked at for the list


class WrongCall(Exception):
    """Raised for an argument that a tool cannot take, with a message for the language model."""


@dataclass(frozen=True)
class Folder:
    """A folder whose specs may be read and, unless it is `read_only`, written.

    It is the working directory, so that names of files in messages are paths from it.
    """

    root: str  # without links
    read_only: bool = False

    def read(self, path: str) -> bytes:
        """Return the bytes of a spec; a `WrongCall` refuses what lies outside or is no spec."""
        place = self.place(path)
        try:
            return read_bytes(place, path)
        except Refused as refused:
            help = f": {unmarked(refused.help)}" if refused.help else ""
            raise WrongCall(f"{refused.message}{help}") from None

    def place(self, path: str) -> Place:
        """Return where a spec and its parts are found; a `WrongCall` refuses a path that a spec may not
        name."""
        if not path.isprintable() or not 0 < len(path) <= LONGEST_PATH:
            raise WrongCall(f"{path[:100]!r} is no path")
        written = PurePath(os.path.normpath(os.path.join(self.root, path)))
        for one in reversed(written.parents):  # the client may know the root by a link to it
            if os.path.realpath(one) == self.root:
                path = str(written.relative_to(one))
                break
        try:
            return first_place(os.path.relpath(allowed_path(self.root, path), self.root))
        except Refused as refused:
            raise WrongCall(refused.message) from None

    def write(self, path: str, text: str) -> None:
        """Write a spec, whole or not at all; only a spec is written, and only over a spec."""
        if self.read_only:
            raise WrongCall("the server was started with --read-only, so it writes no file")
        inside = self.place(path).path
        data = text.encode()
        if len(data) > MAX_BYTES:
            raise WrongCall(f"a spec has at most {MAX_BYTES:,} bytes")
        if not _has_keys_of_spec(text):
            raise WrongCall(
                "only a spec is written: YAML with the keys inputs, nodes, outputs, ..."
            )
        if os.path.lexists(inside) and not self._holds_spec(path):
            raise WrongCall(f"{path!r} holds something else than a spec, so it is not replaced")
        try:
            write_whole(inside, data)
        except OSError as error:
            raise WrongCall(f"{path!r} cannot be written: {error.strerror or error}") from None

    def specs(self) -> tuple[list[str], bool]:
        """Return the paths of the specs, parts included, and whether these are all."""
        found: list[str] = []
        for number, path in enumerate(files_in(".")):
            if number == MOST_FILES or len(found) == MOST_SPECS:
                return sorted(found), False
            if self._holds_spec(path):
                found.append(path)
        return sorted(found), True

    def _holds_spec(self, path: str) -> bool:
        try:
            data = self.read(path)
        except WrongCall:
            return False
        return is_spec(path, data.decode(errors="replace"))


def _has_keys_of_spec(text: str) -> bool:
    """Return whether a text is YAML with the keys of a spec and no others, so that no other program
    takes it for a file of its own."""
    faults: list[object] = []
    root = compose(SourceFile("", text), lambda fault, *_: faults.append(fault))
    if faults or not isinstance(root, tree.Mapping):
        return False
    keys = {key.text for key, _ in root.entries}
    return bool(keys & {"inputs", "nodes", "blocks"}) and keys <= {*PLACES["a spec"]}
