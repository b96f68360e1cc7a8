"""Take out of a help what it says to write: names, values, nodes and entries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from mimgraph.language.yaml_tree.compose import tree_of
from mimgraph.language.yaml_tree.tree import Mapping, plain
from mimgraph.source import SourceFile

MEANT = re.compile(r"did you mean (.+)\?")
WRITE = re.compile(r"(?:^|: |; |, )(?:write|choose|make it|use) (.+)")
QUOTE = re.compile(r"quote it: (\".*\")")
LISTED = re.compile(
    r"(?:known here|ports?|names?|choices|outputs|inputs|sources|one of)\b[^:]*: (.+)"
)
ENDS = (" for ", " where ", ", if ", ", or ", "; ", " without ", " or ", " if ")
ENTRY = re.compile(r"\b([a-z_]+): (\[[^\]{}]*\]|\{[^{}]*\}|[A-Za-z0-9_.$-]+)")
CHOICES = re.compile(r"must be ('\w+'(?:(?: or |, )'\w+')*)")
PROSE = re.compile(
    r"\b(it|the|a|its|each|name|where|with|in|for)\b (?!=)|\b(it|them|NAME|PORT)\b|\.\.\."
)
MOST_LISTED = 4


class Written(NamedTuple):
    """A node as a help writes it: its `data`, and where its text stands in the help."""

    data: dict[str, Any]
    start: int
    end: int


def meant(help: str) -> Iterator[str]:
    """Yield the names that a help supposes."""
    if (match := MEANT.search(help)) is not None:
        yield from (name.strip() for name in match[1].split(" or "))


def quoted(help: str) -> Iterator[str]:
    """Yield the quoted text that a help says to write."""
    if (match := QUOTE.search(help)) is not None:
        yield match[1]


def values(help: str) -> Iterator[str]:
    """Yield the texts that a help may say to write in place of the marked text, the longest first."""
    if (match := WRITE.search(help)) is None:
        return
    text = match[1]
    found = [text, *(text[: text.index(end)] for end in ENDS if end in text)]
    texts = {one.rstrip(",;") for one in found}
    yield from sorted((one for one in texts if not PROSE.search(one)), key=len, reverse=True)


def listed(help: str) -> Iterator[str]:
    """Yield the names that a help lists as possible, if they are few."""
    if (match := LISTED.search(help)) is not None:
        names = match[1].partition(";")[0].split(", ")
        if len(names) <= MOST_LISTED:
            yield from (name.strip() for name in names if name.strip())


def choices(message: str) -> Iterator[str]:
    """Yield the texts that a message says a value must be, if they are few: `must be 'a' or 'b'`."""
    if (match := CHOICES.search(message)) is not None:
        yield from re.findall(r"'([^']*)'", match[1])[:MOST_LISTED]


def nodes(help: str) -> Iterator[Written]:
    """Yield the nodes that a help writes in full: `{layer: Flatten, from: x}`."""
    for match in re.finditer(r"\{(?:layer|merge): ", help):
        end = _closing(help, match.start())
        text = help[match.start() : end]
        if "..." in text or not end:
            continue
        tree = tree_of(SourceFile("help", text))
        if isinstance(tree, Mapping):
            data = plain(tree)
            if isinstance(data.get("from"), str):
                yield Written(data, match.start(), end)


def mappings(help: str) -> Iterator[dict[str, Any]]:
    """Yield the mappings that a help says to write, also those that go on: `{layer: Upsample, ...}`."""
    for match in re.finditer(r"(?:write|inside:) (?:\w+: )?(?=\{)", help):
        text = help[match.end() : _closing(help, match.end())]
        tree = tree_of(SourceFile("help", text.replace(", ...", "")))
        if isinstance(tree, Mapping) and tree.entries and "..." not in text.replace(", ...}", "}"):
            yield plain(tree)


def entries(help: str) -> Iterator[tuple[str, Any]]:
    """Yield the entries that a help writes outside nodes: `broadcast: true`."""
    for match in ENTRY.finditer(_without_nodes(help)):
        tree = tree_of(SourceFile("help", match[0]))
        if isinstance(tree, Mapping) and "..." not in match[0]:
            yield from plain(tree).items()


def _without_nodes(help: str) -> str:
    """Return a help without what stands in braces behind no key."""
    kept, at = "", 0
    for match in re.finditer(r"(?<!\w: )\{", help):
        if match.start() >= at:
            kept += help[at : match.start()]
            at = _closing(help, match.start()) or len(help)
    return kept + help[at:]


def _closing(text: str, start: int) -> int:
    """Return the end of the text that a brace begins; 0 if it is not closed."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if not depth:
            return at + 1
    return 0
