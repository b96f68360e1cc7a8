"""Find the symbol that a path means: `fc`, `residual.conv`, `params.hidden`."""

from __future__ import annotations

from collections.abc import Iterator

from mimgraph.diagnostics import Diagnostic, Label, SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.nearest import suggestion
from mimgraph.language.occurrences import Home, Project
from mimgraph.language.scopes import Callee, Kind, Scope, Scopes, Symbol, definitions
from mimgraph.source import SourceFile, Span

SECTIONS: dict[str, Kind] = {
    "inputs": "input",
    "nodes": "node",
    "params": "param",
    "outputs": "output",
    "blocks": "block",
    "parts": "block",
}


def find_name(project: Project, path: str, name: str, kind: Kind | None = None) -> Home:
    """Return the symbol that a name means in the spec at a real path; raise a `SpecError` if there is none,
    or if there are several and no `kind` to choose one."""
    member = project.member(path)
    assert member is not None
    found = [*dict.fromkeys(_meant(project, path, name))]
    if kind is not None:
        found = [one for one in found if one.symbol.kind == kind]
    nodes = [one for one in found if one.symbol.kind in ("input", "node")]
    if nodes and kind is None:  # an output of the same name goes with its node
        found = [one for one in found if one.symbol.kind != "output"]
    if len(found) == 1:
        return found[0]
    if not found:
        raise _unknown(member.file, member.occurrences.defined(), name, kind)
    raise _ambiguous(project, found, name)


def _meant(project: Project, path: str, name: str) -> Iterator[Home]:
    """Yield every symbol that a name may mean."""
    member = project.member(path)
    if member is None:
        return
    scopes, defined = member.occurrences.scopes, {*member.occurrences.defined()}
    for symbol in _candidates(scopes, name):
        home = project.home(path, symbol)
        if home is None:
            continue
        there = project.member(home.path)
        if symbol in defined or (there and home.symbol in {*there.occurrences.defined()}):
            yield home


def _candidates(scopes: Scopes, name: str) -> Iterator[Symbol]:
    """Yield symbols that a name may mean, whether they exist or not."""
    first, _, rest = name.partition(".")
    whole = scopes.by_block[""]
    yield from _inside(scopes, whole, name)
    if first == "blocks" and rest:
        yield Symbol("block", rest)
        first, _, rest = rest.partition(".")
    elif first in SECTIONS and rest:
        yield from (one for one in _inside(scopes, whole, rest) if one.kind == SECTIONS[first])
        return
    if rest and first in scopes.by_block:
        scope = scopes.by_block[first]
        section, _, inner = rest.partition(".")
        yield from _inside(scopes, scope, rest)
        if section in SECTIONS and inner:
            found = _inside(scopes, scope, inner)
            yield from (one for one in found if one.kind == SECTIONS[section])
    elif rest and first in scopes.parts:
        yield from _of_callee(Callee("", scopes.parts[first]), rest)


def _inside(scopes: Scopes, scope: Scope, name: str) -> Iterator[Symbol]:
    """Yield the symbols of a name in a scope: its own, or those in the block that a node uses."""
    first, _, rest = name.partition(".")
    if not rest:
        for kind in ("input", "node", "param", "size", "output"):
            yield Symbol(kind, name, scope.block)
        if not scope.block:
            yield Symbol("block", name)
    elif first in scope.nodes:
        yield Symbol("port", rest, scope.block, first)
        yield Symbol("variable", rest, scope.block, first)
        callee = scopes.used_by(scope.nodes[first])
        inner = None if callee is None or callee.part else scopes.by_block.get(callee.block)
        if callee is not None and callee.part:
            yield from _of_callee(callee, rest)
        elif inner is not None and inner is not scope:
            yield from _inside(scopes, inner, rest)


def _of_callee(callee: Callee, name: str) -> Iterator[Symbol]:
    """Yield what a part may declare under a name."""
    for kind in ("input", "node", "param", "size", "output"):
        yield callee.symbol(kind, name)


def _unknown(file: SourceFile, known: Iterator[Symbol], name: str, kind: Kind | None) -> SpecError:
    what = kind or "name"
    paths = {one.path for one in known if kind in (None, one.kind)}
    help = suggestion(name, sorted(paths), "known here")
    return fault(f"there is no {what} {name!r}", file.start, help)


def _ambiguous(project: Project, found: list[Home], name: str) -> SpecError:
    """Return the error for a name of several things, with a label at each."""
    kinds = [f"a{'n' * (one.symbol.kind[0] in 'aeiou')} {one.symbol.kind}" for one in found]
    places = []
    for home, kind in zip(found, kinds, strict=True):
        member = project.member(home.path)
        assert member is not None
        places += [Label(one.span, kind) for one in definitions(member.occurrences.of(home.symbol))]
    sections = (key for key, kind in SECTIONS.items() if kind == found[0].symbol.kind)
    section = next(sections, found[0].symbol.kind)
    help = f"give its kind, or its section: {section}.{name}"
    message = f"{name} is {' and '.join(kinds)}"
    found_several = Diagnostic(
        "duplicate-name", message, places[0].span, kinds[0], tuple(places[1:]), help=help
    )
    return SpecError([found_several])


def fault(
    message: str, span: Span, help: str = "", code: DiagnosticCode = "unknown-source"
) -> SpecError:
    """Return the error of an edit that cannot be made, at a place in the spec."""
    return SpecError([Diagnostic(code, message, span, help=help)])
