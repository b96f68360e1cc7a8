"""The output of `mimgraph diff`; the expected texts are in `diff/`, and `--rewrite` updates them."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given, settings
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph.cli import main
from mimgraph.compare.markdown import code, markdown
from mimgraph.compare.picture import union
from mimgraph.compare.review import Review
from mimgraph.diagnostics.render import visible
from mimgraph.graph import Graph
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.fold import fold
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Item, boxes
from tests.compare.test_compare import edited, graph
from tests.conftest import SPECS
from tests.helpers.strategies import Spec, specs, to_yaml

FOLDER = Path(__file__).parent / "diff"
FILES = {"changes": "text", "pull_request": "markdown"}
_CASE = re.compile(
    r"(?P<title>## .*?\n\n)```yaml\n(?P<old>.*?)```\n\n```yaml\n(?P<new>.*?)```\n"
    r"(?:\n````(?:text|markdown)\n.*?````\n)?",
    re.DOTALL,
)


@pytest.mark.parametrize("name", FILES)
def test_diff_prints_the_expected_text(
    name: str, rewrite: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture inside the Markdown has tests of its own, and is left out."""
    monkeypatch.setattr(Review, "_mermaid", lambda _: "flowchart\n")
    path, kind = FOLDER / f"{name}.md", FILES[name]
    text = path.read_text()

    def with_output(match: re.Match[str]) -> str:
        old, new = match["old"], match["new"]
        review = mg.diff(mg.loads(old), mg.loads(new))
        shown = review.text() + "\n" if kind == "text" else review.markdown()
        specs = f"```yaml\n{old}```\n\n```yaml\n{new}```\n"
        return f"{match['title']}{specs}\n````{kind}\n{shown}````\n"

    expected = _CASE.sub(with_output, text)
    if rewrite:
        path.write_text(expected)
    assert text == expected or rewrite


def cases() -> dict[str, tuple[Graph, Graph]]:
    """Return the two graphs of each case, by its heading."""
    found = _CASE.finditer((FOLDER / "changes.md").read_text())
    return {m["title"][3:].strip(): (mg.loads(m["old"]), mg.loads(m["new"])) for m in found}


CASES = cases()


@pytest.mark.parametrize("title", CASES)
def test_data_is_json_and_has_the_counts_of_summary(title: str) -> None:
    review = mg.diff(*CASES[title])
    data = review.data()
    assert json.loads(json.dumps(data)) == data
    assert bool(data["changes"]) == bool(review)
    for which, one in zip(("old", "new"), CASES[title], strict=True):
        assert data["params"][which] == one.summary().params
        assert data["macs"][which] == one.summary().macs


@pytest.mark.parametrize("title", CASES)
def test_swapping_the_specs_swaps_added_and_removed(title: str) -> None:
    old, new = CASES[title]
    there, back = mg.diff(old, new).data(), mg.diff(new, old).data()

    def names(data: dict[str, list[dict[str, str]]], status: str) -> set[str]:
        return {change["name"] for change in data["changes"] if change["status"] == status}

    assert names(there, "added") == names(back, "removed")
    assert names(there, "removed") == names(back, "added")


def test_colors_add_nothing_but_terminal_codes() -> None:
    review = mg.diff(*CASES["A node added, its reader rewired"])
    colored = review.text(color=True)
    assert "\x1b[1;32m+ drop\x1b[0m" in colored
    assert "\x1b[1;33m~ score\x1b[0m" in colored
    assert "\x1b[1mParameters:\x1b[0m" in colored
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == review.text()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("command", ["diff", "summary"])
@pytest.mark.parametrize("format", ["text", "md"])
def test_output_fits_the_encoding_of_standard_output(
    command: str, format: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = "params: {word: 한}\ninputs: {x: [4]}\nblocks:\n  b: {seq: [Linear: 4]}\nnodes:\n  y: {block: b, from: x, repeat: 2}\noutputs: y\n"
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(spec, encoding="utf-8")
    new.write_text(spec.replace("한", "글").replace("Linear: 4", "Linear: 8"), encoding="utf-8")
    written = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", written)
        specs = [old, new] if command == "diff" else [new]
        assert main([command, *map(str, specs), "--format", format]) == 0
    written.seek(0)
    shown = written.read()
    if command == "diff":
        assert "\\ud55c -> \\uae00" in shown


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for old, new in CASES.values():
        text = mg.diff(old, new).text(width)
        assert [line for line in text.splitlines() if len(line) > width] == []
        assert width > 40 or mg.diff(old, new).text(1) == text


def test_words_go_below_a_name_that_leaves_no_room() -> None:
    spec = """
        inputs: {x: [4]}
        nodes: {a_name_that_is_really_long_for_a_layer: {layer: Linear, from: x, out_features: 4}}
        outputs: a_name_that_is_really_long_for_a_layer
    """
    old, new = (
        mg.loads(spec),
        mg.loads(spec.replace("out_features: 4", "out_features: 8, bias: false")),
    )
    assert mg.diff(old, new).text(60).splitlines()[2:4] == [
        "~ a_name_that_is_really_long_for_a_layer  Linear",
        "    out_features 4 → 8, bias true → false",
    ]


@pytest.mark.parametrize(
    ("bias", "width", "total"),
    [
        ("true", 5000, "16 M → 20 M (+4 M)"),
        ("false", 4000, "16,004,000 → 16,000,000 (-4,000)"),
    ],
)
def test_large_counts_are_short_unless_they_would_look_alike(
    bias: str, width: int, total: str
) -> None:
    spec = "inputs: {x: [4000]}\nnodes: {y: {layer: Linear, from: x, out_features: %s, bias: %s}}\noutputs: y\n"
    review = mg.diff(mg.loads(spec % (4000, "true")), mg.loads(spec % (width, bias)))
    assert f"\nParameters: {total}\n" in review.text()
    assert f"{total.partition(' (')[0]} parameters" in review.text()
    assert "16,004,000 → " in review.markdown()


def test_diff_refuses_what_is_not_a_graph() -> None:
    with pytest.raises(TypeError, match="two graphs, but one is None"):
        mg.diff(CASES["A node removed"][0], None)  # type: ignore[arg-type]


# --- Markdown -------------------------------------------------------------------------------------


def read_as_on_github(text: str) -> ElementTree.Element:
    html = cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)
    return ElementTree.fromstring(f"<html>{html}</html>")


@pytest.mark.slow
@given(st.text(min_size=1).map(visible) | st.text("`|\\<>&*_~[]()#@ $:/a1", min_size=1))
def test_a_text_of_a_spec_stays_inside_its_table_cell(word: str) -> None:
    page = read_as_on_github(f"| a | b |\n|---|---|\n| {code(word)} | last |")
    cells = page.findall(".//td")
    assert [[child.tag for child in cell] for cell in cells] == [["code"], []]
    assert cells[0][0].text == word


def test_markdown_has_the_picture_as_a_fenced_block_of_mermaid() -> None:
    review = mg.diff(*CASES["A change in a block used often is listed once"])
    (picture,) = read_as_on_github(review.markdown()).findall(".//pre[@lang='mermaid']/code")
    assert picture.text is not None and picture.text.startswith(("%%", "---", "flowchart"))
    assert "kernel_size 3 → 5" in picture.text
    assert re.search(
        "``````mermaid\n.*?\n``````\n", markdown(review.difference, "a `````\n"), re.DOTALL
    )


@pytest.mark.parametrize("title", CASES)
def test_markdown_has_a_table_row_for_each_change(title: str) -> None:
    review = mg.diff(*CASES[title])
    page = read_as_on_github(review.markdown())
    tables = page.findall(".//table")
    changes = [c for c in review.data()["changes"] if c["status"] != "follows"]
    rows = tables[0].findall(".//tbody/tr") if tables else []
    assert ["".join(row[1].itertext()) for row in rows] == [change["name"] for change in changes]


# --- the picture ----------------------------------------------------------------------------------

SIGNS = {"": " ", "added": "+", "removed": "-", "changed": "~", "follows": "."}


def joined(old: Graph, new: Graph) -> Diagram:
    found = mg.diff(old, new).difference.inside
    return union(diagram(old.typed), diagram(new.typed), found).diagram


def outline(items: tuple[Item, ...], indent: str = "") -> list[str]:
    """Return a line for each item: its mark, title, subtitle, edits and effects in brackets, and shapes."""
    lines = []
    for item in items:
        words = ": ".join(filter(None, (item.title, item.subtitle)))
        changes = "; ".join((*item.edits, *(f"so {effect}" for effect in item.effects)))
        words += f" [{changes}]" if changes else ""
        lines.append(f"{SIGNS[item.mark]} {indent}{words} {' '.join(item.shapes)}".rstrip())
        if isinstance(item, Cluster):
            lines += outline(item.items, f"{indent}  ")
    return lines


def edges(picture: Diagram) -> list[str]:
    return [f"{SIGNS[edge.mark]} {edge.tail} -> {edge.head}" for edge in picture.edges if edge.mark]


PICTURES = {
    "A node added, its reader rewired": """
          x (N, 8)
          y (N, 8)
          a: Linear 8 to 4 (N, 4)
          b: Linear 8 to 4 + ReLU (N, 4)
          sum: add (N, 4)
        + drop: Dropout p=0.1 (N, 4)
        ~ score: Linear 4 to 1 (N, 1)
          score (N, 1)

        + sum -> drop
        + drop -> score
        - sum -> score
    """,
    "A node removed": """
          x (N, 8)
          y (N, 8)
        ~ a: Linear [out_features 4 → 8] (N, 4 → 8)
        - b: Linear 8 to 4 + ReLU (N, 4)
        ~ sum: add (N, 4 → 8)
        . score: Linear 8 to 1 [so in_features 4 → 8] (N, 1)
          score (N, 1)

        + y -> sum
        - y -> was b
        - was b -> sum
    """,
    "Renames: a node is found by what it does and where, an input by its readers, an output by its source": """
          x (N, 8)
        ~ y → numbers (N, 8)
          a: Linear 8 to 4 (N, 4)
        ~ b → right: Linear 8 to 4 + ReLU (N, 4)
          sum: add (N, 4)
          score: Linear 4 to 1 (N, 1)
        ~ score → rating (N, 1)

    """,
    "A layer becomes a chain": """
          x (N, 8)
          y (N, 8)
        + a: seq (N, 4)
        +   Linear 8 to 4 (N, 4)
        +   Tanh (N, 4)
        +   Dropout (N, 4)
        - a: Linear 8 to 4 (N, 4)
          b: Linear 8 to 4 + ReLU (N, 4)
          sum: add (N, 4)
          score: Linear 4 to 1 (N, 1)
          score (N, 1)

        + x -> a.0
        + a.0 -> a.1
        + a.1 -> a.2
        + a.2 -> sum
        - x -> was a
        - was a -> sum
    """,
    "Items of a chain: another op, one more, and the keys of those after it": """
          x (N, 3, 8, 8)
          features: seq (N, 2)
            Conv2d 3 to 4, kernel_size=3 (N, 4, 6, 6)
        +   BatchNorm2d (N, 4, 6, 6)
        ~    [ReLU → GELU] (N, 4, 6, 6)
        ~   Conv2d kernel_size=3 [out_channels 8 → 6] (N, 8 → 6, 4, 4)
        .   Flatten (N, 128 → 96)
        .   Linear 96 to 2 [so in_features 128 → 96] (N, 2)
          features (N, 2)

        + features.0 -> features.1
        + features.1 -> features.2
        - features.0 -> features.2
    """,
    "A change in a block used often is listed once": """
          x (N, 3, 8, 8)
          stage1: residual × 12 (N, 3, 8, 8)
        ~   conv: Conv2d 3 to 3 [kernel_size 3 → 5; padding 1 → 2] (N, 3, 8, 8)
        +   norm: BatchNorm2d (N, 3, 8, 8)
        ~   sum: add + ReLU (N, 3, 8, 8)
          wide: Conv2d 3 to 8, kernel_size=1 (N, 8, 8, 8)
        ~ stage2: residual × 3 [repeat 2 → 3] (N, 8, 8, 8)
        ~   conv: Conv2d 8 to 8 [kernel_size 3 → 5; padding 1 → 2] (N, 8, 8, 8)
        +   norm: BatchNorm2d (N, 8, 8, 8)
        ~   sum: add + ReLU (N, 8, 8, 8)
          stage2 (N, 8, 8, 8)

        + stage1.0.conv -> stage1.0.norm
        + stage1.0.norm -> stage1.0.sum
        + stage2.0.conv -> stage2.0.norm
        + stage2.0.norm -> stage2.0.sum
        - stage1.0.conv -> stage1.0.sum
        - stage2.0.conv -> stage2.0.sum
    """,
    "Chains, blocks and merges in place of others, with their options": """
          x (N, 8)
          y (N, 8)
        + tower: bottleneck width=2 (N, 8)
        +   down: Linear 8 to 2 (N, 2)
        +   up: Linear 2 to 8 (N, 8)
        - tower: seq (N, 8)
        -   Linear 8 to 4 (N, 4)
        -   ReLU (N, 4)
        -   Linear 4 to 8 (N, 8)
        + wide: Linear 8 to 8 (N, 8)
        - wide: bottleneck (N, 8)
        -   down: Linear 8 to 4 (N, 4)
        -   up: Linear 4 to 8 (N, 8)
        ~ both [concat → gated out_features=64] (N, 16 → 64)
        + score: seq (N, 1)
        +   Linear 64 to 16 (N, 16)
        +   ReLU (N, 16)
        +   Linear 16 to 1 (N, 1)
        - score: Linear 16 to 1 (N, 1)
          score (N, 1)

        + x -> tower.down
        + tower.down -> tower.up
        + y -> wide
        + tower.up -> both
        + wide -> both
        + both -> score.0
        + score.0 -> score.1
        + score.1 -> score.2
        + score.2 -> output score
        - x -> was tower.0
        - was tower.0 -> was tower.1
        - was tower.1 -> was tower.2
        - y -> was wide.down
        - was wide.down -> was wide.up
        - was tower.2 -> both
        - was wide.up -> both
        - both -> was score
        - was score -> output score
    """,
    "An item of a chain removed, the next in its place": """
          x (N, 4)
          y: seq (N, 2)
            Linear 4 to 4 (N, 4)
        -   Dropout (N, 4)
            Tanh (N, 4)
            Linear 4 to 2 (N, 2)
          y (N, 2)

        + y.0 -> y.1
        - y.0 -> was y.1
        - was y.1 -> y.1
    """,
    "An input with the name that a node had": """
          x (N, 4)
        - mask: Sigmoid (N, 4)
        + mask (N, 4)
          y: multiply (N, 4)
          y (N, 4)

        + mask -> y
        - x -> was mask
        - was mask -> y
    """,
    "Params: of the spec, of a use, the default of a block": """
          x (N, 4)
        . one: mlp (N, 8 → 16)
        ~   Linear [out_features 8 → 16] (N, 8 → 16)
        ~   Dropout [p 0.1 → 0.2] (N, 8 → 16)
          two: mlp width=3 (N, 3)
        .   Linear 16 to 3 [so in_features 8 → 16] (N, 3)
        ~   Dropout [p 0.1 → 0.2] (N, 3)
        ~ three: mlp width=4/6 × 2 [width [4, 5] → [4, 6]] (N, 5 → 6)
        ~   Linear 3/4 to 4/6 [out_features 5 → 6] (N, 4/5 → 4/6)
        ~   Dropout [p 0.1 → 0.2] (N, 4/5 → 4/6)
        . three (N, 5 → 6)

    """,
}


@pytest.mark.parametrize("title", PICTURES)
def test_the_picture_shows_both_graphs(title: str) -> None:
    picture = joined(*CASES[title])
    assert [*outline(picture.items), "", *edges(picture)] == dedent(PICTURES[title]).split("\n")[
        1:-1
    ]


@pytest.mark.parametrize("title", CASES)
def test_every_edge_of_the_picture_connects_two_boxes(title: str, tmp_path: Path) -> None:
    review = mg.diff(*CASES[title])
    picture = joined(*CASES[title])
    ids = [box.id for box in boxes(picture.items)]
    assert len(set(ids)) == len(ids)
    assert {end for edge in picture.edges for end in edge[:2]} <= set(ids)
    review.draw(tmp_path / "diff.svg", depth=1)
    ElementTree.parse(tmp_path / "diff.svg")


@settings(max_examples=30)
@given(st.data(), specs())
def test_the_picture_contains_the_whole_new_graph(data: st.DataObject, spec: Spec) -> None:
    check_picture(graph(to_yaml(spec)), graph(data.draw(edited(spec))))


@pytest.mark.parametrize("one", range(len(SPECS)), ids=lambda number: SPECS[number].stem)
def test_the_picture_of_two_unrelated_specs_contains_the_whole_new_graph(one: int) -> None:
    check_picture(mg.load(SPECS[one - 1]), mg.load(SPECS[one]))


def check_picture(old: Graph, new: Graph) -> None:
    """Check that boxes and edges not marked as removed are exactly the boxes and edges of the new graph."""
    picture, own = joined(old, new), diagram(new.typed)
    ids = [box.id for box in boxes(picture.items)]
    assert len(set(ids)) == len(ids)
    assert {end for edge in picture.edges for end in edge[:2]} <= set(ids)
    assert [id_ for id_ in ids if not id_.startswith("was ")] == [b.id for b in boxes(own.items)]
    kept = [edge._replace(mark="") for edge in picture.edges if edge.mark != "removed"]
    assert kept == list(own.edges)


def test_the_picture_of_equal_graphs_has_no_marks() -> None:
    title = "A default written out, an expression, docs and order change nothing"
    picture = joined(*CASES[title])
    assert not edges(picture)
    assert not any(line.strip()[0] in "+-~" for line in outline(picture.items))


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("A module shared, another frozen", "~ b: Linear, shares a [share none → a] (N, 4)"),
        (
            "An item of an each is renamed",
            "~ emb: Embedding 9/5 to 4, each of 2 [b → z] (N, 4) × 2",
        ),
        (
            "The axes, loops, copies and constants of nodes",
            "~ mean: average [from [experts.0, experts.1] → [experts.0, experts.1, experts.2]] (N, T, 4)",
        ),
    ],
)
def test_a_box_says_what_changed_if_no_edge_does(title: str, line: str) -> None:
    assert line in outline(joined(*CASES[title]).items)


def test_blocks_without_a_change_are_closed() -> None:
    old = """
        inputs: {x: [4]}
        blocks: {mlp: {params: {width: null}, seq: [{Linear: $width}, ReLU]}}
        nodes:
          same: {from: x, seq: [{Linear: 4}, {mlp: 8}]}
          other: {from: same, seq: [{mlp: 4}, {Dropout: 0.1}]}
        outputs: other
    """
    picture = mg.diff(mg.loads(old), mg.loads(old.replace("0.1", "0.2"))).scene().shown
    assert outline(picture.items) == [
        "  x (N, 4)",
        "  same: Linear 4 + mlp (N, 8)",
        "  other: seq (N, 4)",
        "    mlp width=4 (N, 4)",
        "~   Dropout [p 0.1 → 0.2] (N, 4)",
        "  other (N, 4)",
    ]
    assert [edge[:2] for edge in picture.edges] == [
        ("x", "same"),
        ("same", "other.0"),
        ("other.0", "other.1"),
        ("other.1", "output other"),
    ]


def test_a_closed_block_is_marked_if_something_inside_changed() -> None:
    picture = fold(joined(*CASES["A change in a block used often is listed once"]), 0)
    assert outline(picture.items) == [
        "  x (N, 3, 8, 8)",
        "~ stage1: residual × 12 [conv: kernel_size 3 → 5, padding 1 → 2; + norm; sum: other sources] (N, 3, 8, 8)",
        "  wide: Conv2d 3 to 8, kernel_size=1 (N, 8, 8, 8)",
        "~ stage2: residual × 3 [repeat 2 → 3; conv: kernel_size 3 → 5, padding 1 → 2; + norm; sum: other sources] (N, 8, 8, 8)",
        "  stage2 (N, 8, 8, 8)",
    ]


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ("{Linear: 4}, Tanh, {Dropout: 0.1}", ()),
        ("{Linear: 4}, Tanh, {Dropout: 0.2}", ("Dropout: p 0.1 → 0.2",)),
        ("{Linear: 4}, {Dropout: 0.1}", ("− Tanh",)),
        ("{Linear: 4}, GELU, {Dropout: 0.1}", ("Tanh → GELU",)),
        ("{Linear: 4}, Tanh, {Dropout: 0.1}, Tanh, ELU", ("+ Tanh", "+ ELU")),
        (
            "{Linear: 5}, ELU, Tanh, {Dropout: 0.2}, GELU",
            ("Linear: out_features 4 → 5", "+ ELU", "Dropout: p 0.1 → 0.2", "+ GELU"),
        ),
        (
            "{Linear: 5}, ELU, Tanh, {Dropout: 0.2}, GELU, Mish, SELU",
            ("Linear: out_features 4 → 5", "+ ELU", "Dropout: p 0.1 → 0.2", "and 3 more"),
        ),
        ("{Linear: 4}, Tanh, {Dropout: 0.1}, ELU, ELU, ELU", ("+ ELU",)),
    ],
    ids=[
        "nothing",
        "an option",
        "a layer less",
        "another layer",
        "more layers",
        "four",
        "six",
        "alike once",
    ],
)
def test_a_closed_block_names_what_changed_inside(layers: str, words: tuple[str, ...]) -> None:
    text = "inputs: {x: [4]}\nnodes: {y: {from: x, seq: [LAYERS]}}\noutputs: y"
    old = text.replace("LAYERS", "{Linear: 4}, Tanh, {Dropout: 0.1}")
    picture = joined(mg.loads(old), mg.loads(text.replace("LAYERS", layers)))
    (box,) = (item for item in fold(picture, 0).items if item.id == "y")
    assert box.mark == ("changed" if words else "")
    assert isinstance(box, Box)
    assert box.edits == words


def test_a_closed_block_in_which_options_only_follow_is_marked_as_following() -> None:
    old = """
        inputs: {x: [4]}
        blocks: {mlp: {seq: [{Linear: 8}, ReLU]}}
        nodes:
          wide: {layer: Linear, from: x, out_features: 4}
          tower: {block: mlp, from: wide}
        outputs: tower
    """
    picture = joined(mg.loads(old), mg.loads(old.replace("out_features: 4", "out_features: 6")))
    assert outline(fold(picture, 0).items) == [
        "  x (N, 4)",
        "~ wide: Linear [out_features 4 → 6] (N, 4 → 6)",
        ". tower: mlp [so other sizes in 1 node] (N, 8)",
        "  tower (N, 8)",
    ]


def test_only_blocks_in_which_an_author_changed_something_are_open() -> None:
    """A depth opens the others too; the edges into a closed block are one, whatever changed inside."""
    old = """
        inputs: {x: [4]}
        blocks: {mlp: {seq: [{Linear: 8}, ReLU]}}
        nodes:
          first: {from: x, seq: [{Linear: 4}, Tanh]}
          tower: {block: mlp, from: first}
        outputs: tower
    """
    review = mg.diff(mg.loads(old), mg.loads(old.replace("Linear: 4}, Tanh", "Linear: 6}")))
    shown = review.scene().shown
    assert outline(shown.items) == [
        "  x (N, 4)",
        ". first: seq (N, 4 → 6)",
        "~   Linear [out_features 4 → 6] (N, 4 → 6)",
        "-   Tanh (N, 4)",
        ". tower: mlp [so other sizes in 1 node] (N, 8)",
        "  tower (N, 8)",
    ]
    assert edges(shown) == [
        "+ first.0 -> tower",
        "- first.0 -> was first.1",
        "- was first.1 -> tower",
    ]
    closed = review.scene(depth=0).shown
    assert (
        outline(closed.items)[1]
        == "~ first: Linear 6 [Linear: out_features 4 → 6; − Tanh] (N, 4 → 6)"
    )
    assert edges(closed) == []
    assert len(list(boxes(review.scene(depth="all").shown.items))) == 6


MORE_SPECS = Path(__file__).parents[1] / "picture" / "more_specs"


def test_in_a_large_picture_layers_in_a_row_are_one_box() -> None:
    old = (MORE_SPECS / "chain.yaml").read_text()
    new = mg.loads(old.replace("from: norm13}", "from: norm13, approximate: tanh}"))
    picture = mg.diff(mg.loads(old), new).scene().shown
    assert [line.partition(" [")[0] for line in outline(picture.items)] == [
        "  x (N, 64)",
        "  fc1 … norm13: 50 layers: Linear 72 + LayerNorm + GELU + Dropout + Linear 80 + LayerNorm + … (N, 88)",
        "~ act13: GELU",
        "  drop13 … drop25: 49 layers: Dropout + Linear 96 + LayerNorm + GELU + Dropout + Linear 64 + … (N, 64)",
        "  drop25 (N, 64)",
    ]


def test_in_a_large_picture_an_old_graph_with_little_in_common_is_one_box() -> None:
    review = mg.diff(mg.load(MORE_SPECS / "chain.yaml"), mg.load(MORE_SPECS / "experts.yaml"))
    first, *others = review.scene(depth=None).shown.items
    assert outline((first,)) == ["- Chain: 101 inputs, nodes and outputs"]
    assert not any(item.mark == "removed" for item in others)


def test_sizes_that_a_block_takes_from_its_inputs_only_follow() -> None:
    old = """
        inputs: {x: [4]}
        blocks:
          mlp: {params: {width: null}, seq: [{Linear: $width}]}
          gate:
            inputs: {x: [D]}
            nodes:
              g: {layer: Linear, from: x, out_features: $D, activation: Sigmoid}
              m: {block: mlp, from: g, width: $D}
              out: {merge: multiply, from: [x, m]}
            outputs: out
        nodes:
          wide: {layer: Linear, from: x, out_features: 4}
          gated: {block: gate, from: wide}
        outputs: gated
    """
    picture = joined(mg.loads(old), mg.loads(old.replace("out_features: 4", "out_features: 6")))
    assert outline(picture.items)[2:6] == [
        ". gated: gate (N, 4 → 6)",
        ".   g: Linear + Sigmoid [so out_features 4 → 6; so in_features 4 → 6] (N, 4 → 6)",
        ".   m: mlp [so width 4 → 6] (N, 4 → 6)",
        ".     Linear [so out_features 4 → 6; so in_features 4 → 6] (N, 4 → 6)",
    ]


def test_the_description_of_the_picture_counts_the_changes(tmp_path: Path) -> None:
    review = mg.diff(*CASES["A node removed"])
    summary = "Changes (1 removed, 2 changed, 1 following) in the architecture of Model"
    for ending in ("svg", "mmd", "html"):
        review.draw(tmp_path / f"diff.{ending}")
        assert summary in (tmp_path / f"diff.{ending}").read_text()


def test_the_page_has_the_details_of_removed_and_new_nodes(tmp_path: Path) -> None:
    review = mg.diff(*CASES["A node removed"])
    details = review._details()
    old, new = details["a"]
    assert old is not None
    assert new is not None
    assert [(c.name, c.value) for c in old.options][:1] == [("out_features", "4")]
    assert [(c.name, c.value) for c in new.options][:1] == [("out_features", "8")]
    assert details["was b"].data().keys() == {"old"}
    assert details["was b"].data()["old"]["op"] == "Linear"
