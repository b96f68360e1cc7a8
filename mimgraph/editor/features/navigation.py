"""Answer where a name is defined and used, in the spec, its parts and the specs that it is a part of."""

from __future__ import annotations

from mimgraph.language.occurrences import Home, Member, Project
from mimgraph.language.scopes import Occurrence, definitions
from mimgraph.source import Span


def definition(project: Project, path: str, line: int, column: int) -> list[Span]:
    """Return where the name at a place is defined; for a part in `parts`, the start of its file."""
    member = project.member(path)
    if member is None:
        return []
    found: list[Span] = []
    for one in _named_at(member, line, column):
        text = member.occurrences.parts.get(one.symbol.name, "")
        if one.symbol.kind == "block" and text and one.defines:
            found += _start(project, path, text)
            continue
        home = project.home(path, one.symbol)
        there = None if home is None else project.member(home.path)
        if home is not None and there is not None:
            places = definitions(there.occurrences.of(home.symbol))
            found += [place.span for place in places]
    if not found:
        found = _start(project, path, _part_at(member, line, column))
    return [*dict.fromkeys(found)]


def references(
    project: Project, path: str, line: int, column: int, with_definition: bool = True
) -> list[Occurrence]:
    """Return the places of the name at a place, in all specs."""
    home = home_at(project, path, line, column)
    places = [] if home is None else [*project.places(home)]
    return [one for one in places if with_definition or not one.defines or one.implied]


def highlights(member: Member, line: int, column: int) -> list[Occurrence]:
    """Return the places in the same spec of the names at a place."""
    symbols = {one.symbol for one in _named_at(member, line, column)}
    return [one for one in member.occurrences.all if one.symbol in symbols]


def home_at(project: Project, path: str, line: int, column: int) -> Home | None:
    """Return the symbol that is named at a place; None if there is no name."""
    found = name_at(project, path, line, column)
    return None if found is None else project.home(path, found.symbol)


def name_at(project: Project, path: str, line: int, column: int) -> Occurrence | None:
    """Return the name at a place; None if there is none."""
    member = project.member(path)
    found = [] if member is None else _named_at(member, line, column)
    return found[0] if found else None


def _named_at(member: Member, line: int, column: int) -> list[Occurrence]:
    """Return the occurrences at a place; implied ones only where there are no others."""
    found = member.occurrences.at(line, column)
    return [one for one in found if not one.implied] or found


def _part_at(member: Member, line: int, column: int) -> str:
    """Return the path of a part if the place is in it."""
    text = member.file.line(line)
    for path in member.occurrences.parts.values():
        at = text.find(path)
        if 0 <= at < column <= at + len(path) + 1:
            return path
    return ""


def _start(project: Project, path: str, text: str) -> list[Span]:
    """Return the start of a part's file."""
    inside = project.part_path(path, text) if text else None
    member = None if inside is None else project.member(inside)
    return [] if member is None else [member.file.start]
