"""Completion lists the names that users need: `dir`, and keys in IPython."""

from __future__ import annotations

import inspect
import pydoc

from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import mimgraph as mg
from mimgraph import layers, merges


@mg.block
def residual(x: mg.Tensor, *, width: int = 3) -> mg.Tensor:
    """Add a layer."""
    return x + layers.Linear(width)(x)


X = mg.Input("x", (4, 3))
LSTM = layers.LSTM(8)(X, name="lstm")
NAMES: dict[str, tuple[object, set[str]]] = {
    "handle": (X, {"dims", "dtype", "is_input", "name", "port", "shape", "type"}),
    "layer": (layers.Linear(3), {"args", "each", "keywords", "op"}),
    "merge": (merges.gated(out_features=3), {"args", "each", "keywords", "op"}),
    "op": (
        layers.Linear,
        {"doc", "example", "family", "inputs", "name", "options", "ports", "summary"},
    ),
    "chain": (mg.Sequential(layers.ReLU()), {"each", "items"}),
    "block": (residual, {"defaults", "doc", "inputs", "name", "optional"}),
    "block with params": (residual(width=8), {"args", "each", "keywords", "scan"}),
}


def test_dir_has_what_users_need() -> None:
    for kind, (made, expected) in NAMES.items():
        assert {*dir(made)} == expected, kind
        assert all(hasattr(made, name) for name in expected), kind


def test_dir_of_a_graph_has_its_methods() -> None:
    names = dir(mg.Graph(LSTM))
    assert {"compile", "nodes", "inputs", "source", "summary", "draw", "replace"} <= {*names}
    assert not {"declared", "typed", "as_layer"} & {*names}


def test_keys_are_completed() -> None:
    shell = InteractiveShell.instance()
    shell.user_ns.update(lstm=LSTM, graph=mg.Graph(LSTM, name="M"))
    for text, expected in {'lstm["la': ['last"]'], 'graph["lst': ['lstm"]']}.items():
        with provisionalcompleter():
            found = [one.text for one in shell.Completer.completions(text, len(text))]
        assert [one.strip('"]') for one in found] == [one.strip('"]') for one in expected]


def test_a_block_has_the_signature_of_its_function() -> None:
    assert [*inspect.signature(residual).parameters] == ["x", "width"]
    shown = pydoc.plain(pydoc.render_doc(residual))
    assert "residual(x: 'mg.Tensor', *, width: 'int' = 3) -> 'mg.Tensor'" in shown
    assert "Add a layer." in shown
