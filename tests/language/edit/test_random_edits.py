"""Edits mean the same for a text and for its graph, also one after another, and nothing breaks a rename:
random edits have a fixed seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mimgraph as mg
from mimgraph.diagnostics import Report
from mimgraph.language.edit.rename import rename
from mimgraph.language.edit.spec_editor import SpecEditor
from mimgraph.language.occurrences import Home, Project
from mimgraph.language.scopes import Symbol
from mimgraph.language.text_edits import edited
from mimgraph.language.yaml_reader import compose
from mimgraph.source import SourceFile
from tests.conftest import SPECS
from tests.helpers.cases import SLOW_FOR_EACH_SPEC

PATH = "/nowhere/spec.yaml"
SIZES = ("out_features", "hidden_size", "out_channels", "embedding_dim")

Pair = tuple[Callable[[SpecEditor], None], Callable[[mg.Graph], mg.Graph]]


def renamed(text: str, symbol: Symbol, new: str) -> str:
    """Return a text, which may be wrong, with another name for a symbol."""
    file, project = SourceFile(PATH, text), Project("/nowhere")
    project.add(PATH, file, compose(file, Report().add))
    return edited(file, rename(project, Home(PATH, symbol), new))


def symbols(text: str) -> list[Symbol]:
    file, project = SourceFile(PATH, text), Project("/nowhere")
    return [*project.add(PATH, file, compose(file, Report().add)).occurrences.defined()]


def edits(node: str, given: str, options: dict[str, Any], new: str) -> dict[str, Pair]:
    """Return edits of a node and of an input, each for a text and for its graph, by what they do."""
    path, identity, linear = f"nodes.{node}", mg.layers.Identity(), mg.layers.Linear(8)
    plain, wide = {"layer": "Identity"}, {"layer": "Linear", "out_features": 8}
    return {
        "remove": (lambda s: s.remove(path), lambda g: g.remove(node)),
        "rename": (lambda s: s.rename(path, new), lambda g: g.rename(node, new)),
        "rename an input": (
            lambda s: s.rename(f"inputs.{given}", new),
            lambda g: g.rename(given, new),
        ),
        "insert": (
            lambda s: s.insert(path, plain, name=new),
            lambda g: g.insert(node, identity, name=new),
        ),
        "replace": (lambda s: s.replace(path, plain), lambda g: g.replace(node, identity)),
        "replace by a layer with options": (
            lambda s: s.replace(path, wide),
            lambda g: g.replace(node, linear),
        ),
        "set": (lambda s: s.set(path, options), lambda g: g.with_options(node, **options)),
    }


def comments(text: str) -> list[str]:
    return [line.partition("# ")[2] for line in text.splitlines() if "# " in line]


@pytest.mark.parametrize("path", SLOW_FOR_EACH_SPEC)
def test_an_edited_text_is_the_edited_graph(path: Path) -> None:
    text = path.read_text()
    graph = mg.loads(text)
    given = next(iter(graph.inputs))
    for node in graph.nodes:
        for what, (of_text, of_graph) in edits(node, given, {"freeze": True}, "new_one").items():
            spec = SpecEditor(text)
            try:
                expected = of_graph(graph)
            except mg.SpecError:  # most layers cannot be removed or replaced by any other
                continue
            of_text(spec)
            assert mg.loads(spec.text) == expected, (what, node)
            if what in ("set", "insert"):
                assert comments(spec.text) == comments(text), (what, node)


def drawn(draw: random.Random, graph: mg.Graph, new: str) -> Pair:
    """Return a random edit."""
    node, given = draw.choice([*graph.nodes]), draw.choice([*graph.inputs])
    options: dict[str, Any] = draw.choice(
        [{"freeze": True}, {"activation": ...}, {"activation": "GELU"}]
    )
    sizes = [name for name in SIZES if name in graph.nodes[node].options]
    if sizes and draw.random() < 0.5:
        options = {sizes[0]: draw.choice([4, 8, 16])}
    return draw.choice([*edits(node, given, options, new).values()])


@pytest.mark.parametrize("path", SLOW_FOR_EACH_SPEC)
def test_edits_in_a_row_give_the_edited_graph(path: Path) -> None:
    draw = random.Random(path.name)
    for _ in range(3):
        spec, graph = SpecEditor(path.read_text()), mg.load(path)
        for step in range(5):
            of_text, of_graph = drawn(draw, graph, f"new_{step}")
            try:
                graph = of_graph(graph)
            except mg.SpecError:
                continue
            of_text(spec)
            assert mg.loads(spec.text) == graph, spec.text


@pytest.mark.parametrize("path", SLOW_FOR_EACH_SPEC)
def test_a_name_that_is_renamed_and_back_gives_the_same_graph(path: Path) -> None:
    text, draw = path.read_text(), random.Random(path.name)
    graph, refused = mg.loads(text), 0
    found = draw.sample(known := symbols(text), min(10, len(known)))
    for symbol in found:
        try:
            after = renamed(text, symbol, f"{symbol.name}_x")
        except mg.SpecError:  # a port in a list beside a group
            refused += 1
            continue
        assert mg.loads(after)
        back = renamed(after, symbol._replace(name=f"{symbol.name}_x"), symbol.name)
        assert mg.loads(back) == graph, symbol
    assert refused <= 2


def test_a_rename_in_an_unfinished_text_never_fails_otherwise() -> None:
    draw = random.Random(7)
    texts = [path.read_text() for path in SPECS if path.stat().st_size < 1500]
    done = 0
    for _ in range(60):
        text = draw.choice(texts)
        at, count = draw.randrange(len(text)), draw.randrange(20)
        text = draw.choice([text[:at], text[:at] + text[at + count :], text[:at] + "{" + text[at:]])
        for symbol in draw.sample(known := symbols(text), min(3, len(known))):
            try:
                done += renamed(text, symbol, draw.choice(["q", "x", "lambda"])) != text
            except mg.SpecError as error:
                assert error.diagnostics[0].code in ("bad-name", "duplicate-name")
    assert done > 30
