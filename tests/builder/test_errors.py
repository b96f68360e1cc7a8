"""Wrong calls in Python raise an error at their line, with the help."""

from __future__ import annotations

import importlib
import inspect
import linecache
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

import pytest
from IPython.core.compilerop import CachingCompiler

import mimgraph as mg
from mimgraph import layers, merges
from mimgraph.support.entry_point import entry_point
from tests.conftest import in_ci, needed
from tests.helpers.handles import image, numeric


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


def test_a_wrong_call_raises_at_its_line() -> None:
    for code, call, message in FAULTS:
        with pytest.raises(mg.SpecError, match=re.escape(message)) as caught:
            call()
        (found,) = caught.value.diagnostics
        assert (found.code, found.span.file.name) == (code, __file__)
        assert found.span.file.line(found.span.line).endswith("# here"), call


def test_the_error_has_the_columns_of_the_call_in_characters() -> None:
    with pytest.raises(mg.SpecError) as caught:
        len(["äöü", layers.Linear(3)(image(), image())])
    span = caught.value.diagnostics[0].span
    line = span.file.line(span.line)
    assert line[span.column - 1 : span.end_column - 1] == "layers.Linear(3)(image(), image())"


def test_an_error_in_a_block_shows_where_the_block_is_used() -> None:
    with pytest.raises(mg.SpecError, match="used here as wrong"):
        in_a_body()


def test_a_size_written_as_in_yaml_is_told_how_python_reads_it() -> None:
    x = mg.Input("x", ("T", 5))
    with pytest.raises(mg.SpecError, match=r"in Python read a size from a tensor: x\.dims\[0\]"):
        layers.TopK("$T", dim=1)(x)  # type: ignore[arg-type]
    with pytest.raises(mg.SpecError, match=r"in Python read a size from a tensor: x\.dims\[0\]"):
        doubled(repeat={"times": "$T", "shared": True})(x)
    assert layers.TopK(x.dims[0], dim=1)(x).shape == x.shape


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


MARKED = {
    "merges.concat(x, h)": "h",
    "merges.concat([x, h])": "h",
    "merges.concat(layers.Flatten()(h), x, h)": "h",
    "x + h": "h",
    "layers.Conv2d(3, 1)(x)": "x",
    "layers.Conv2d(3, 1)(input=x)": "x",
    "layers.Conv2d(3, 1)(layers.ReLU()(x))": "layers.Conv2d(3, 1)(layers.ReLU()(x))",
    "merges.concat(x,\n  h)": "merges.concat(x,",
    "layers.Linear(3, bias=5)(x)": "layers.Linear(3, bias=5)(x)",
}


def test_the_source_at_fault_is_marked_if_it_is_a_variable() -> None:
    names = {"layers": layers, "merges": merges, "x": numeric(), "h": image()}
    for call, marked in MARKED.items():
        path = f"<{call}>"
        linecache.cache[path] = (len(call), None, call.splitlines(keepends=True), path)
        with pytest.raises(mg.SpecError) as caught:
            exec(compile(call, path, "exec"), names)  # noqa: S102 - our own text
        (fault,) = caught.value.diagnostics
        line = fault.span.file.line(fault.span.line)
        end = fault.span.end_column if fault.span.end_line == fault.span.line else len(line) + 1
        assert line[fault.span.column - 1 : end - 1] == marked
        # not that of another call
        assert marked != "h" or fault.span.column - 1 == call.rindex("h"), call


def test_messages_have_the_names_of_nodes_without_a_variable() -> None:
    parts = [layers.Conv2d(4, 3)(image()), numeric()]
    x = parts[1]  # not in the text of the call
    with pytest.raises(mg.SpecError, match=rf"but {x.name} is \(N, 8\)"):
        merges.concat(*parts)
    with pytest.raises(mg.SpecError, match=r"layers.Flatten\(\)\(conv2d\)"):
        merges.concat(layers.Conv2d(4, 3)(image()), numeric())


def test_a_module_that_was_edited_and_reloaded_shows_its_new_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for call in ("mg.layers.Conv2d(4, 3)(x)", "mg.layers.Linear(0)(x)"):
        text = f"import mimgraph as mg\nx = mg.Input('x', (8,))\ndef make():\n    return {call}\n"
        (tmp_path / "edited_model.py").write_text(text)
        module = importlib.reload(importlib.import_module("edited_model"))
        with pytest.raises(mg.SpecError) as caught:
            module.make()
        assert f" 4 |     return {call}\n" in str(caught.value)


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


def test_a_traceback_ends_at_the_call() -> None:
    for name, call in WRONG.items():
        with pytest.raises((ValueError, TypeError, AttributeError, OSError)) as caught:
            call()
        assert lines_of(caught.value) == ["test_errors.py"], name
        assert caught.value.__suppress_context__ or caught.value.__context__ is None, name


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
    monkeypatch.setattr("mimgraph.builder.record_call.user_line", lambda: {}["a"])
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


def xcaching_compiler() -> Any:
    return needed("ipykernel.compiler").XCachingCompiler()


@pytest.mark.parametrize("compiler", [CachingCompiler, in_ci(xcaching_compiler)])
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
