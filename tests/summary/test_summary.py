"""The table of a graph: layer, shape, cost and sources of every node; numbers as torch counts them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mimgraph
from tests.gallery import on_meta
from tests.helpers.shown import cases, check

TABLES = Path(__file__).parent / "tables.md"
SPECS = cases(TABLES)
(MODEL,) = SPECS["A model of two inputs, with chains, repeats and sizes of run time"]
(SHARING,) = SPECS["Different repeats have rows of their own, and shared weights count once"]
(FROZEN,) = SPECS["The facts say what is frozen and what training adds"]
(UGLY,) = SPECS["Names that mean something in Markdown"]


def test_tables_are_as_expected(rewrite: bool) -> None:
    check(
        TABLES,
        rewrite,
        text=lambda spec: str(mimgraph.loads(spec).summary()),
        sizes=lambda spec: str(mimgraph.loads(spec).summary(8, {"T": 50}, depth=0)),
        narrow=lambda spec: mimgraph.loads(spec).summary().text(81),
        markdown=lambda spec: mimgraph.loads(spec).summary().markdown(),
        csv=lambda spec: mimgraph.loads(spec).summary().csv().replace("\r\n", "\n").rstrip(),
    )


TIMES = """
inputs: {x: [8]}
blocks: {b: {params: {width: 8}, seq: [{Linear: $width}]}}
nodes: {y: {block: b, from: x, repeat: %s}}
outputs: y
"""
UNLIKE, ALIKE, SHARED = "{with: {width: [8, 8, 16]}}", "3", "{times: 3, shared: true}"


def test_the_facts_explain_times_n_if_rows_inside_count_less() -> None:
    expected = {(UNLIKE, None): True, (UNLIKE, 1): False, (ALIKE, None): True, (ALIKE, 0): False}
    for (repeat, depth), said in expected.items():
        shown = mimgraph.loads(TIMES % repeat).summary(depth=depth)
        for text in (shown.text(), shown.markdown(), shown._repr_html_()):
            assert ("the row counts all n repeats" in text) == said, (repeat, depth)


def test_data_has_each_repeat_or_the_number_that_share_weights() -> None:
    row = mimgraph.loads(TIMES % UNLIKE).summary().data()[1]
    assert [child["params"] for child in row["children"]] == [72, 72, 144]
    assert row["params"] == sum(child["params"] for child in row["children"])
    row = mimgraph.loads(TIMES % SHARED).summary().data()[1]
    assert (row["loops"], row["macs"], row["children"][0]["macs"]) == (3, 192, 64)


def test_all_results_of_a_node_without_a_default_are_shown() -> None:
    text = """
        inputs: {x: [4]}
        blocks: {two: {inputs: [x], nodes: {a: {layer: Linear, from: x, out_features: 2},
                 b: {layer: Linear, from: x, out_features: 3}}, outputs: {a: a, b: b}}}
        nodes: {y: {block: two, from: x}, z: {merge: concat, from: [y.a, y.b]}}
        outputs: z
    """
    row = mimgraph.loads(text).summary().data()[1]
    assert (row["shape"], row["dtype"], row["params"]) == ("a (N, 2), b (N, 3)", "float32", 25)


def test_a_wrong_depth_is_refused() -> None:
    wrong: tuple[Any, ...] = (-1, "x", 1.5, True)
    for depth in wrong:
        with pytest.raises(ValueError, match="depth is an integer of at least 0, or 'all', not"):
            mimgraph.loads(MODEL).summary(depth=depth)


def test_data_has_inputs_nodes_and_their_children() -> None:
    data = mimgraph.loads(MODEL).summary().data()
    assert json.loads(json.dumps(data)) == data
    assert data[1] == {
        "name": "words",
        "layer": "Input",
        "shape": "(N, T)",
        "dtype": "int64",
        "from": [],
        "params": 0,
        "macs": 0,
        "activations": 0,
    }
    stage = next(row for row in data if row["name"] == "stage")
    assert [child["name"] for child in stage["children"]] == ["stage.0", "stage.1", "stage.2"]
    assert stage["children"][2]["children"][0] == {
        "name": "stage.2.conv",
        "layer": "Conv2d",
        "shape": "(N, 8, 30, 30)",
        "dtype": "float32",
        "from": ["x"],
        "params": 576,
        "macs": 518400,
        "activations": 28800,
    }
    norm = stage["children"][2]["children"][1]
    assert norm["buffers"] == 17
    lstm = next(row for row in data if row["name"] == "lstm")
    assert (lstm["macs"], lstm["activations"]) == ("768*T", "32*T + 64")


class Terminal(io.StringIO):
    """Standard output with so many characters in a line, and an encoding."""

    encoding = "ascii"

    def isatty(self) -> bool:
        return True


def test_it_prints_in_the_width_and_encoding_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    summary = mimgraph.loads(SHARING).summary()
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "50")
    lines = str(summary).splitlines()
    assert str(summary).isascii()
    assert max(map(len, lines)) <= 50
    assert "|  |  |- 0" in str(summary)
    assert "|  |  `- 1" in str(summary)


def test_markdown_and_html_escape_and_keep_the_tree() -> None:
    summary = mimgraph.loads(UGLY).summary()
    rows = summary.markdown().splitlines()
    assert summary._repr_markdown_() == summary.markdown()
    shown = summary._repr_html_()
    assert shown.count("<tr>") == 1 + len(rows[4:-6])
    assert "│  ├─ 0</td>" in shown
    large = mimgraph.loads(MODEL).summary(batch=8)._repr_html_()
    assert re.search(r"<td [^>]* title='1,555,200'>1.56 M</td>", large)
    odd = replace(summary, name="<b>|*`")
    assert odd.markdown().startswith(r"**\<b\>\|\*\`**")
    assert odd._repr_html_().startswith("<b>&lt;b&gt;|*`</b>")


def test_csv_ends_with_a_nameless_row_of_totals() -> None:
    summary = mimgraph.loads(FROZEN).summary(sizes={"T": 5})
    *_, total = csv.DictReader(io.StringIO(summary.csv()))
    assert {key: value for key, value in total.items() if value} == {
        "layer": "Total",
        "params": "30",
        "frozen": "20",
        "buffers": "0",
        "macs": "80",
        "activations": "112",
        "loops": "1",
    }


def test_the_totals_are_plain_data() -> None:
    totals = mimgraph.loads(FROZEN).summary().totals()
    assert json.loads(json.dumps(totals)) == totals
    assert totals == {
        "params": 30,
        "frozen": 20,
        "buffers": 0,
        "macs": "16*T",
        "activations": "16*T + 32",
        "training": {"macs": 8, "activations": 8},
    }


def test_data_has_the_node_whose_module_is_shared() -> None:
    rows = {row["name"]: row for row in mimgraph.loads(SHARING).summary().data()}
    assert (rows["other"]["shares"], "shares" in rows["tower"]) == ("tower", False)
    assert (rows["other"]["from"], rows["score"]["from"]) == (["b"], ["tower", "none"])


def leaves(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Return the rows without children."""
    for row in rows:
        if row.get("children"):
            yield from leaves(row["children"])
        else:
            yield row


def test_names_and_params_are_those_of_the_compiled_module() -> None:
    for text in (MODEL, SHARING):
        check_against_torch(mimgraph.loads(text))


def test_names_and_params_of_the_gallery(spec: Path) -> None:
    check_against_torch(mimgraph.load(spec))


def check_against_torch(graph: mimgraph.Graph) -> None:
    model, summary = on_meta(graph), graph.summary()
    assert summary.params == sum(p.numel() for p in model.parameters())
    assert summary.buffers == sum(b.numel() for b in model.buffers())
    rows = {row["name"]: row["params"] for row in leaves(summary.data())}
    counted = dict.fromkeys(rows, 0)
    for key, parameter in model.named_parameters():
        name = key
        while name not in rows:  # some modules hold modules of their own
            name = name.rpartition(".")[0]
        counted[name] += parameter.numel()
    assert counted == rows
