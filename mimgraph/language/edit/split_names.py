"""Write a source and the name that it gave apart, where one of the two is renamed: `[a]` as `{a: c}`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mimgraph.language.edit.find_name import fault
from mimgraph.language.scopes import Occurrence, Occurrences, Site
from mimgraph.language.text_edits import TextEdit
from mimgraph.language.tree import Mapping, Scalar, Sequence
from mimgraph.language.yaml_reader import is_json
from mimgraph.source import Span


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
