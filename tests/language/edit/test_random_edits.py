"""Edits one after another mean the same for a text and for its graph, and nothing breaks a rename: random
edits with a fixed seed."""

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
from mimgraph.language.occurrences.project import Home, Project
from mimgraph.language.occurrences.symbols import Symbol
from mimgraph.language.text_edits import edited
from mimgraph.language.yaml_tree.compose import compose
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


def edits(draw: random.Random, graph: mg.Graph, new: str) -> Pair:
    """Return one edit of a text and of its graph."""
    node = draw.choice([*graph.nodes])
    path, given = f"nodes.{node}", draw.choice([*graph.inputs])
    options: dict[str, Any] = draw.choice(
        [{"freeze": True}, {"activation": ...}, {"activation": "GELU"}]
    )
    sizes = [name for name in SIZES if name in graph.nodes[node].options]
    if sizes and draw.random() < 0.5:
        options = {sizes[0]: draw.choice([4, 8, 16])}
    identity = mg.layers.Identity()
    pairs: list[Pair] = [
        (lambda spec: spec.remove(path), lambda graph: graph.remove(node)),
        (lambda spec: spec.rename(path, new), lambda graph: graph.rename(node, new)),
        (
            lambda spec: spec.rename(f"inputs.{given}", new),
            lambda graph: graph.rename(given, new),
        ),
        (
            lambda spec: spec.insert(path, {"layer": "Identity"}, name=new),
            lambda graph: graph.insert(node, identity, name=new),
        ),
        (
            lambda spec: spec.replace(path, {"layer": "Linear", "out_features": 8}),
            lambda graph: graph.replace(node, mg.layers.Linear(8)),
        ),
        (lambda spec: spec.set(path, options), lambda graph: graph.with_options(node, **options)),
    ]
    return draw.choice(pairs)


@pytest.mark.parametrize("path", SLOW_FOR_EACH_SPEC)
def test_edits_in_a_row_give_the_edited_graph(path: Path) -> None:
    draw = random.Random(path.name)
    for _ in range(3):
        spec, graph = SpecEditor(path.read_text()), mg.load(path)
        for step in range(5):
            of_text, of_graph = edits(draw, graph, f"new_{step}")
            try:
                graph = of_graph(graph)
            except mg.SpecError:  # most layers cannot be removed or replaced by any other
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
