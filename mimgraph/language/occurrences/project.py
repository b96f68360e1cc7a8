"""Follow names from a spec into its parts, and into the specs that use it as a part."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import NamedTuple

from mimgraph.language.occurrences.find import find_occurrences
from mimgraph.language.occurrences.symbols import Occurrence, Occurrences, Symbol
from mimgraph.language.parts.part_files import PartFiles, Place, Refused, read_bytes
from mimgraph.language.yaml_tree.compose import tree_of
from mimgraph.language.yaml_tree.tree import Tree
from mimgraph.source import SourceFile

EXPORTED = ("input", "param", "output")  # what the users of a part name
MAX_USERS = 1_000  # specs that are searched for uses of a part


class Member(NamedTuple):
    """A spec of the project, with its names."""

    file: SourceFile
    occurrences: Occurrences


class Home(NamedTuple):
    """A symbol in the spec that declares it, by the spec's real path."""

    path: str
    symbol: Symbol


def project_folder(path: str, roots: Iterable[str]) -> str:
    """Return the folder whose specs may name the one at a real path: the first of `roots` around it, but a
    hidden folder in that is a project of its own; without one, its own folder."""
    folders = PurePath(path).parents
    for root in map(PurePath, map(os.path.realpath, roots)):
        if root in folders:
            return str(next(one for one in folders if one == root or one.name.startswith(".")))
    return os.path.dirname(path)


@dataclass(eq=False)
class Project:
    """The specs of one folder, which know each other by `parts`; `open` are those that an editor holds,
    by real path. What lies outside of the folder is never read."""

    folder: str
    open: dict[str, Member] = field(default_factory=dict)
    listed: Callable[[str], list[str]] | None = (
        None  # the specs in the folder; None: nothing is searched
    )
    read: dict[str, Member | None] = field(default_factory=dict)

    def add(self, path: str, file: SourceFile, tree: Tree | None) -> Member:
        """Add a spec whose text is known, perhaps one that is not saved."""
        found = Member(file, find_occurrences(tree))
        self.open[os.path.realpath(path)] = found
        return found

    def member(self, path: str) -> Member | None:
        """Return the spec at a real path; None if it cannot be read or lies outside."""
        if path in self.open:
            return self.open[path]
        if path not in self.read:
            self.read[path] = self._load(path)
        return self.read[path]

    def home(self, path: str, symbol: Symbol) -> Home | None:
        """Return the symbol where it is declared: in a part, if it belongs to one."""
        if not symbol.part:
            return Home(path, symbol)
        inside = self.part_path(path, symbol.part)
        return None if inside is None else Home(inside, symbol._replace(part=""))

    def part_path(self, path: str, text: str) -> str | None:
        """Return the real path of a part of a spec; None if it may not be one."""
        place = self._place(path)
        try:
            return None if place is None else place.part(text).around[-1]
        except Refused:
            return None

    def places(self, home: Home) -> Iterator[Occurrence]:
        """Yield the occurrences of a symbol in all specs, its own spec first."""
        for path, member in self.naming(home):
            if path == home.path:
                yield from member.occurrences.of(home.symbol)
                continue
            for text in {*member.occurrences.parts.values()}:
                if self.part_path(path, text) == home.path:
                    yield from member.occurrences.of(home.symbol._replace(part=text))

    def naming(self, home: Home) -> Iterator[tuple[str, Member]]:
        """Yield the specs in which a symbol may stand, by real path, its own first."""
        member = self.member(home.path)
        if member is not None:
            yield home.path, member
        if home.symbol.kind in EXPORTED and not home.symbol.block:
            for path, user in self._users(home.path):
                texts = {*user.occurrences.parts.values()}
                if any(self.part_path(path, text) == home.path for text in texts):
                    yield path, user

    def _users(self, path: str) -> Iterator[tuple[str, Member]]:
        """Yield the other specs of the folder that may have this one as a part."""
        known = [*self.open]
        if self.listed is not None:
            known += [os.path.realpath(one) for one in self.listed(self.folder)[:MAX_USERS]]
        for one in dict.fromkeys(known):
            member = self.member(one) if one != path else None
            if member is not None and member.occurrences.parts:
                yield one, member

    def _place(self, path: str) -> Place | None:
        """Return the place of a spec in the folder."""
        root = os.path.realpath(self.folder or ".")
        if not path.startswith(root.rstrip(os.sep) + os.sep):
            return None
        inside = tuple(os.path.relpath(path, root).split(os.sep))
        return Place(PartFiles(root), inside, (path,))

    def _load(self, path: str) -> Member | None:
        place = self._place(path)
        if place is None:
            return None
        try:
            data = read_bytes(place, os.path.basename(path))
        except Refused:
            return None
        file = SourceFile(path, data.decode(errors="surrogateescape"))
        return Member(file, find_occurrences(tree_of(file)))
