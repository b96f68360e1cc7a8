"""Rename a symbol at all its places, over the files of a project, unless that changed what a name means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from mimgraph.diagnostics import Diagnostic, Label, SpecError
from mimgraph.ir.names import NODE_WORDS, input_fault, name_fault, param_fault, port_fault
from mimgraph.language.edit.find_name import fault
from mimgraph.language.edit.followers import followers
from mimgraph.language.edit.split_names import Pair, is_plain, paired, quoted, split
from mimgraph.language.occurrences import Home, Member, Project, find_occurrences
from mimgraph.language.scopes import Occurrence, Symbol, definitions
from mimgraph.language.text_edits import TextEdit, edited
from mimgraph.language.yaml_reader import tree_of
from mimgraph.ops import registry
from mimgraph.source import SourceFile, Span

ONE_SPACE = (  # kinds that may not have the same name in one scope
    frozenset({"input", "node"}),
    frozenset({"param", "size"}),
)


def rename(project: Project, home: Home, new: str) -> list[TextEdit]:
    """Return the edits that give a symbol another name; raise a `SpecError`, at its definition or at the
    name in the way, if it cannot have that one.

    The public name of an output follows its node; so does the port of an `each` that nothing reads in a
    group by name. Other names that a source gives stay: they are written out.
    """
    member = project.member(home.path)
    assert member is not None
    if new == home.symbol.name:
        return []
    targets = [home, *followers(project, home)]
    for one in targets:
        _check_name(project, one, new)
    change = _Renaming(project, targets, new)
    edits = [edit for path, one in change.members().items() for edit in change.edits(path, one)]
    change.check(edits)
    return edits


def _check_name(project: Project, home: Home, new: str) -> None:
    """Raise an error for a name that is bad or taken."""
    symbol, member = home.symbol, project.member(home.path)
    assert member is not None
    places = member.occurrences.of(symbol)
    first = (definitions(places) or places)[0]
    if reason := _reason(symbol, new):
        message = f"{new!r} cannot be the name of {_a(symbol.kind)}"
        raise fault(message, first.span, reason, code="bad-name")
    space = next((one for one in ONE_SPACE if symbol.kind in one), {symbol.kind})
    for kind in sorted(space):
        taken = definitions(member.occurrences.of(symbol._replace(kind=kind, name=new)))  # type: ignore[arg-type]
        if taken:
            where = f" in {symbol.block}" if symbol.block else ""
            message = f"{new} is {_a(kind)}{where} already"
            raise fault(message, taken[0].span, "choose another name", code="duplicate-name")


def _reason(symbol: Symbol, new: str) -> str | None:
    """Return why a symbol cannot have a name; None if it can."""
    match symbol.kind:
        case "input":
            return input_fault(new)
        case "node":
            return name_fault(new)
        case "size":
            return name_fault(new) if new != "N" else "N stands for the batch size"
        case "param" if symbol.block and new in NODE_WORDS:
            return f"nodes have a key {new} of their own"
        case "block" if registry.find("layer", new):
            return f"{new} is a layer"
        case "block":
            return name_fault(new)
        case "port":
            return port_fault(new)
        case "variable" if new == "pi":
            return "in a formula pi is the number"
        case "output" if not (new.isascii() and new.isidentifier()):
            return "a name is letters, digits and underscores, and starts with no digit"
        case "output":
            return None
    return param_fault(new)


@dataclass(eq=False)
class _Renaming:
    """The renaming of some symbols to one name; `expected` counts the symbols that edits add in a file."""

    project: Project
    targets: list[Home]
    new: str
    expected: dict[str, Counter[Symbol]] = field(default_factory=dict)

    def members(self) -> dict[str, Member]:
        """Return the files in which a target stands, by real path."""
        found: dict[str, Member] = {}
        for home in self.targets:
            for path, member in self.project.naming(home):
                found[path] = member
        return found

    def after(self, path: str, symbol: Symbol) -> Symbol:
        """Return a symbol of a file as it is called after the renaming."""
        home = self.project.home(path, symbol) if symbol.part else Home(path, symbol)
        if home is None:
            return symbol
        for target in self.targets:
            old = target.symbol
            if home == target:
                symbol = symbol._replace(name=self.new)
            elif home.path == target.path and old.kind == "block" and symbol.block == old.name:
                symbol = symbol._replace(block=self.new)
            elif (
                home.path == target.path
                and old.kind == "node"
                and (symbol.block, symbol.node) == (old.block, old.name)
            ):
                symbol = symbol._replace(node=self.new)
        return symbol

    def edits(self, path: str, member: Member) -> Iterator[TextEdit]:
        """Yield the edits of a file."""
        expected = self.expected.setdefault(path, Counter())
        lists: dict[Span, list[tuple[Occurrence, Occurrence]]] = {}
        pairs = paired(member.occurrences.all)
        for source, implied in pairs:
            assert source.site is not None
            lists.setdefault(source.site.whole.span, []).append((source, implied))
        done = {one.span for pair in pairs for one in pair}  # the names at sites
        for found in lists.values():
            new = [self._pair(path, source, implied) for source, implied in found]
            if all(map(is_plain, new)):
                sources = [source for source, _ in found if self._is_renamed(path, source)]
                yield from (self._plain(one) for one in sources)
                continue
            for (_, implied), pair in zip(found, new, strict=True):
                if pair.site.key.text == "over" and not is_plain(pair):
                    expected[self.after(path, implied.symbol)] += 1
            new = [one for one in new if one.site.key.text != "over" or not is_plain(one)]
            yield from split(new)
            spans = [pair.site.item.span for pair in new]
            done.update(
                one.span
                for one in member.occurrences.all
                if any(span.contains(one.span) for span in spans)
            )
        for one in member.occurrences.all:
            if one.span not in done and self._is_renamed(path, one):
                yield self._plain(one)

    def _is_renamed(self, path: str, one: Occurrence) -> bool:
        return self.after(path, one.symbol).name != one.symbol.name

    def _plain(self, one: Occurrence) -> TextEdit:
        span, file = one.span, one.span.file
        old = file.line(span.line)[span.column - 1 : span.end_column - 1]
        is_whole = old != one.symbol.name  # in quotes, or with escapes
        return TextEdit(span, quoted(span, self.new) if is_whole else self.new)

    def _pair(self, path: str, source: Occurrence, implied: Occurrence) -> Pair:
        """Return the new texts of a source and of the name that it gave."""
        site = source.site
        assert site is not None
        text = site.item.text
        _, dot, port = text.partition(".")
        name = self.after(path, implied.symbol).name
        if port:
            first, point, rest = port.partition(".")
            port = f"{self._port(path, source, first)}{point}{rest}"
        return Pair(site, name, f"{self.after(path, source.symbol).name}{dot}{port}")

    def _port(self, path: str, source: Occurrence, port: str) -> str:
        """Return the new name of a port that a source in a list reads."""
        member = self.project.member(path)
        assert member is not None
        scopes = member.occurrences.scopes
        scope = scopes.by_block[source.symbol.block]
        symbol = scopes.port(scope, source.symbol.name, port)
        return port if symbol is None else self.after(path, symbol).name

    def check(self, edits: list[TextEdit]) -> None:
        """Raise an error if a name means something else in the new texts."""
        for path, member in self.members().items():
            file = SourceFile(member.file.name, edited(member.file, edits))
            found = find_occurrences(tree_of(file))
            now = Counter(one.symbol for one in found.all)
            then = Counter(self.after(path, one.symbol) for one in member.occurrences.all)
            then += self.expected.get(path, Counter())
            wrong = next(iter((now - then) or (then - now)), None)
            if wrong is not None:
                raise self._captured(member, wrong)

    def _captured(self, member: Member, wrong: Symbol) -> SpecError:
        """Return the error for a name that would mean another symbol."""
        home = self.targets[0]
        own = self.project.member(home.path)
        assert own is not None
        places = definitions(own.occurrences.of(home.symbol)) or own.occurrences.of(home.symbol)
        message = f"as {self.new}, some places of {home.symbol.path} would mean another name"
        other = definitions(member.occurrences.of(wrong)) or definitions(
            one for one in member.occurrences.all if one.symbol.name == self.new
        )
        labels = tuple(Label(one.span, f"{_a(one.symbol.kind)} of this name") for one in other)
        captured = Diagnostic(
            "duplicate-name", message, places[0].span, labels=labels, help="choose another name"
        )
        return SpecError([captured])


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
