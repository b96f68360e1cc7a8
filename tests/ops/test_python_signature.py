"""`inspect.signature`, `help` and completion show the options of layers and merges."""

from __future__ import annotations

import inspect
import pydoc
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.ops import registry
from mimgraph.ops.op import Op
from mimgraph.ops.python_text import annotation
from tests.helpers.cases import check_each
from tests.ops.layers.test_examples import OPS
from tests.ops.test_python_text import built

COMPLETIONS = {
    "layers.Linea": ["Linear"],
    "layers.Linear(out_f": ["out_features="],
    "layers.Linear(3, activ": ["activation="],
    "layers.Conv2d(3, kernel_size=3, padding_m": ["padding_mode="],
    "merges.gate": ["gated"],
    "merges.gated(out_f": ["out_features="],
    "mg.Sequ": ["Sequential"],
    "mg.Sequential(fre": ["freeze="],
    "mg.Input('x', [3], dt": ["dtype="],
}


def test_the_signature_of_a_layer_has_its_options_and_the_words_of_a_node() -> None:
    assert str(inspect.signature(layers.Linear)) == (
        "(out_features: Size, *, bias: bool = True, "
        "weight_norm: bool | Mapping[str, float] = False, "
        "spectral_norm: bool | Mapping[str, float] = False, in_features: int | None = None, "
        "activation: Activation | None = None, over: int | None = None, "
        "freeze: bool | str = False, lr: float | str | None = None, "
        "weight_decay: float | None = None, lora: Mapping[str, object] | None = None, "
        "take: str | int | None = None) -> LayerCall"
    )


def test_the_signature_of_a_merge_begins_with_its_sources() -> None:
    assert str(inspect.signature(merges.stack)) == (
        "(source: Tensor | Iterable[Tensor], /, *sources: Tensor | Iterable[Tensor], "
        "dim: int = 1, broadcast: bool = False, "
        "activation: Activation | None = None, over: int | None = None, "
        "freeze: bool | str = False, lr: float | str | None = None, "
        "weight_decay: float | None = None, lora: Mapping[str, object] | None = None, "
        "name: str | None = None) -> Tensor"
    )
    assert [*inspect.signature(merges.where).parameters][:3] == ["condition", "input", "other"]
    assert [*inspect.signature(merges.formula).parameters][:2] == ["expr", "sources"]


def with_defaults(op: Op) -> Callable[..., Any]:
    """Return the op as a function that gives every default of its signature."""

    def call(*args: object, **keywords: object) -> Any:
        bound = inspect.signature(op).bind(*args, **keywords)
        bound.apply_defaults()
        return op(*bound.args, **bound.kwargs)  # type: ignore[operator]

    return call


def test_the_defaults_in_a_signature_are_those_of_the_op() -> None:
    def has_its_defaults(op: Op) -> None:
        home = {f"{op.kind}s": SimpleNamespace(**{op.name: with_defaults(op)})}
        assert built(op, {"layers": layers, "merges": merges, **home}) == built(op)

    check_each((op for op in OPS if op.kind != "tensor"), has_its_defaults)


def test_help_shows_the_signature_and_an_example() -> None:
    text = pydoc.plain(pydoc.render_doc(layers.Bilinear))
    # Python 3.13 writes a long signature with an option a line
    assert "Bilinear(out_features:Size,*,bias:bool=True," in re.sub(r"\s", "", text)
    assert "(*, in1_features), (*, in2_features) -> (*, out_features)" in text
    assert "Sources: input1, input2." in text
    assert "y = layers.Bilinear(8)(user, item)" in text


def test_the_docstring_of_an_op_is_computed_when_it_is_read() -> None:
    assert "Example:\n    x = mg.Input" in (layers.Linear.__doc__ or "")
    assert type(layers.Linear).__doc__ == "A layer that Python can call with its options."


def test_the_options_of_a_registered_module_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._OPS, "layer", dict(registry.ops("layer")))
    cpu = torch.device("cpu")

    class Base(torch.nn.Module):
        def __init__(self, size: int, kind=None, device=cpu) -> None:  # type: ignore[no-untyped-def]
            super().__init__()

    class Gate(Base):
        """Multiply by a gate."""

        def __init__(self, hidden: int, rate: float = 0.5, **others: Any) -> None:
            super().__init__(**others)

        def forward(self, x: Any) -> Any:
            return x

    shown = str(inspect.signature(mg.register(Gate, name="ShownGate")))
    assert shown.startswith(
        "(hidden: int, rate: float = 0.5, *, size: int, kind: Any | None = None, "
        "device: Any = device(type='cpu'), activation: "
    )
    assert layers.ShownGate.__doc__ == "Multiply by a gate."  # type: ignore[attr-defined]


def test_an_op_in_a_class_is_not_bound() -> None:
    class Parts:
        head = layers.Linear

    assert Parts().head is Parts.head is layers.Linear


def test_a_union_leaves_out_what_another_type_includes() -> None:
    assert annotation(int | float | None) == "float | None"


@pytest.mark.parametrize("with_jedi", [True, False])
def test_names_and_options_are_completed(with_jedi: bool) -> None:
    shell = InteractiveShell.instance()
    shell.user_ns.update(mg=mg, layers=layers, merges=merges)
    shell.Completer.use_jedi = with_jedi
    for text, expected in COMPLETIONS.items():
        with provisionalcompleter():
            found = [one.text for one in shell.Completer.completions(text, len(text))]
        assert [one.removeprefix(".") for one in found] == expected, text


def test_all_layers_are_attributes() -> None:
    assert {*dir(layers)} == {*registry.names("layer")}
