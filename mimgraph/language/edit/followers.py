"""Find the names that change with another one: an output with its node, a carried input with its output."""

from __future__ import annotations

from collections.abc import Iterator

from mimgraph.language.occurrences import Home, Member, Project
from mimgraph.language.scopes import Occurrence, Scope, Symbol, entries, operation
from mimgraph.language.tree import Mapping, Scalar, Sequence, Tree


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
