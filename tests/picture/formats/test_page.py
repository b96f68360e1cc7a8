"""A page works in a real browser: a reader can look, fold, search, follow paths and links, and use keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import mimgraph
from mimgraph.compare.review import Review
from mimgraph.picture import RenderError
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, every
from mimgraph.picture.formats import page
from mimgraph.picture.formats.page import plan_data
from mimgraph.picture.scene import Scene, Theme
from tests.conftest import ROOT, SPECS
from tests.helpers.accessibility import violations
from tests.helpers.browser import Tab
from tests.picture.formats.test_html import HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

PHONE = {"width": 390, "height": 844}
SPEC = """
name: Pair
doc: two towers
inputs: {left: [3, 8, 8], right: [5]}
blocks:
  conv: {params: {width: null}, seq: [{Conv2d: {out_channels: $width, kernel_size: 3}}, ReLU]}
nodes:
  tower: {from: left, seq: [{conv: {width: 4}}, Flatten]}
  numbers: {layer: Linear, from: right, out_features: 8}
  fused: {merge: concat, from: [tower, numbers], activation: Tanh}
  score: {layer: Linear, from: fused, out_features: 1}
outputs: score
"""


# Returns the boxes that overlap, and the boxes that an edge crosses.
OVERLAPS = """() => {
    const boxes = [...document.querySelectorAll(".box[data-id]")].map((one) => {
        return [one.dataset.id, one.querySelector(".shape").getBoundingClientRect()];
    });
    const cross = (a, b) =>
        a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    const points = [...document.querySelectorAll("path.edge")].flatMap((path) => {
        const length = path.getTotalLength();
        const count = Math.max(1, Math.ceil(length / 8));
        return Array.from({ length: count + 1 }, (_, i) => {
            const at = path.getPointAtLength((i * length) / count);
            return new DOMPoint(at.x, at.y).matrixTransform(path.getScreenCTM());
        });
    });
    const holds = ({ left, right, top, bottom }, { x, y }) =>
        x > left + 2 && x < right - 2 && y > top + 2 && y < bottom - 2;
    const under = boxes.flatMap(([one, a], i) =>
        boxes.slice(i + 1).filter(([, b]) => cross(a, b)).map(([other]) => `${one} ${other}`));
    const crossed = boxes.filter(([, box]) => points.some((point) => holds(box, point)));
    return [...under, ...crossed.map(([id]) => `an edge ${id}`)];
}"""


class Reader:
    """Someone who looks at the page of a graph."""

    def __init__(self, tab: Tab, path: Path) -> None:
        self.tab, self.page, self.path = tab, tab.page, path

    def open(self, fragment: str = "") -> None:
        self.tab.open(self.path, fragment)

    def item(self, id_: str) -> Any:
        return self.page.locator(f'[data-id="{id_}"]')

    @property
    def items(self) -> list[str]:
        """The ids of all items that are drawn."""
        self.tab.settle()
        found = self.page.locator("[data-id]")
        ids: list[str] = found.evaluate_all("all => all.map(one => one.dataset.id)")
        return ids

    @property
    def lit(self) -> list[str]:
        """The ids on the highlighted paths, through the item under the pointer or with the focus."""
        self.tab.settle()
        found = self.page.locator("[data-id].on")
        ids: list[str] = found.evaluate_all("all => all.map(one => one.dataset.id)")
        return ids

    @property
    def focused(self) -> str:
        self.tab.settle()
        id_: str = self.page.evaluate("document.activeElement.dataset.id")
        return id_

    @property
    def panel(self) -> str:
        """The text in the panel of details, "" if it is closed."""
        self.tab.settle()
        panel = self.page.locator("#panel")
        return panel.inner_text() if panel.is_visible() else ""

    @property
    def said(self) -> str:
        """The text that was announced last to screen readers."""
        self.tab.settle()
        return self.page.locator("#status").inner_text()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "pair.html"
    mimgraph.loads(SPEC).draw(path)
    return path


Show = Callable[..., Reader]


@pytest.fixture
def show(tab: Tab, tmp_path: Path) -> Show:
    """Return a function that draws a text, graph or diagram, and opens its page in a window of a size."""

    def show(
        what: str | mimgraph.Graph | Review | Diagram,
        at: str = "",
        size: Any = None,
        **options: Any,
    ) -> Reader:
        path = tmp_path / "page.html"
        if isinstance(what, Diagram):
            path.write_text(page.render(Scene(what)))
        else:
            graph = mimgraph.loads(what) if isinstance(what, str) else what
            graph.draw(path, **options)
        if size is not None:
            tab.page.set_viewport_size(size)
        reader = Reader(tab, path)
        reader.open(at)
        return reader

    return show


def gallery(name: str) -> mimgraph.Graph:
    return mimgraph.load(ROOT / "specs" / f"{name}.yaml")


@pytest.fixture
def reader(tab: Tab, path: Path) -> Reader:
    reader = Reader(tab, path)
    reader.open()
    return reader


ALL = [
    *("left", "right", "tower", "tower.0", "tower.0.0", "tower.0.1", "tower.1"),
    *("numbers", "fused", "score", "output score"),
]


def test_a_small_graph_is_fully_visible_at_first(reader: Reader) -> None:
    assert reader.items == ALL
    edges = reader.page.locator("path.edge")
    assert edges.count() == 8
    seen = reader.page.locator("#picture").bounding_box()
    for id_ in reader.items:
        box = reader.item(id_).bounding_box()
        assert box["x"] >= seen["x"] and box["x"] + box["width"] <= seen["x"] + seen["width"]
        assert box["y"] >= seen["y"] and box["y"] + box["height"] <= seen["y"] + seen["height"]


def test_boxes_do_not_overlap_and_edges_run_down(reader: Reader) -> None:
    assert reader.page.evaluate(OVERLAPS) == []
    order = ["left", "tower.0.0", "tower.0.1", "tower.1", "fused", "score", "output score"]
    tops = [reader.item(id_).bounding_box()["y"] for id_ in order]
    assert tops == sorted(tops)


def test_the_page_requests_nothing(reader: Reader) -> None:
    reader.item("score").click()
    reader.page.locator("#theme").click()
    assert reader.tab.requests == [reader.path.as_uri()]


def test_the_picture_is_painted(reader: Reader) -> None:
    before = reader.page.screenshot()
    reader.page.evaluate("document.getElementById('picture').replaceChildren()")
    blank = reader.page.screenshot()
    assert len(before) > len(blank) + 5_000


def test_text_fits_into_its_box(show: Show) -> None:
    reader = show(mimgraph.load(SPECS[0]))
    outside = reader.page.evaluate("""() => {
        const area = (one) => one.getBoundingClientRect();
        return [...document.querySelectorAll(".box[data-id]")].flatMap((box) => {
            const { left, right, top, bottom } = area(box.querySelector(":scope > .shape:not(.sheet)"));
            return [...box.querySelectorAll(":scope > text")].filter((text) => {
                const at = area(text);
                return at.left < left || at.right > right || at.top < top || at.bottom > bottom;
            }).map((text) => text.textContent);
        });
    }""")
    assert outside == []


def test_a_click_shows_the_details_of_a_node(reader: Reader) -> None:
    reader.item("score").click()
    panel = reader.panel
    for text in ("out_features\t1", "in_features\t152 inferred", "(N, 1) float32"):
        assert text in panel
    assert "parameters\t153" in panel and "MACs per sample\t152" in panel
    assert "score: {layer: Linear, from: fused, out_features: 1}" in panel
    assert "self.score = nn.Linear(152, 1)" in panel
    reader.page.get_by_role("button", name="fused").click()
    assert reader.panel.startswith("fused")
    reader.page.locator("#close").click()
    assert reader.panel == ""


def test_backticks_in_a_doc_become_code(show: Show) -> None:
    doc = "takes `x`, ``y`` and one ` more: `<b>`"
    spec = f"inputs: {{x: {{shape: [4], doc: '{doc}'}}}}\nnodes: {{}}\noutputs: x"
    reader = show(spec, at="#node=x")
    assert reader.page.locator("#panel p code").all_inner_texts() == ["x", "y", "<b>"]
    assert "takes x, y and one ` more: <b>" in reader.panel


REPEATS = """
inputs: {x: [8], y: [4], c: {vocab: 9}}
blocks:
  step:
    inputs: [x]
    nodes: {fc: {layer: Linear, from: x, out_features: 8}, sum: {merge: add, from: [x, fc]}}
    outputs: sum
nodes:
  columns: {layer: Embedding, each: [c], embedding_dim: 8}
  encoded: {block: step, from: x, repeat: 12}
  vec: {from: encoded, seq: [ReLU, Tanh]}
  z: {merge: concat, from: [columns.*, vec, y]}
outputs: z
"""


def test_the_sources_of_a_node_have_the_names_and_order_of_the_spec(show: Show) -> None:
    reader = show(REPEATS)

    def read(id_: str) -> list[list[str]]:
        reader.open(f"#node={id_}")
        links = reader.page.locator("#panel .links").all_inner_texts()
        return [text.split("\n") for text in links]

    assert read("z") == [["columns", "vec", "y"], ["z"]]
    assert read("vec") == read("vec.0")[:1] + [["z"]] == [["encoded"], ["z"]]
    assert read("encoded.0.sum") == [["x", "encoded.0.fc"], ["vec"]]
    assert "WEIGHTS AND COMPUTE OF ALL 12 REPEATS" in reader.panel.upper()


def test_a_source_in_an_open_chain_is_its_last_layer(show: Show) -> None:
    reader = show(large(12, 0), at="#node=n11", collapse=True)
    reader.open("#node=output n11")
    links = reader.page.locator("#panel .links").all_inner_texts()
    assert links == ["n11"]


def test_a_block_folds_into_one_box_and_opens_again(reader: Reader) -> None:
    reader.item("tower").locator("> .handle").click()
    assert reader.items == [id_ for id_ in ALL if not id_.startswith("tower.")]
    assert reader.item("tower").get_attribute("aria-expanded") == "false"
    assert reader.page.locator("path.edge").count() == 6
    assert reader.said == "tower folded"
    reader.item("tower").locator("> .handle").click()
    assert reader.items == ALL
    assert reader.item("tower").get_attribute("aria-expanded") == "true"


def test_a_click_on_a_folded_block_shows_its_details_and_two_clicks_unfold_it(
    reader: Reader,
) -> None:
    reader.item("tower").locator("> .handle").click()
    name = reader.item("tower").get_by_text("tower", exact=True)
    name.click()
    assert reader.panel.startswith("tower") and "Unfold" in reader.panel
    assert "tower.0" not in reader.items and "tower" in reader.lit
    reader.press("Escape")
    name.dblclick()
    assert "tower.0" in reader.items and "Fold" in reader.panel
    reader.press("Enter")
    assert "tower.0" not in reader.items


CLEAR = """() => [...document.querySelectorAll(".handle")].filter((handle) => {
    const [chevron, item] = [handle.querySelector(".chevron"), handle.parentNode];
    const at = chevron.getBoundingClientRect();
    const shape = item.querySelector(":scope > .wall, :scope > .shape:not(.sheet)");
    const texts = [...item.querySelectorAll(":scope > text")].map((text) => text.getBoundingClientRect());
    const isBeside = texts.every(({ left }) => left >= at.right + 2);
    return !(isBeside && at.left >= shape.getBoundingClientRect().left + 1);
}).map((handle) => handle.parentNode.dataset.id)"""


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_chevron_is_clear_of_the_title_and_the_wall(show: Show, depth: int) -> None:
    reader = show(gallery("mult"), depth=depth)
    assert reader.page.locator(".handle").count() > 3
    assert reader.page.evaluate(CLEAR) == []


def test_folding_keeps_the_block_where_it_was(reader: Reader) -> None:
    before = reader.item("tower.0").locator("> .wall").bounding_box()
    reader.item("tower.0").locator("> .handle").click()
    sheet, front = reader.item("tower.0").locator("> .shape").all()
    corner = front.bounding_box()["x"], sheet.bounding_box()["y"]
    assert corner == pytest.approx((before["x"], before["y"]), abs=2)


def test_edges_that_are_folded_together_are_drawn_once(show: Show) -> None:
    def block(name: str, *inner: str) -> Cluster:
        boxes = tuple(Box(f"{name}.{word}", "layer", word) for word in inner)
        return Cluster(name, "block", name, "", boxes)

    edges = tuple(Edge(f"a.{tail}", f"b.{head}") for tail in "xy" for head in "xy")
    picture = Diagram("D", "", (block("a", "x", "y"), block("b", "x", "y")), edges)
    reader = show(picture)
    assert reader.page.locator("path.arrow").count() == 4
    reader.item("b").locator("> .handle").click()
    assert reader.page.locator("path.arrow").count() == 2
    reader.item("a").locator("> .handle").click()
    assert reader.page.locator("path.arrow").count() == 1


def test_an_empty_picture_opens(show: Show) -> None:
    reader = show(Diagram("D", "", (), ()))
    reader.page.locator("#fit").click()
    reader.page.locator("#more").click()
    assert reader.items == [] and reader.said.startswith("unfolded")


def test_no_label_of_an_edge_lies_on_another(show: Show) -> None:
    for depth, number in ((0, 9), (1, 11)):
        reader = show(gallery("mult"), depth=depth)
        found = reader.page.locator("text.label")
        places = found.evaluate_all(
            "all => all.map((one) => one.getAttribute('x') + ' ' + one.getAttribute('y'))"
        )
        assert len(places) == len(set(places)) == number


def test_buttons_fold_and_unfold_whole_levels(reader: Reader) -> None:
    reader.page.locator("#less").click()
    assert "tower.0" in reader.items and "tower.0.0" not in reader.items
    reader.page.locator("#less").click()
    assert "tower.0" not in reader.items
    reader.page.locator("#more").click()
    reader.page.locator("#more").click()
    assert reader.items == ALL


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("numbers", ["numbers"]),
        ("conv2d", ["tower.0.0"]),
        ("linear", ["numbers", "score"]),
        ("(n, 8)", ["numbers"]),
        ("linear (n, 1)", ["score"]),
        ("tower.0", ["tower.0", "tower.0.0", "tower.0.1"]),
        ("nowhere", []),
    ],
)
def test_search_finds_by_name_op_and_shape(reader: Reader, words: str, found: list[str]) -> None:
    reader.page.locator("#search").fill(words)
    rows = reader.page.locator("#results li b")
    assert rows.all_inner_texts() == found
    assert reader.said == f"{len(found)} result{'' if len(found) == 1 else 's'}"


def test_going_to_a_result_opens_the_blocks_around_it(reader: Reader) -> None:
    reader.item("tower").locator("> .handle").click()
    reader.press("/")
    reader.page.keyboard.type("tower.0.")
    reader.press("ArrowDown", "Enter")
    reader.page.locator("#panel").wait_for()
    assert reader.panel.startswith("tower.0.1")
    assert reader.focused == "tower.0.1"
    assert "tower.0.1" in reader.items and reader.page.url.endswith("#node=tower.0.1")


def test_hovering_highlights_the_paths_from_inputs_to_outputs(reader: Reader) -> None:
    reader.item("numbers").hover()
    assert reader.lit == NUMBERS
    assert reader.page.locator("path.edge.on").count() == 4
    reader.item("tower.0.1").hover()
    assert "right" not in reader.lit and {"left", "tower.0.0", "output score"} <= {*reader.lit}
    reader.page.locator("h1").hover()
    assert reader.lit == []


NUMBERS = ["right", "numbers", "fused", "score", "output score"]  # the path through numbers


def test_a_page_leaves_blocks_closed_that_are_too_deep_to_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def box(id_: str) -> Box:
        return Box(id_, "layer", id_, "Tanh", ("(N, 4)",))

    inner = Cluster("a.b", "block", "b", "", tuple(box(f"a.b.{i}") for i in range(9)))
    whole = Diagram("Deep", "", (Cluster("a", "block", "a", "", (box("a.x"), inner)),), ())
    assert plan_data.foldable(whole, 0) == whole
    monkeypatch.setattr(plan_data, "MOST_PLANNED", 10)
    ids = [item.id for item in every(plan_data.foldable(whole, 0).items)]
    assert ids == ["a", "a.x", "a.b"]
    assert plan_data.foldable(whole, 2) == whole


def test_a_page_with_too_many_edges_is_refused() -> None:
    edges = tuple(Edge("a", "b", f"p{i}") for i in range(10_001))
    boxes = tuple(Box(name, "layer", name, "Tanh") for name in "ab")
    with pytest.raises(RenderError, match="10,001 edges, and at most 10,000 are drawn"):
        page.render(Scene(Diagram("Dense", "", boxes, edges)))


def test_a_path_through_an_each_stays_in_its_branch(show: Show) -> None:
    reader = show(gallery("two_tower_retrieval"))
    reader.item("context").click()
    assert {"query", "tower", "output user"} <= {*reader.lit}
    assert "output item" not in reader.lit
    reader.item("candidate").click()
    assert {"channel", "emb", "output item"} <= {*reader.lit}
    assert {*reader.lit}.isdisjoint({"country", "query", "output user"})


def test_a_click_lights_the_paths_until_the_next_click(reader: Reader) -> None:
    reader.item("numbers").click()
    reader.page.locator("h1").hover()
    assert reader.lit == NUMBERS
    reader.item("left").hover()
    assert "numbers" not in reader.lit
    reader.page.locator("#close").click()
    reader.page.locator("h1").hover()
    assert reader.panel == "" and reader.lit == NUMBERS
    reader.item("tower").locator("> .handle").click()
    assert reader.panel == ""
    reader.page.locator("h1").hover()
    assert reader.lit == NUMBERS
    reader.page.mouse.click(20, 400)  # beside the picture
    assert reader.lit == []


def test_escape_ends_the_light_and_the_search(reader: Reader) -> None:
    reader.page.locator("#search").fill("numbers")
    reader.press("Enter")
    reader.page.locator("h1").hover()
    reader.press("Escape")
    assert reader.lit == [] and reader.panel == ""
    assert reader.page.locator("#search").input_value() == ""


def test_a_high_picture_opens_at_its_top_in_letters_that_can_be_read(show: Show) -> None:
    reader = show(gallery("mult"), depth=1, size={"width": 1400, "height": 900})
    assert 0 < reader.item("text").bounding_box()["y"] < 200
    width = reader.item("text").locator(".shape")
    on_screen = width.bounding_box()["width"]
    assert on_screen >= 0.9 * float(width.get_attribute("width"))


def test_a_tap_lights_the_paths_too(chromium: Browser, path: Path) -> None:
    context = chromium.new_context(viewport=PHONE, has_touch=True)
    reader = Reader(Tab(context.new_page()), path)
    reader.open()
    reader.item("numbers").tap()
    assert reader.lit == NUMBERS and reader.panel.startswith("numbers")
    reader.item("left").tap()
    assert "left" in reader.lit and "numbers" not in reader.lit
    context.close()


def test_long_lines_wrap_in_the_panel_of_a_phone(show: Show) -> None:
    options = "out_features: 4, activation: ReLU, bias: false, in_features: 4"
    spec = f"inputs: {{x: [4]}}\nnodes: {{fc: {{layer: Linear, from: x, {options}}}}}\noutputs: fc"
    reader = show(spec, at="#node=fc", size=PHONE)
    wide = """() => [...document.querySelectorAll("#panel, #panel *")]
        .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth).length"""
    assert options in reader.panel and reader.page.evaluate(wide) == 0


def test_the_panel_of_a_comparison_shows_old_and_new(show: Show) -> None:
    new = SPEC.replace("out_features: 8}", "out_features: 16}")
    review = mimgraph.diff(mimgraph.loads(SPEC), mimgraph.loads(new))
    reader = show(review, at="#node=numbers")
    panel = reader.panel
    assert "out_features\t8 16" in panel and "in_features\t5 inferred" in panel
    assert "result\t(N, 8) float32 (N, 16) float32" in panel
    assert "parameters\t48 96" in panel
    assert panel.index("Spec before") < panel.index("out_features: 8}") < panel.index("Spec now")
    assert reader.page.locator("#panel del").all_inner_texts()[:1] == ["8"]
    reader.open("#node=left")
    assert "before" not in reader.panel and reader.page.locator("#panel ins").count() == 0


def test_a_link_to_a_node_opens_the_blocks_around_it(show: Show) -> None:
    reader = show(SPEC, depth=0)
    assert "tower.0.0" not in reader.items
    reader.open("#node=tower.0.0")
    assert "tower.0.0" in reader.items and reader.panel.startswith("tower.0.0")
    seen, box = (
        reader.page.locator("#picture").bounding_box(),
        reader.item("tower.0.0").bounding_box(),
    )
    middle = seen["x"] + seen["width"] / 2, seen["y"] + seen["height"] / 2
    assert (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) == pytest.approx(
        middle, abs=2
    )


def test_back_and_forward_go_through_the_selected_nodes(reader: Reader) -> None:
    reader.item("numbers").click()
    reader.item("score").click()
    reader.page.go_back()
    assert reader.panel.startswith("numbers")
    reader.page.go_back()
    assert reader.panel == ""
    reader.page.go_forward()
    assert reader.panel.startswith("numbers")


def test_the_link_of_a_node_is_copied(reader: Reader) -> None:
    reader.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reader.item("fused").click()
    reader.page.locator("#link").click()
    copied = reader.page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{reader.path.as_uri()}#node=fused"


def entries(reader: Reader) -> list[str]:
    return reader.page.locator("#legend").inner_text().split("\n")


def test_the_legend_explains_what_is_shown_and_nothing_else(show: Show) -> None:
    reader = show(gallery("mult"), depth=1)
    kinds = ["input", "layer", "merge"]
    inside = ["tensor of the model", "output", "folded", "folded and repeated"]
    assert entries(reader) == [*kinds, *inside]
    reader.page.locator("#less").click()
    assert entries(reader) == [*kinds, "output", "folded"]
    reader.page.locator("#more").click()
    reader.page.locator("#more").click()
    assert "same letter: same weights" in entries(reader)


def test_the_legend_of_a_phone_is_a_line_that_unfolds(tab: Tab, path: Path) -> None:
    tab.page.set_viewport_size(PHONE)
    reader = Reader(tab, path)
    reader.open()
    assert not reader.page.locator("#legend").is_visible()
    reader.page.get_by_text("Legend").click()
    assert "merge" in entries(reader)


def test_the_panel_and_the_legend_cover_no_node(show: Show) -> None:
    reader = show(gallery("two_tower_retrieval"), depth=0, size={"width": 1400, "height": 900})

    def boxes() -> dict[str, Any]:
        return {id_: reader.item(id_).bounding_box() for id_ in reader.items}

    def middles() -> list[float]:
        return [box["x"] + box["width"] / 2 for box in boxes().values()]

    before = middles()
    reader.item("tower").click()
    assert reader.panel
    panel, legend = (reader.page.locator(id_).bounding_box() for id_ in ("#panel", "#marks"))
    for box in boxes().values():
        assert box["x"] > 0 and box["x"] + box["width"] < panel["x"]
        assert box["y"] + box["height"] < legend["y"]
    reader.page.locator("#close").click()
    assert reader.panel == ""
    assert middles() == pytest.approx(before, abs=1)


def test_a_link_to_an_unknown_node_is_announced(reader: Reader) -> None:
    reader.open("#node=nobody")
    assert reader.said == "there is no node nobody in this graph" and reader.panel == ""


def test_everything_can_be_reached_by_keys(reader: Reader) -> None:
    reader.page.locator("#keys").focus()
    reader.press("Tab")
    assert reader.focused == "left"
    way = {"ArrowDown": "tower.0.0", "ArrowRight": "numbers", "End": "output score"}
    for key, to in way.items():
        reader.press(key)
        assert reader.focused == to
    reader.press("ArrowUp", "ArrowUp")
    assert reader.focused == "fused"
    reader.press("Enter")
    reader.page.locator("#panel").wait_for()
    assert reader.panel.startswith("fused")
    reader.press("Escape")
    reader.page.locator("#panel").wait_for(state="hidden")
    assert reader.focused == "fused"
    reader.press("Home", "ArrowDown", "Backspace")
    assert reader.focused == "tower.0"
    reader.press(" ")
    assert reader.item("tower.0").get_attribute("aria-expanded") == "false"
    assert reader.focused == "tower.0"
    reader.press("f", "Backspace", "f")
    assert reader.item("tower").get_attribute("aria-expanded") == "false"


def scale(reader: Reader) -> float:
    width: float = reader.item("score").bounding_box()["width"]
    return width


def test_the_picture_is_zoomed_and_moved(reader: Reader) -> None:
    first = scale(reader)
    reader.press("+")
    assert scale(reader) == pytest.approx(first * 1.25, rel=0.02)
    reader.press("-", "-")
    assert scale(reader) == pytest.approx(first / 1.25, rel=0.02)
    reader.press("0")
    assert scale(reader) == pytest.approx(first, rel=0.02)
    box = reader.item("score").bounding_box()
    at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    reader.page.mouse.move(*at)
    has_moved = "old => document.querySelector('#picture > svg').style.transform !== old"
    before = reader.page.evaluate("document.querySelector('#picture > svg').style.transform")
    reader.page.mouse.wheel(0, -300)
    reader.page.wait_for_function(has_moved, arg=before)
    zoomed = reader.item("score").bounding_box()
    assert zoomed["width"] > first * 1.2
    assert zoomed["x"] + zoomed["width"] / 2 == pytest.approx(at[0], abs=2)
    reader.page.mouse.down()
    reader.page.mouse.move(at[0] + 50, at[1] - 40, steps=4)
    reader.page.mouse.up()
    moved = reader.item("score").bounding_box()
    assert (moved["x"] - zoomed["x"], moved["y"] - zoomed["y"]) == pytest.approx((50, -40), abs=2)
    assert reader.panel == ""  # a drag is no click


def test_two_fingers_pinch(reader: Reader) -> None:
    first = scale(reader)
    touch = reader.page.context.new_cdp_session(reader.page)

    def fingers(kind: str, *xs: int) -> None:
        points = [{"x": x, "y": 400, "id": i} for i, x in enumerate(xs)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 500, 700)
    for by in (25, 50, 75, 100):
        fingers("touchMove", 500 - by, 700 + by)
    fingers("touchEnd")
    assert scale(reader) == pytest.approx(2 * first, rel=0.1)


def test_a_small_window_shows_name_search_and_selected_node(
    reader: Reader,
) -> None:
    def is_seen(id_: str) -> bool:
        seen, box = reader.page.locator("#picture").bounding_box(), reader.item(id_).bounding_box()
        right, low = box["x"] + box["width"], box["y"] + box["height"]
        across = seen["x"] <= box["x"] and right <= seen["x"] + seen["width"]
        return across and seen["y"] <= box["y"] and low <= seen["y"] + seen["height"]

    reader.item("score").click()
    reader.page.set_viewport_size({"width": 360, "height": 640})
    reader.page.wait_for_function("innerWidth === 360")
    assert reader.page.locator("#search").bounding_box()["width"] > 300
    name = reader.page.locator("h1")
    assert name.evaluate("name => name.scrollWidth <= name.clientWidth")
    assert is_seen("score")
    reader.item("score").click()
    reader.page.get_by_role("button", name="fused").click()
    panel = reader.page.locator("#panel").bounding_box()
    assert is_seen("fused") and panel["y"] + panel["height"] <= 640


@pytest.mark.parametrize(("width", "is_open"), [(1280, True), (390, False)])
def test_a_small_window_opens_with_blocks_folded_until_it_can_be_read(
    show: Show, width: int, is_open: bool
) -> None:
    reader = show(large(90, 3), depth="all", size={"width": width, "height": 800})
    assert ("n0.n0" in reader.items) is is_open
    reader.page.locator("#more").click()
    assert "n0.n0" in reader.items


def test_the_theme_is_the_one_drawn_until_the_reader_changes_it(show: Show) -> None:
    reader = show(SPEC, theme="dark")
    theme = reader.page.locator("html")
    assert theme.get_attribute("data-theme") == "dark"
    reader.page.locator("#theme").click()  # now the theme of the system
    assert theme.get_attribute("data-theme") == "light"
    reader.page.emulate_media(color_scheme="dark")
    reader.page.locator("html[data-theme=dark]").wait_for()
    reader.page.locator("#theme").click()
    assert theme.get_attribute("data-theme") == "light"


@pytest.mark.parametrize(("theme", "shown"), [(None, "dark"), ("light", "light"), ("dark", "dark")])
def test_without_a_theme_the_page_has_that_of_the_system(
    tab: Tab, show: Show, theme: Theme | None, shown: str
) -> None:
    tab.page.emulate_media(color_scheme="dark")
    reader = show(SPEC, theme=theme)
    assert reader.page.locator("html").get_attribute("data-theme") == shown


def test_a_screen_reader_hears_a_tree(reader: Reader) -> None:
    reader.item("tower.0").locator("> .handle").click()
    tree = reader.page.get_by_role("tree", name=re.compile("Architecture of Pair: .* two towers"))
    heard = tree.aria_snapshot()
    lines = [
        '- treeitem "left, (N, 3, 8, 8), input" [level=1]',
        '- treeitem "tower, seq, (N, 144)" [expanded] [level=1]',
        '- treeitem "tower.0, conv width=4, (N, 4, 6, 6), block" [level=2]',
        '- treeitem "fused, concat + Tanh, (N, 152), merge" [level=1]',
        '- treeitem "score, (N, 1), output" [level=1]',
    ]
    assert [line for line in lines if line not in heard] == []
    reader.item("fused").focus()
    assert reader.item("fused").get_attribute("aria-description") == (
        "from tower, numbers; to score"
    )


def test_left_to_right_edges_run_to_the_right(show: Show) -> None:
    reader = show(SPEC, direction="LR")
    order = ["left", "tower.0.0", "tower.1", "fused", "score", "output score"]
    places = [reader.item(id_).bounding_box()["x"] for id_ in order]
    assert places == sorted(places)
    reader.item("left").focus()
    reader.press("ArrowRight")
    assert reader.focused == "tower.0.0"


def test_marks_of_a_comparison_have_signs_and_colours(show: Show) -> None:
    marks = ("added", "removed", "changed")
    items = [Box(mark, "layer", mark, mark=mark) for mark in marks]
    inner = Cluster("c", "block", "c", "", (Box("c.a", "layer", "a"),), mark="added")
    picture = Diagram("D", "", (*items, inner), (Edge("added", "removed", mark="removed"),))
    reader = show(picture)
    signs = [reader.item(mark).locator("> .sign").text_content() for mark in (*marks, "c")]
    assert signs == ["+", "−", "~", "+"]
    colours = {
        mark: reader.item(mark)
        .locator("rect.shape")
        .evaluate("rect => getComputedStyle(rect).stroke")
        for mark in marks
    }
    assert len(set(colours.values())) == 3
    assert entries(reader) == ["layer", "+ added", "− removed", "~ changed"]


def large(count: int, blocks: int) -> str:
    """Return a spec of `count` nodes in a row, split into blocks that all differ, or into none."""
    each = count // max(1, blocks)
    lines = ["inputs: {x: [4]}", "blocks:"] if blocks else ["inputs: {x: [4]}"]
    for b in range(blocks):
        nodes = row(each, "      ")
        nodes[b % each] = nodes[b % each].replace("ReLU", "Tanh" if b < each else "GELU")
        lines += [f"  b{b}:", "    inputs: [x]", f"    outputs: n{each - 1}", "    nodes:", *nodes]
    uses = [f"  n{b}: {{block: b{b}, from: {f'n{b - 1}' if b else 'x'}}}" for b in range(blocks)]
    return "\n".join(
        [*lines, f"outputs: n{(blocks or count) - 1}", "nodes:", *(uses or row(count))]
    )


def row(count: int, indent: str = "  ") -> list[str]:
    sources = ["x", *(f"n{i}" for i in range(count))]
    return [f"{indent}n{i}: {{layer: ReLU, from: {sources[i]}}}" for i in range(count)]


@pytest.mark.parametrize("blocks", [0, 50], ids=["in a row", "in blocks"])
def test_two_thousand_nodes_need_few_layouts(show: Show, blocks: int) -> None:
    """A page that reads a size after each change lays out for each node."""
    reader = show(large(2000, blocks))
    assert len(reader.items) == (52 if blocks else 2002)
    session = reader.page.context.new_cdp_session(reader.page)
    session.send("Performance.enable")

    def layouts() -> float:
        found = session.send("Performance.getMetrics")["metrics"]
        return sum(
            one["value"] for one in found if one["name"] in ("LayoutCount", "RecalcStyleCount")
        )

    acts: dict[str, Callable[[], object]] = {
        "unfold": reader.page.locator("#more").click,
        "search": lambda: reader.page.locator("#search").fill("tanh" if blocks else "n1999"),
        "go": lambda: reader.press("Enter"),
        "light": lambda: reader.page.mouse.move(400, 400),
        "fold": reader.page.locator("#less").click,
    }
    needed = {}
    for what, act in acts.items():
        before = layouts()
        act()
        reader.tab.settle()
        needed[what] = layouts() - before
        if what == "unfold":
            assert len(reader.items) == 2002 + blocks
        if what == "go":
            assert reader.panel
    assert {what: count for what, count in needed.items() if count > 100} == {}


WIDE = "inputs: {{{}}}\nnodes: {{all: {{merge: concat, from: [{}]}}}}\noutputs: all"
COLUMNS = [f"c{i}" for i in range(200)]
LONG = {
    "high": (large(600, 0), "x"),
    "wide": (
        WIDE.format(
            ", ".join(f"{c}: [{i + 1}]" for i, c in enumerate(COLUMNS)), ", ".join(COLUMNS)
        ),
        "c0",
    ),
}


@pytest.mark.parametrize(("spec", "first"), LONG.values(), ids=LONG.keys())
def test_fitting_a_picture_that_is_too_long_shows_its_beginning(
    show: Show, spec: str, first: str
) -> None:
    reader = show(spec)
    reader.page.mouse.click(20, 400)  # next to the picture, which selects nothing
    reader.page.locator("#picture").press("0")
    assert reader.said == "the picture is too long to fit: this is its beginning"
    seen, box = reader.page.locator("#picture").bounding_box(), reader.item(first).bounding_box()
    assert seen["x"] <= box["x"] and seen["y"] <= box["y"] and box["width"] > 20
    for _ in range(60):
        reader.press("-")
    world = reader.page.locator("#picture > svg").bounding_box()
    assert world["width"] <= seen["width"] and world["height"] <= seen["height"]


def test_hostile_texts_are_shown_and_do_nothing(show: Show) -> None:
    words = list(HOSTILE.values())
    boxes = [Box(f"n{i}", "layer", word, word, (word,), word) for i, word in enumerate(words)]
    edges = [Edge("n0", f"n{i}", word) for i, word in enumerate(words) if i]
    reader = show(Diagram("D", words[0], tuple(boxes), tuple(edges)), at="#node=n0")
    assert reader.items == [box.id for box in boxes]
    assert words[0] in reader.item("n0").text_content() and words[0] in reader.panel
    assert reader.page.locator("#picture script, #panel img, #panel script").count() == 0
    assert reader.tab.requests == [reader.path.as_uri()]


def test_the_policy_of_the_page_blocks_any_other_script(tab: Tab, path: Path) -> None:
    tab.open(path)
    tab.page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.stranger = true";
        document.body.append(script);
    }""")
    assert tab.page.evaluate("window.stranger") is None
    assert [fault for fault in tab.faults if "Content Security Policy" in fault] == tab.faults != []
    tab.faults.clear()


def test_a_printed_page_shows_the_whole_picture(reader: Reader) -> None:
    reader.press("+", "+", "+", "+")
    reader.page.emulate_media(media="print")
    box = reader.page.locator("#picture").bounding_box()
    for id_ in ("left", "output score"):
        item = reader.item(id_).bounding_box()
        assert box["x"] <= item["x"] and item["x"] + item["width"] <= box["x"] + box["width"]
        assert box["y"] <= item["y"] and item["y"] + item["height"] <= box["y"] + box["height"]
    assert not reader.page.locator("header").is_visible()


STATES = {
    "a picture": "",
    "details": "location.hash = 'node=score'",
    "a search": "document.getElementById('search').focus()",
    "the keys": "document.getElementById('keys').click()",
    "dark": "document.documentElement.dataset.theme = 'dark'",
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())
def test_the_page_is_accessible(reader: Reader, axe: str, state: str) -> None:
    reader.page.evaluate(state or "0")
    if "search" in state:
        reader.page.keyboard.type("linear")
    reader.page.wait_for_timeout(300)
    # the text of an open block is the text of all its items, too much for a name
    assert violations(reader.page, axe, "label-content-name-mismatch") == []


def test_boxes_of_every_spec_do_not_overlap(show: Show) -> None:
    for spec in SPECS:
        graph = mimgraph.load(spec)
        for direction in ("TB", "LR"):
            reader = show(graph, direction=direction, depth=9)
            assert reader.page.evaluate(OVERLAPS) == [], spec.stem
            assert reader.tab.faults == [], spec.stem
