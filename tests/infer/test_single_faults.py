"""One fault anywhere in a spec of the gallery gives one diagnostic, and its consequences give
none."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mimgraph.declare.tree import Mapping, Scalar, Tree
from mimgraph.diagnostics import Report
from mimgraph.language.yaml_reader import compose
from mimgraph.source import SourceFile
from tests.conftest import SPECS, sampled
from tests.helpers.marked import locations

PACKAGE = "torchvision"  # of layers that specs of the gallery use

# changes of `key: value`, or of an item of a list, which has no key
Change = Callable[[str, str], str]
FAULTS: dict[str, tuple[str, Change]] = {
    "a template": ("yaml-subset", lambda key, value: f"{key}{{{{ x.y }}}}"),
    "a tag": ("yaml-subset", lambda key, value: f"{key}!tag {value}"),
    "an anchor": ("yaml-subset", lambda key, value: f"{key}&anchor {value}"),
    "an alias": ("yaml-subset", lambda key, value: f"{key}*anchor"),
    "an ambiguous word": ("ambiguous-scalar", lambda key, value: f"{key}on"),
    "twice": ("duplicate-key", lambda key, value: f"{key}{value}, {key}{value}"),
    "twice, with another value": (
        "duplicate-key",
        lambda key, value: f"{key}[1], {key}{value}",
    ),
}


def parse(path: Path) -> Tree:
    report = Report()
    tree = compose(SourceFile(path.name, path.read_text()), report.add)
    assert tree is not None and not report.diagnostics
    return tree


def write(tree: Tree, place: int, change: Change) -> str:
    """Return the tree in flow style, changed at one place: 0 is the whole, the others follow in order."""
    number = itertools.count()

    def written(tree: Tree, key: str = "") -> str:
        here = next(number)
        if isinstance(tree, Scalar):
            text = json.dumps(tree.text) if isinstance(tree.value, str) else tree.text
        elif isinstance(tree, Mapping):
            text = (
                "{"
                + ", ".join(written(v, f"{json.dumps(k.text)}: ") for k, v in tree.entries)
                + "}"
            )
        else:
            text = "[" + ", ".join(map(written, tree.items)) + "]"
        return change(key, text) if here == place else f"{key}{text}"

    return written(tree)


def places(tree: Tree, is_item: bool = False) -> Iterator[bool]:
    """Return for each place in order whether it is an item of a list."""
    yield is_item
    if isinstance(tree, Mapping):
        for _, value in tree.entries:
            yield from places(value)
    elif not isinstance(tree, Scalar):
        for item in tree.items:
            yield from places(item, is_item=True)


def wrong_diagnostics(path: Path, every: int) -> list[tuple[str, str]]:
    """Return each text of a spec with one fault that has other diagnostics than that fault; of the
    places one in `every` is tried, and each spec and fault has its own choice."""
    tree, wrong = parse(path), []
    for index, (code, change) in enumerate(FAULTS.values(), SPECS.index(path)):
        first = 1 + index % every
        for place, is_item in itertools.islice(enumerate(places(tree)), first, None, every):
            if not (is_item and code == "duplicate-key"):
                text = write(tree, place, change)
                if [one.partition(" ")[0] for one in locations(text, PACKAGE)] != [code]:
                    wrong.append((code, text))
    return wrong


@pytest.mark.parametrize("path", sampled(SPECS, 20), ids=lambda path: path.stem)
def test_one_fault_gives_one_diagnostic(path: Path) -> None:
    wrong = wrong_diagnostics(path, 127)
    assert not wrong, wrong


@pytest.mark.nightly
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_one_fault_at_more_places_gives_one_diagnostic(path: Path) -> None:
    wrong = wrong_diagnostics(path, 7)
    assert not wrong, wrong


def test_no_fault_gives_none(spec: Path) -> None:
    assert locations(write(parse(spec), -1, lambda key, value: ""), PACKAGE) == []
