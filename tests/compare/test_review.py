"""The output of `mimgraph diff`; the expected texts are in `diff/`, and `--rewrite` updates them."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
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
from mimgraph.picture.diagram.model import Box, Diagram, boxes
from tests.compare.test_compare import edited, graph
from tests.conftest import SPECS
from tests.helpers.shown import cases, check
from tests.helpers.strategies import Spec, specs, to_yaml
from tests.picture.drawing import drawing

FOLDER = Path(__file__).parent / "diff"
CASES = cases(FOLDER / "changes.md")


def review_of(old: str, new: str) -> Review:
    return mg.diff(mg.loads(old), mg.loads(new))


def joined(old: str, new: str) -> Diagram:
    """Return the diagram of both specs, all of its blocks open."""
    one, other = mg.loads(old), mg.loads(new)
    found = mg.diff(one, other).difference.inside
    return union(diagram(one.typed), diagram(other.typed), found).diagram


@pytest.mark.parametrize("name", ["changes", "pull_request", "pictures"])
def test_diff_shows_the_expected_text(
    name: str, rewrite: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture inside the Markdown has tests of its own, and is left out."""
    monkeypatch.setattr(Review, "_mermaid", lambda _: "flowchart\n")
    check(
        FOLDER / f"{name}.md",
        rewrite,
        text=lambda *specs: review_of(*specs).text(),
        markdown=lambda *specs: review_of(*specs).markdown().removesuffix("\n"),
        picture=lambda *specs: drawing(joined(*specs)),
        shown=lambda *specs: drawing(review_of(*specs).scene().shown),
        opened=lambda *specs: drawing(review_of(*specs).scene(depth="all").shown),
        closed=lambda *specs: drawing(review_of(*specs).scene(depth=0).shown),
    )


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[Graph, Graph]:
    """Return the two graphs of each case of `changes.md`."""
    old, new = CASES[request.param]
    return mg.loads(old), mg.loads(new)


def test_a_review_is_data_markdown_and_a_picture(case: tuple[Graph, Graph], tmp_path: Path) -> None:
    review = mg.diff(*case)
    data = review.data()
    assert json.loads(json.dumps(data)) == data
    assert bool(data["changes"]) == bool(review)
    for which, one in zip(("old", "new"), case, strict=True):
        assert data["params"][which] == one.summary().params
        assert data["macs"][which] == one.summary().macs
    # swapped, what was added is removed
    back = mg.diff(*case[::-1]).data()
    for status, other in (("added", "removed"), ("removed", "added")):
        assert named(data, status) == named(back, other), status
    # Markdown has a row for each change
    tables = read_as_on_github(review.markdown()).findall(".//table")
    rows = tables[0].findall(".//tbody/tr") if tables else []
    changes = [change["name"] for change in data["changes"] if change["status"] != "follows"]
    assert ["".join(row[1].itertext()) for row in rows] == changes
    # no text is wider than the terminal
    for width in (40, 60, 80, 120):
        assert max(map(len, review.text(width).splitlines())) <= width
    assert review.text(1) == review.text(40)
    # the picture connects boxes and is valid XML
    check_picture(*case)
    review.draw(tmp_path / "diff.svg", depth=1)
    ElementTree.parse(tmp_path / "diff.svg")


def named(data: dict[str, list[dict[str, str]]], status: str) -> set[str]:
    return {change["name"] for change in data["changes"] if change["status"] == status}


def read_as_on_github(text: str) -> ElementTree.Element:
    html = cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)
    return ElementTree.fromstring(f"<html>{html}</html>")


def test_colors_add_nothing_but_terminal_codes() -> None:
    review = review_of(*CASES["A node added, its reader rewired"])
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
        mg.diff(mg.loads(CASES["A node removed"][0]), None)  # type: ignore[arg-type]


# --- Markdown -------------------------------------------------------------------------------------


@pytest.mark.slow
@given(st.text(min_size=1).map(visible) | st.text("`|\\<>&*_~[]()#@ $:/a1", min_size=1))
def test_a_text_of_a_spec_stays_inside_its_table_cell(word: str) -> None:
    page = read_as_on_github(f"| a | b |\n|---|---|\n| {code(word)} | last |")
    cells = page.findall(".//td")
    assert [[child.tag for child in cell] for cell in cells] == [["code"], []]
    assert cells[0][0].text == word


def test_markdown_has_the_picture_as_a_fenced_block_of_mermaid() -> None:
    review = review_of(*CASES["A change in a block used often is listed once"])
    (picture,) = read_as_on_github(review.markdown()).findall(".//pre[@lang='mermaid']/code")
    assert picture.text is not None and picture.text.startswith(("%%", "---", "flowchart"))
    assert "kernel_size 3 → 5" in picture.text
    assert re.search(
        "``````mermaid\n.*?\n``````\n", markdown(review.difference, "a `````\n"), re.DOTALL
    )


# --- the picture ----------------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.data(), specs())
def test_the_picture_contains_the_whole_new_graph(data: st.DataObject, spec: Spec) -> None:
    check_picture(graph(to_yaml(spec)), graph(data.draw(edited(spec))))


def test_the_picture_of_two_unrelated_specs_contains_the_whole_new_graph(spec: Path) -> None:
    check_picture(mg.load(SPECS[SPECS.index(spec) - 1]), mg.load(spec))


def check_picture(old: Graph, new: Graph) -> None:
    """Check that boxes and edges not marked as removed are exactly the boxes and edges of the new graph."""
    found, own = mg.diff(old, new).difference.inside, diagram(new.typed)
    picture = union(diagram(old.typed), own, found).diagram
    ids = [box.id for box in boxes(picture.items)]
    assert len(set(ids)) == len(ids)
    assert {end for edge in picture.edges for end in edge[:2]} <= set(ids)
    assert [id_ for id_ in ids if not id_.startswith("was ")] == [b.id for b in boxes(own.items)]
    kept = [edge._replace(mark="") for edge in picture.edges if edge.mark != "removed"]
    assert kept == list(own.edges)


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
    picture = joined(old, text.replace("LAYERS", layers))
    (box,) = (item for item in fold(picture, 0).items if item.id == "y")
    assert box.mark == ("changed" if words else "")
    assert isinstance(box, Box)
    assert box.edits == words


MORE_SPECS = Path(__file__).parents[1] / "picture" / "more_specs"


def test_in_a_large_picture_layers_in_a_row_are_one_box() -> None:
    old = (MORE_SPECS / "chain.yaml").read_text()
    new = mg.loads(old.replace("from: norm13}", "from: norm13, approximate: tanh}"))
    picture = mg.diff(mg.loads(old), new).scene().shown
    assert [(item.mark, item.title, item.subtitle[:9]) for item in picture.items] == [
        ("", "x", ""),
        ("", "fc1 … norm13", "50 layers"),
        ("changed", "act13", "GELU"),
        ("", "drop13 … drop25", "49 layers"),
        ("", "drop25", ""),
    ]


def test_in_a_large_picture_an_old_graph_with_little_in_common_is_one_box() -> None:
    review = mg.diff(mg.load(MORE_SPECS / "chain.yaml"), mg.load(MORE_SPECS / "experts.yaml"))
    first, *others = review.scene(depth=None).shown.items
    assert (first.mark, first.title, first.subtitle) == (
        *("removed", "Chain", "101 inputs, nodes and outputs"),
    )
    assert not any(item.mark == "removed" for item in others)


def test_the_description_of_the_picture_counts_the_changes(tmp_path: Path) -> None:
    review = review_of(*CASES["A node removed"])
    summary = "Changes (1 removed, 2 changed, 1 following) in the architecture of Model"
    for ending in ("svg", "mmd", "html"):
        review.draw(tmp_path / f"diff.{ending}")
        assert summary in (tmp_path / f"diff.{ending}").read_text()


def test_the_page_has_the_details_of_removed_and_new_nodes(tmp_path: Path) -> None:
    review = review_of(*CASES["A node removed"])
    details = review._details()
    old, new = details["a"]
    assert old is not None
    assert new is not None
    assert [(c.name, c.value) for c in old.options][:1] == [("out_features", "4")]
    assert [(c.name, c.value) for c in new.options][:1] == [("out_features", "8")]
    assert details["was b"].data().keys() == {"old"}
    assert details["was b"].data()["old"]["op"] == "Linear"
