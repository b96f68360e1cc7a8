"""An unknown keyword of any public call suggests the one that was probably meant."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import mimgraph as mg
from mimgraph import layers, merges

X, Y = mg.Input("x", (5,)), mg.Input("y", (5,))
GRAPH = mg.Graph(layers.Linear(5)(X, name="fc"))


@mg.block
def part(x: mg.Tensor, *, width: int = 4) -> mg.Tensor:
    return layers.Linear(width)(x, name="fc")


CALLS: list[tuple[Callable[[], object], str]] = [
    (lambda: layers.Linear(4, nam="fc")(X), 'layers.Linear(...)(x, name="fc")'),
    (lambda: layers.Linear(4, name="fc")(X), 'layers.Linear(...)(x, name="fc")'),
    (lambda: layers.Linear(4)(X, nam="fc"), "did you mean name?"),
    (lambda: layers.Linear(4)(X, bia=False), "the option bias stands in the call before"),
    (lambda: layers.Linear(4, bia=False)(X), "did you mean bias?"),
    (lambda: layers.Linear(4, freze=True)(X), "did you mean freeze?"),
    (lambda: layers.Linear(4).each(X, Y, nam="e"), "did you mean name?"),
    (lambda: layers.Linear(4).each(X, tims=3), "did you mean times?"),
    (lambda: layers.Linear(4).each(X, Y, sharde=True), "did you mean shared?"),
    (lambda: merges.add(X, Y, nam="a"), 'did you mean name? merges.add(..., name="a")'),
    (lambda: merges.add(nam="a")(X, Y), 'did you mean name? merges.add(..., name="a")'),
    (lambda: merges.concat()(X, Y, nam="c"), "did you mean name?"),
    (lambda: merges.concat(X, Y, dm=1), "did you mean dim?"),
    (lambda: merges.formula("a + b", a=X, b=Y, nam="f"), "did you mean name?"),
    (lambda: part(X, nam="p"), "did you mean name?"),
    (lambda: part(X, widt=8), "did you mean width?"),
    (lambda: part(widt=8)(X), "did you mean width?"),
    (lambda: part(X, repat=2), "did you mean repeat?"),
    (lambda: part().scan(X, ovr=1), "did you mean over?"),
    (lambda: GRAPH(Y, nam="g"), "did you mean name?"),
    (lambda: GRAPH(frezee=True)(Y), "did you mean freeze?"),
    (lambda: mg.Sequential(layers.ReLU())(X, nam="s"), "did you mean name?"),
    (lambda: mg.Sequential(layers.ReLU(), freez=True), "Did you mean 'freeze'?"),
    (lambda: mg.Input("x", (5,), vocabulary=4), "Did you mean 'vocab'?"),
    (lambda: mg.Graph(X, nam="m"), "Did you mean 'name'?"),
    (lambda: mg.Model(inputs=X, output=X), "Did you mean 'outputs'?"),
    (lambda: GRAPH.draw("x.svg", them="dark"), "Did you mean 'theme'?"),
    (lambda: GRAPH.insert("fc", layers.ReLU(), nam="r"), "Did you mean 'name'?"),
    (lambda: mg.loads("", param={}), "Did you mean 'params'?"),
]


@pytest.mark.parametrize(("call", "suggestion"), CALLS)
def test_an_unknown_keyword_suggests_the_right_one(
    call: Callable[[], object], suggestion: str
) -> None:
    with pytest.raises((TypeError, mg.SpecError)) as caught:
        call()
    error = caught.value
    # the text of a diagnostic shows the lines of this file
    said = error.diagnostics[0].help if isinstance(error, mg.SpecError) else str(error)
    assert suggestion in said


def test_a_keyword_like_no_other_is_named_as_it_is() -> None:
    with pytest.raises(TypeError, match=r"keyword argument 'zzz'$"):
        mg.Input("x", (5,), zzz=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"concat\(\) is called on tensors of a graph.*, not on 3"):
        merges.concat()(X, zzz=3)  # type: ignore[arg-type]
