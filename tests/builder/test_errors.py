"""Wrong calls in Python raise an error at their line, with the help."""

from __future__ import annotations

import inspect
import linecache
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy
import pytest
from ipykernel.compiler import XCachingCompiler
from IPython.core.compilerop import CachingCompiler

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.support.entry_point import entry_point
from tests.helpers.handles import cell, image, numeric, residual, text


def outside() -> Any:
    y = layers.Linear(8)(numeric())

    @mg.block
    def captures(x: mg.Tensor) -> mg.Tensor:
        return merges.add(x, y)  # here

    return captures()(numeric())


def leaked() -> Any:
    kept = []

    @mg.block
    def keeps(x: mg.Tensor) -> mg.Tensor:
        kept.append(layers.ReLU()(x))
        return kept[0]

    keeps()(numeric())
    return layers.ReLU()(kept[0])  # here


def in_a_body() -> Any:
    @mg.block
    def wrong(x: mg.Tensor) -> mg.Tensor:
        return layers.Conv2d(4, 3)(x)  # here

    return wrong()(numeric())


def shrinking() -> Any:
    @mg.block
    def halves(x: mg.Tensor) -> mg.Tensor:
        return layers.Linear(4)(x) if x.dims[0] > 4 else x

    return halves(repeat=2)(numeric())  # here


def too_large_an_option() -> Any:
    return layers.Linear(10**5000)(numeric())  # here


def too_large_a_number_in_a_formula() -> Any:
    return merges.formula("x / n", x=numeric(), n=-(10**400))  # here


def shared_with_another_size() -> Any:
    encode = layers.Linear(4)
    encode(numeric(), name="first")
    return encode(mg.Input("wide", (9,)))  # here


def duplicate() -> Any:
    a = layers.Linear(8)(numeric(), name="a")
    b = layers.Linear(8)(a, name="a")  # here
    return mg.Graph(b)


def weights_twice() -> Any:
    once = layers.Linear(8)
    once(numeric())
    return mg.Sequential(once)(numeric())  # here


FAULTS: list[tuple[str, Callable[[], Any], str]] = [
    ("bad-name", lambda: mg.Input("a b", (3,)), "'a b' cannot be a name"),
    ("bad-name", lambda: mg.Input("a", ("N",)), "'N' cannot name a size"),
    ("bad-name", lambda: mg.Input("a", ("$k*H",)), 'into the text: f"{k}*H"'),
    ("bad-expression", lambda: mg.Input("a", ("H*W",)), "'H*W' cannot be a size: a size has one"),
    ("bad-expression", lambda: mg.Input("a", ("H//2",)), "'H//2' cannot be a size"),
    ("bad-option", lambda: mg.Input("a", ("T - 1",)), "the size is 0 where T is 1"),
    ("bad-name", lambda: layers.ReLU()(numeric(), name="forward"), "'forward' cannot be a name"),
    ("bad-option", lambda: mg.Input("a", (0,)), "a size is a name or an integer"),
    ("bad-option", lambda: mg.Input("a", (1,), dtype="float"), "no dtype is called 'float'"),
    ("bad-option", lambda: mg.Input("a", vocab=0), "vocab is a number of categories"),
    ("wrong-type", lambda: mg.Input("a", (2, None)), 'name an axis of any length, such as "T"'),  # type: ignore[arg-type]
    ("wrong-type", lambda: mg.Input("a", (None, 8, 8, 3)), "put the channels first: [3, 8, 8]"),  # type: ignore[arg-type]
    ("bad-option", lambda: mg.Input("a", (-1, 5)), "leave the batch out: [5]"),
    ("bad-name", lambda: mg.Input("a", ("N", 5)), "leave the batch out: [5]"),
    ("bad-option", lambda: mg.Input("a", (5,), "int"), "did you mean int64?"),
    ("wrong-type", lambda: mg.Input("a", 5), "one axis of 5 is (5,)"),  # type: ignore[arg-type]
    ("wrong-type", lambda: mg.Input("a", (2.5,)), "a size is an integer or a name"),  # type: ignore[arg-type]
    ("missing-key", lambda: mg.Input("a"), "a needs a shape"),
    ("unknown-option", lambda: layers.Linear(3, bais=True)(numeric()), "no option 'bais'"),
    ("missing-option", lambda: layers.Linear()(numeric()), "Linear needs out_features"),
    ("bad-option", lambda: layers.Linear("3")(numeric()), "out_features of Linear"),
    ("bad-option", lambda: layers.Reshape([numpy.ones(2), -1])(numeric()), "shape of Reshape"),
    ("wrong-type", lambda: layers.BatchNorm2d(3)(image()), "takes its options by name"),
    ("wrong-type", lambda: layers.Linear(3, True, 4)(numeric()), "1 option by position, not 3"),  # type: ignore[call-arg, arg-type]
    ("duplicate-key", lambda: layers.Linear(3, out_features=3)(numeric()), "given twice"),
    ("wrong-arity", lambda: layers.Linear(3)(numeric(), numeric()), "takes 1 source, not 2"),
    ("rank-mismatch", lambda: layers.Conv2d(4, 3)(numeric()), "Conv2d takes (N, C, H, W)"),
    ("shape-mismatch", lambda: merges.add(numeric(), layers.Linear(4)(numeric())), "equal shapes"),
    ("unknown-port", lambda: layers.LSTM(4)(text())["lst"], "lstm has no port 'lst'"),
    ("unknown-port", lambda: layers.ReLU()(cell(4)(numeric(), numeric())), "several results"),
    ("unknown-key", lambda: cell(4)(numeric(), y=numeric()), "takes no source 'y'"),
    ("missing-option", lambda: cell()(numeric(), numeric()), "cell needs width"),
    ("unknown-option", lambda: cell(depth=4)(numeric(), numeric()), "no option 'depth'"),
    ("missing-key", lambda: mg.Graph([]), "outputs is missing"),
    ("bad-name", lambda: mg.Graph({"a b": numeric()}), "'a b' cannot be an output's name"),
    ("wrong-type", lambda: mg.Graph([text(), layers.LSTM(4)(text())["last"]]), "needs a name"),
    ("duplicate-name", duplicate, "two inputs or nodes are called a"),
    ("unknown-source", outside, "linear was made outside the block captures"),
    ("unknown-source", leaked, "relu was made inside the block keeps"),
    ("rank-mismatch", in_a_body, "Conv2d takes (N, C, H, W)"),
    ("bad-option", shrinking, "declares another graph at time 2"),
    ("shape-mismatch", shared_with_another_size, "first is shared, so its input must be (N, 8)"),
    ("too-large", too_large_an_option, "a number of more than 64 bits"),
    ("too-large", too_large_a_number_in_a_formula, "a number of more than 64 bits"),
    ("bad-option", weights_twice, "Linear(8) is used already"),
]


@pytest.mark.parametrize(
    ("code", "call", "message"), FAULTS, ids=[f"{r[0]}:{r[2]}" for r in FAULTS]
)
def test_a_wrong_call_raises_at_its_line(code: str, call: Callable[[], Any], message: str) -> None:
    with pytest.raises(mg.SpecError, match=re.escape(message)) as caught:
        call()
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.file.name) == (code, __file__)
    marked = [n for n in range(1, 1000) if found.span.file.line(n).endswith("# here")]
    lines = range(call.__code__.co_firstlineno, found.span.line + 1)
    assert found.span.line in marked or not set(marked) & set(lines)


def test_the_error_has_the_columns_of_the_call_in_characters() -> None:
    with pytest.raises(mg.SpecError) as caught:
        len(["äöü", layers.Linear(3)(image(), image())])
    span = caught.value.diagnostics[0].span
    line = span.file.line(span.line)
    assert line[span.column - 1 : span.end_column - 1] == "layers.Linear(3)(image(), image())"


def test_an_error_in_a_block_shows_where_the_block_is_used() -> None:
    with pytest.raises(mg.SpecError, match="used here as wrong"):
        in_a_body()


NO_SPEC: list[tuple[str, Callable[[], Any]]] = [
    ("a number for a tensor", lambda: layers.ReLU()(5)),
    ("a number beside a tensor", lambda: merges.add(numeric(), 5)),
    ("a layer without its options in a row", lambda: mg.Sequential(layers.ReLU)),  # type: ignore[arg-type]
    ("a list in a row", lambda: mg.Sequential([layers.ReLU()])),  # type: ignore[arg-type]
    ("a port of a port", lambda: layers.LSTM(4)(text())["last"]["last"]),
    ("a block without inputs", lambda: mg.block(lambda: None)),
    ("an input with a default", lambda: mg.block(lambda x=1: x)),
    ("a number as output", lambda: mg.Graph([3])),  # type: ignore[list-item]
    ("an output of a number", lambda: mg.Output(3)),  # type: ignore[arg-type]
    ("a doc that is no text", lambda: mg.Output(numeric(), doc=3)),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("call", [r[1] for r in NO_SPEC], ids=[r[0] for r in NO_SPEC])
def test_an_argument_of_a_wrong_type_is_a_type_error(call: Callable[[], Any]) -> None:
    with pytest.raises(TypeError):
        call()


INSTEAD: list[tuple[str, Callable[[], Any], str]] = [
    (
        "a name misspelt",
        lambda: layers.Linear(3)(numeric(), nam="a"),
        r"Linear\(3\) takes no source 'nam': did you mean name\?",
    ),
    (
        "an option behind its call",
        lambda: layers.Linear(3)(numeric(), activation="ReLU"),
        r"the option activation stands in the call before: Linear\(..., activation=...\)",
    ),
    (
        "an unknown source",
        lambda: layers.ReLU()(numeric(), where=3),
        "takes no source 'where': its sources: input",
    ),
    (
        "a layer that is not called as an output",
        lambda: mg.Graph(layers.Linear(3)),  # type: ignore[arg-type]
        r"outputs is a handle, .* not Linear\(3\)",
    ),
    (
        "a layer that is not called as a source of a merge",
        lambda: merges.add(numeric(), layers.Linear(3)),  # type: ignore[arg-type]
        r"is called on tensors of a graph, .* not on Linear\(3\)",
    ),
    (
        "a number as a source",
        lambda: layers.MultiheadAttention(2)(text(), key=3),
        "is called on tensors of a graph, .* not on 3",
    ),
    (
        "a merge in a row",
        lambda: mg.Sequential(merges.add),
        r"a merge takes several sources, merges\.add\(a, b\)",
    ),
    (
        "a layer without its options",
        lambda: mg.Sequential(layers.ReLU),  # type: ignore[arg-type]
        r"write layers\.ReLU\(\)",
    ),
    (
        "a list",
        lambda: mg.Sequential([layers.ReLU()]),  # type: ignore[arg-type]
        r"write mg\.Sequential\(\*items\)",
    ),
    (
        "a layer without the options that it needs",
        lambda: mg.Sequential(layers.Linear),  # type: ignore[arg-type]
        r"write layers\.Linear\(\.\.\.\)$",
    ),
    (
        "a chain in a chain",
        lambda: mg.Sequential(mg.Sequential(layers.ReLU())),  # type: ignore[arg-type]
        r"write its items one by one, \*sequential\.items$",
    ),
    ("a block", lambda: mg.Sequential(residual), r"write residual\(\)"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "told"), [r[1:] for r in INSTEAD], ids=[r[0] for r in INSTEAD])
def test_the_error_says_what_to_write_instead(call: Callable[[], Any], told: str) -> None:
    with pytest.raises(TypeError, match=told):
        call()


def test_a_size_written_as_in_yaml_is_told_how_python_reads_it() -> None:
    x = mg.Input("x", ("T", 5))
    with pytest.raises(mg.SpecError, match=r"in Python read a size from a tensor: x\.dims\[0\]"):
        layers.TopK("$T", dim=1)(x)  # type: ignore[arg-type]
    with pytest.raises(mg.SpecError, match=r"in Python x\.dims\[0\]"):
        doubled(repeat={"times": "$T", "shared": True})(x)
    assert layers.TopK(x.dims[0], dim=1)(x).shape == x.shape


def test_several_sources_of_a_layer_that_takes_one() -> None:
    with pytest.raises(mg.SpecError, match=r"apply it to each alone: Linear\(3\).each\(...\)"):
        layers.Linear(3)(numeric(), numeric())


def test_messages_have_the_names_of_the_users_variables() -> None:
    picture, numbers = image(), numeric()
    h = layers.Conv2d(4, 3)(picture)
    with pytest.raises(mg.SpecError) as caught:
        merges.concat(h, numbers)
    text = str(caught.value)
    assert "but numbers is (N, 8)" in text and "layers.Flatten()(h)" in text
    y = layers.Linear(6)(numbers)
    with pytest.raises(mg.SpecError, match=r"layers.Linear\(8\)\(y\)"):
        numbers + y


@pytest.mark.parametrize(
    ("call", "marked"),
    [
        ("merges.concat(x, h)", "h"),
        ("merges.concat([x, h])", "h"),
        ("merges.concat(layers.Flatten()(h), x, h)", "h"),
        ("x + h", "h"),
        ("layers.Conv2d(3, 1)(x)", "x"),
        ("layers.Conv2d(3, 1)(input=x)", "x"),
        ("layers.Conv2d(3, 1)(layers.ReLU()(x))", "layers.Conv2d(3, 1)(layers.ReLU()(x))"),
        ("merges.concat(x,\n  h)", "merges.concat(x,"),
        ("layers.Linear(3, bias=5)(x)", "layers.Linear(3, bias=5)(x)"),
    ],
)
def test_the_source_at_fault_is_marked_if_it_is_a_variable(call: str, marked: str) -> None:
    names = {"layers": layers, "merges": merges, "x": numeric(), "h": image()}
    path = f"<{call}>"
    linecache.cache[path] = (len(call), None, call.splitlines(keepends=True), path)
    with pytest.raises(mg.SpecError) as caught:
        exec(compile(call, path, "exec"), names)  # noqa: S102 - our own text
    (fault,) = caught.value.diagnostics
    line = fault.span.file.line(fault.span.line)
    end = fault.span.end_column if fault.span.end_line == fault.span.line else len(line) + 1
    assert line[fault.span.column - 1 : end - 1] == marked
    assert marked != "h" or fault.span.column - 1 == call.rindex("h")  # not that of another call


def test_messages_have_the_names_of_nodes_without_a_variable() -> None:
    parts = [layers.Conv2d(4, 3)(image()), numeric()]
    x = parts[1]  # not in the text of the call
    with pytest.raises(mg.SpecError, match=rf"but {x.name} is \(N, 8\)"):
        merges.concat(*parts)
    with pytest.raises(mg.SpecError, match=r"layers.Flatten\(\)\(conv2d\)"):
        merges.concat(layers.Conv2d(4, 3)(image()), numeric())


def test_a_name_beside_the_options_is_moved_to_the_second_call() -> None:
    with pytest.raises(mg.SpecError, match=r'layers.Linear\(...\)\(x, name="fc"\)'):
        layers.Linear(3, name="fc")(numeric())  # type: ignore[call-arg]
    with pytest.raises(mg.SpecError, match=r'doubled\(...\)\(x, name="fc"\)'):
        doubled(name="fc")(numeric())


# --- tracebacks --------------------------------------------------------------------


@mg.block
def doubled(x: mg.Tensor) -> mg.Tensor:
    return merges.add(x, layers.Linear(6)(x))


def lines_of(error: BaseException) -> list[str]:
    """Return the files of a traceback, below this test."""
    return [Path(frame.filename).name for frame in traceback.extract_tb(error.__traceback__)[1:]]


WRONG: dict[str, Callable[[], Any]] = {
    "a layer": lambda: layers.Conv2d(8, 3)(mg.Input("x", (5,))),
    "a merge": lambda: merges.add(mg.Input("x", (5,)), mg.Input("y", (6,))),
    "an operator": lambda: mg.Input("x", (5,)) + mg.Input("y", (6,)),
    "a mask": lambda: ~mg.Input("x", (5,)),
    "an index": lambda: mg.Input("x", (5,))[:, 7],
    "the batch": lambda: mg.Input("x", (5,))[0],
    "unpacking": lambda: [*mg.Input("x", (5,))],
    "an unknown argument": lambda: mg.Input("x", (5,), nix=1),  # type: ignore[call-arg]
    "an unknown layer": lambda: layers.Liner,
    "an unknown name": lambda: mg.Inptu,  # type: ignore[attr-defined]
    "a missing file": lambda: mg.load("missing.yaml"),
    "a stage": lambda: mg.Graph(mg.Input("x", (5,))).split(1)[0].declared,
    "an unknown argument of a method": lambda: mg.Graph(mg.Input("x", (5,))).compile(
        optimizer="adam"
    ),  # type: ignore[call-arg]
    "a registration": lambda: mg.register(name="Named")(5),  # type: ignore[type-var]
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_a_traceback_ends_at_the_call(call: Callable[[], Any]) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError, OSError)) as caught:
        call()
    assert lines_of(caught.value) == ["test_errors.py"]
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_public_functions_are_entry_points() -> None:
    public = [getattr(mg, name) for name in mg.__all__]
    functions = [one for one in public if inspect.isfunction(one)]
    assert [one for one in functions if not hasattr(one, "__wrapped__")] == []


def test_a_traceback_keeps_the_function_of_a_block() -> None:
    with pytest.raises(mg.SpecError) as caught:
        doubled()(mg.Input("x", (5,)))
    assert lines_of(caught.value) == ["test_errors.py"]
    assert "return merges.add(" in "".join(traceback.format_exception(caught.value))


def test_a_traceback_of_a_mistake_in_a_block_has_only_the_users_frames() -> None:
    @mg.block
    def chosen(x: mg.Tensor) -> mg.Tensor:
        return {"a": x}["b"]

    with pytest.raises(KeyError) as caught:
        mg.Sequential(chosen(), chosen())(mg.Input("x", (5,)))
    assert lines_of(caught.value) == ["test_errors.py"]


def test_a_bug_of_ours_keeps_its_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mimgraph.builder.handles.record_call.user_line", lambda: {}["a"])
    with pytest.raises(KeyError) as caught:
        layers.ReLU()(mg.Input("x", (5,)))
    assert "record_call.py" in lines_of(caught.value)


def test_the_end_of_a_match_that_should_be_complete_is_a_bug() -> None:
    @entry_point
    def writes(node: object) -> None:
        raise TypeError(node)

    monkey = {"__name__": "mimgraph.emit"}
    ours = entry_point(FunctionType(writes.__wrapped__.__code__, monkey))  # type: ignore[attr-defined]
    for node, frames in ((object(), 1), ("a text", 0)):
        with pytest.raises(TypeError) as caught:
            ours(node)
        assert len([name for name in functions_of(caught.value) if name == "writes"]) == frames


def functions_of(error: BaseException) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def test_several_ports_are_shown_as_they_are_read() -> None:
    e = layers.Embedding(8).each(mg.Input("a", vocab=3), mg.Input("b", vocab=4))
    with pytest.raises(mg.SpecError, match=r'its ports: e\["a"\], e\["b"\]'):
        layers.Linear(3)(e)


def test_code_without_a_file_is_shown_by_its_line() -> None:
    code = "\n\nlayers.Conv2d(\n  8, kernel_size=3)(x)"
    with pytest.raises(mg.SpecError) as caught:
        exec(code, {"layers": layers, "x": mg.Input("x", (5,))})  # noqa: S102 - our own text
    text = str(caught.value)
    assert re.match(r"error.rank-mismatch.: Conv2d takes .*\n +--> <string>:3:1\n", text)
    assert "= note: (N, 5)" in text


def test_a_help_names_the_variable_without_a_source_line_too(tmp_path: Path) -> None:
    code = "h = layers.Linear(3)(x)\nlayers.Conv2d(8, 3)(h)"
    file = tmp_path / "model.py"
    file.write_text(code)
    helps = set()
    for path in (str(file), "<string>"):
        with pytest.raises(mg.SpecError) as caught:
            exec(compile(code, path, "exec"), {"layers": layers, "x": mg.Input("x", (5,))})  # noqa: S102
        helps.add(caught.value.diagnostics[0].help)
    (help,) = helps
    assert help.endswith("unflattened_size=[3, 1, 1])(h)")
    assert str(caught.value).count("note:") == 1  # a label is nothing without its line


@pytest.mark.parametrize("compiler", [CachingCompiler, XCachingCompiler])
def test_a_cell_of_a_notebook_has_its_number(
    compiler: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = compiler()
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(compile=cells))
    for number in (6, 7):  # the same cell may run again
        code = "x = mg.Input('x', (5,))\nlayers.Conv2d(8, 3)(x)"
        path = cells.cache(code, number)
        with pytest.raises(mg.SpecError) as caught:
            exec(compile(code, path, "exec"), {"layers": layers, "mg": mg})  # noqa: S102
        (fault,) = caught.value.diagnostics
        assert fault.span.file.name == f"In[{number}]" and f" --> In[{number}]:2:21\n" in str(
            caught.value
        )
        assert "layers.Conv2d(8, 3)(x)\n   |                     ^ (N, 5)" in str(caught.value)


def test_a_call_in_a_comprehension_has_its_line() -> None:
    inputs = [mg.Input("a", (3, 8, 8)), mg.Input("b", (5,))]
    with pytest.raises(mg.SpecError) as caught:
        [
            layers.Conv2d(8, kernel_size=3)(x)  # here
            for x in inputs
        ]
    (fault,) = caught.value.diagnostics
    assert fault.span.file.line(fault.span.line).endswith("# here")
