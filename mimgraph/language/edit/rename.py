"""Rename a symbol at all its places, over the files of a project, unless that changed what a name means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from mimgraph.declare.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.diagnostics import Diagnostic, Label, SpecError
from mimgraph.ir.grammar import NODE_WORDS
from mimgraph.ir.names import input_fault, name_fault, param_fault, port_fault
from mimgraph.language.edit.paths import fault
from mimgraph.language.occurrences import Home, Member, Project, find_occurrences
from mimgraph.language.scopes import (
    Occurrence,
    Occurrences,
    Scope,
    Site,
    Symbol,
    definitions,
    entries,
    operation,
)
from mimgraph.language.text_edits import TextEdit, edited
from mimgraph.language.yaml_reader import is_json, tree_of
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
            return name_fault(new) if new != "N" else "N is the batch size"
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


# Find the names that change with another one: an output with its node, a carried input with its
# output.


def followers(project: Project, home: Home) -> list[Home]:
    """Return the symbols that get the same new name as this one."""
    found: list[Home] = []
    waiting = [home]
    while waiting:
        one = waiting.pop()
        for other in _direct(project, one):
            if other not in (home, *found):
                found.append(other)
                waiting.append(other)
    return found


def _direct(project: Project, home: Home) -> Iterator[Home]:
    member, symbol = project.member(home.path), home.symbol
    if member is None:
        return
    if symbol.kind in ("input", "node"):
        yield from (Home(home.path, one) for one in _given(member, symbol))
    if symbol.kind in ("input", "output") and _is_threaded(project, home):
        other = symbol._replace(kind="output" if symbol.kind == "input" else "input")
        if any(one.defines for one in member.occurrences.of(other)):
            yield Home(home.path, other)


def _given(member: Member, symbol: Symbol) -> Iterator[Symbol]:
    """Yield the outputs and ports that are called after an input or node."""
    found = member.occurrences
    for output in found.of(Symbol("output", symbol.name, symbol.block)):
        if output.site is not None:
            is_whole = output.site.item.text == symbol.name
            if is_whole and (not symbol.block or _is_unread(member, output.symbol)):
                yield output.symbol
        elif output.defines and not symbol.block and _is_from(member, output, symbol.name):
            yield output.symbol
    for source in found.of(symbol):
        if source.site is None or source.site.key.text != "each" or "." in source.site.item.text:
            continue
        for implied in found.all:
            if implied.implied and implied.site == source.site and not _stays(member, implied):
                yield implied.symbol


def _is_unread(member: Member, output: Symbol) -> bool:
    """Return whether no use of a block names this output."""
    return all(one.implied for one in member.occurrences.of(output))


def _is_from(member: Member, output: Occurrence, name: str) -> bool:
    """Return whether an output in a mapping has the whole result of a node: `{score: score}`."""
    for one in member.occurrences.all:
        if one.span[1:3] >= output.span[3:5]:  # the source stands next
            span = one.span
            behind = span.file.line(span.end_line)[span.end_column - 1 : span.end_column]
            return (
                one.symbol.name == name and behind != "." and one.symbol.kind in ("input", "node")
            )
    return False


def _stays(member: Member, port: Occurrence) -> bool:
    """Return whether a port keeps its name: that of a share, or one that a group is read by."""
    symbol, site = port.symbol, port.site
    assert site is not None
    shared = site.around.get("share") is not None
    scope = member.occurrences.scopes.by_block[symbol.block]
    return shared or _is_read_by_name(scope, symbol.node, set())


def _is_read_by_name(scope: Scope, node: str, seen: set[str]) -> bool:
    """Return whether the members of the group `node.*` are arguments of a block, or variables."""
    seen.add(node)
    for name, tree in scope.nodes.items():
        if not isinstance(tree, Mapping) or f"{node}.*" not in _texts(tree):
            continue
        entry = operation(tree)
        if tree.get("each") is not None and (entry is None or entry[0].text != "share"):
            if name not in seen and _is_read_by_name(scope, name, seen):
                return True
        elif entry is not None and (
            entry[0].text in ("block", "scan", "share") or _text(entry[1]) == "formula"
        ):
            return True
    return False


def _texts(node: Mapping) -> list[str]:
    """Return the sources of a node as they are written."""
    found: list[str] = []
    for key in ("from", "each"):
        tree = node.get(key)
        items: tuple[Tree, ...] = tree.items if isinstance(tree, Sequence) else ()
        found += [_text(one) for one in (*items, *(value for _, value in entries(tree)))]
        found.append(_text(tree))
    return found


def _text(tree: Tree | None) -> str:
    return tree.text if isinstance(tree, Scalar) else ""


def _is_threaded(project: Project, home: Home) -> bool:
    """Return whether a use of the block hands an output on to the input of the same name."""
    block = home.symbol.block
    for path, member in project.naming(home):
        scopes = member.occurrences.scopes
        for scope in scopes.by_block.values():
            for node in scope.nodes.values():
                callee = scopes.used_by(node)
                if callee is None or not isinstance(node, Mapping):
                    continue
                target = project.home(path, callee.symbol(home.symbol.kind, home.symbol.name))
                if target is None or target != home or callee.block != block:
                    continue
                carry = node.get("carry")
                if node.get("repeat") is not None:
                    return True
                if isinstance(carry, Mapping) and carry.get(home.symbol.name) is not None:
                    return True
    return False


# Write a source and the name that it gave apart, where one of the two is renamed: `[a]` as `{a:
# c}`.


class Pair(NamedTuple):
    """The new texts at a site: the name that is given, and the source."""

    site: Site
    name: str
    source: str


def split(pairs: list[Pair]) -> Iterator[TextEdit]:
    """Yield the edits that write the sources of one list, or a lone source, behind their names."""
    site = pairs[0].site
    if site.key.text == "over":
        for pair in pairs:
            yield from _scanned(pair)
    elif site.key.text == "outputs":
        for pair in pairs:
            if not is_plain(pair):
                yield TextEdit(pair.site.item.span, f"{{{_entry(pair)}}}")
            elif pair.source != pair.site.item.text:
                yield TextEdit(pair.site.item.span, quoted(pair.site.item.span, pair.source))
    elif isinstance(site.whole, Scalar):
        yield TextEdit(site.whole.span, f"{{{_entry(pairs[0])}}}")
    else:
        assert isinstance(site.whole, Sequence)
        yield from _listed(site.whole, pairs)


def is_plain(pair: Pair) -> bool:
    """Return whether the source alone gives the name."""
    name, _, port = pair.source.partition(".")
    if pair.site.key.text == "each":
        name = port.rpartition(".")[2] or name
    return name == pair.name


def _listed(whole: Sequence, pairs: list[Pair]) -> Iterator[TextEdit]:
    """Yield the edits that make a list a mapping."""
    known = {pair.site.item.span: pair for pair in pairs}
    for one in whole.items:
        if one.span not in known:
            message = "this source has no one name, so the others in the list cannot get names"
            help = "name each source first: {NAME: SOURCE}"
            raise fault(message, one.span, help, "bad-name")
    file, span = whole.span.file, whole.span
    if file.line(span.line)[span.column - 1 :].startswith("["):
        yield TextEdit(Span(file, span.line, span.column, span.line, span.column + 1), "{")
        yield from (TextEdit(pair.site.item.span, _entry(pair)) for pair in pairs)
        end, column = span.end_line, span.end_column
        yield TextEdit(Span(file, end, column - 1, end, column), "}")
        return
    outer = _indent(file.line(pairs[0].site.key.span.line))
    for pair in pairs:
        item = pair.site.item.span
        dash = file.line(item.line).rindex("-", 0, item.column - 1)
        before = "  " if dash <= outer else ""
        yield TextEdit(
            Span(file, item.line, dash + 1, item.end_line, item.end_column), before + _entry(pair)
        )


def _scanned(pair: Pair) -> Iterator[TextEdit]:
    """Yield the edits that give the source of a scanned input in `from`."""
    site = pair.site
    yield TextEdit(site.item.span, quoted(site.item.span, pair.name))
    given = site.around.get("from")
    if given is None:
        key = site.key.span
        line = key.file.line(key.line)
        is_first = not line[: key.column - 1].strip(" -")
        between = f"\n{' ' * (key.column - 1)}" if is_first and not is_json(key.file.text) else ", "
        new = f"{quoted(key, 'from')}: {{{_entry(pair)}}}{between}"
        yield TextEdit(key.start, new)
    elif isinstance(given, Mapping) and given.entries:
        yield TextEdit(given.entries[0][0].span.start, f"{_entry(pair)}, ")
    else:
        message = "the sources in from have no names, so that of over cannot have one"
        help = "name them first: from: {NAME: SOURCE}"
        raise fault(message, given.span, help, "bad-name")


def _entry(pair: Pair) -> str:
    span = pair.site.item.span
    return f"{quoted(span, pair.name)}: {quoted(span, pair.source)}"


def quoted(span: Span, text: str) -> str:
    """Return a name in the quotes in which a text stands, if it has some."""
    quote = span.file.line(span.line)[span.column - 1 : span.column]
    return f"{quote}{text}{quote}" if quote in ('"', "'") else text


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def paired(places: Iterable[Occurrence]) -> list[tuple[Occurrence, Occurrence]]:
    """Return the sources that give a name, each with what has that name."""
    by_item: dict[tuple[Span, str], list[Occurrence]] = {}
    for one in places:
        if one.site is not None:
            by_item.setdefault((one.site.item.span, one.site.key.text), []).append(one)
    found = []
    for several in by_item.values():
        source = next((one for one in several if not one.implied), None)
        implied = next((one for one in several if one.implied), None)
        if source is not None and implied is not None:
            found.append((source, implied))
    return found


def rewired(occurrences: Occurrences, reads: dict[Span, Span], new: str) -> Iterator[TextEdit]:
    """Yield the edits by which sources read another result, and what has a name from them keeps it.

    `reads` has the span of each source by that of its name.
    """
    pairs = paired(occurrences.all)
    lists: dict[Span, list[tuple[Occurrence, Occurrence]]] = {}
    for source, implied in pairs:
        assert source.site is not None
        lists.setdefault(source.site.whole.span, []).append((source, implied))
    done = {source.span for source, _ in pairs}
    for found in lists.values():
        if not any(source.span in reads for source, _ in found):
            continue
        texts = [
            _pair(source, implied, new if source.span in reads else None)
            for source, implied in found
        ]
        if all(map(is_plain, texts)):
            items = [
                one.site.item.span
                for one, (source, _) in zip(texts, found, strict=True)
                if source.span in reads
            ]
            yield from (TextEdit(span, quoted(span, new)) for span in items)
        else:
            yield from split(
                [one for one in texts if one.site.key.text != "over" or not is_plain(one)]
            )
    for name, span in reads.items():
        if name not in done:
            yield TextEdit(span, new)


def _pair(source: Occurrence, implied: Occurrence, new: str | None) -> Pair:
    assert source.site is not None
    return Pair(source.site, implied.symbol.name, source.site.item.text if new is None else new)
