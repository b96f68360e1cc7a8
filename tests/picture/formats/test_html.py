"""A page is one file that fetches nothing and runs only its own script, whatever its texts are."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mimgraph
from mimgraph.picture.details.model import Detail
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.captions import box_lines, box_size
from mimgraph.picture.diagram.chains import with_chains
from mimgraph.picture.diagram.fold import fold
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, Item, boxes
from mimgraph.picture.formats import page as html
from mimgraph.picture.scene import Scene
from mimgraph.picture.text_metrics import Face, Run, Tone, line, plain
from tests.picture.scenes import PAIR
from tests.picture.test_themes import GRAPHIC, TEXT, contrast


class Elements(HTMLParser):
    """The elements of a page as a browser reads them, each with its attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.is_inside = False  # of the last element
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), []))
        self.is_inside = True

    def handle_endtag(self, tag: str) -> None:
        self.is_inside = False

    def handle_data(self, data: str) -> None:
        if self.is_inside:
            self.found[-1][2].append(data)

    def texts(self, tag: str, **attributes: str) -> list[str]:
        return [
            "".join(data)
            for name, attrs, data in self.found
            if name == tag and attributes.items() <= attrs.items()
        ]

    @property
    def graph(self) -> Any:
        (text,) = self.texts("script", id="graph")
        return json.loads(text)

    @property
    def details(self) -> Any:
        (text,) = self.texts("script", id="details")
        return json.loads(text)


def elements(picture: Diagram, **how: Any) -> Elements:
    return Elements(html.render(Scene(picture, **how)))


def ids(items: list[Any]) -> list[Any]:
    """Return ids, nested like the items."""
    return [[i["id"], ids(i["items"])] if "items" in i else i["id"] for i in items]


def test_the_page_holds_the_whole_graph_whatever_its_depth() -> None:
    picture = diagram(mimgraph.loads(PAIR).typed)
    graph = elements(picture, depth=0, direction="LR", theme="dark").graph
    assert graph["name"] == "Pair"
    assert (graph["depth"], graph["direction"], graph["theme"]) == (0, "LR", "dark")
    chain = ["tower.0", ["tower.0.0.0", "tower.0.0.1"]]
    inner = ["tower", [chain, "tower.1"]]
    assert ids(graph["items"]) == [
        *("left", "right", inner, "again", "fused", "score", "output score")
    ]
    assert [(e["tail"], e["head"]) for e in graph["schemes"][-1]["edges"]] == [
        e[:2] for e in picture.edges
    ]
    tags = {item["id"]: item["tag"]["runs"] for item in graph["items"] if "tag" in item}
    assert tags == {"tower": [["A", "bold text"]], "again": [["A", "bold text"]]}


def test_texts_and_sizes_are_those_of_a_static_picture() -> None:
    picture = diagram(mimgraph.loads(PAIR).typed)
    graph = elements(picture).graph
    tower, fused = graph["items"][2], graph["items"][4]
    (closed,) = (box for box in boxes(fold(picture, 0).items) if box.id == "tower")
    for found, box in ((tower["box"], closed), (fused["box"], picture.items[4])):
        assert isinstance(box, Box)
        assert (found["width"], found["height"]) == box_size(box)
        lines = [line(r["size"], *(run(*one) for one in r["runs"])) for r in found["lines"]]
        assert lines == list(box_lines(box))
        assert [r["width"] for r in found["lines"]] == [round(row.width, 2) for row in lines]
    assert tower["caption"]["runs"] == [["tower", "bold text"]]


def run(text: str, classes: str) -> Run:
    face, tone = classes.split()
    return Run(text, cast("Face", face), cast("Tone", tone))


def test_an_edge_has_a_hop_in_each_frame_that_it_passes() -> None:
    tail = Box("a", "layer", "a", shapes=("h (N, 4)", "c (N, 4)"))
    edge = Edge("a", "b.c", "h", "query")
    items = (tail, Cluster("b", "block", "b", "", (Box("b.c", "merge", "c"),)))
    graph = elements(Diagram("D", "", items, (edge, edge))).graph
    assert [plan["id"] for plan in graph["schemes"][-1]["plans"]] == ["b", ""]
    assert [found["hops"] for found in graph["schemes"][-1]["edges"]] == [
        [[1, 0], [0, 0]],
        [[1, 1], [0, 0]],
    ]
    assert labels(graph) == ["h as query"] * 2


def labels(graph: Any) -> list[str]:
    hops = [hop for plan in graph["schemes"][-1]["plans"] for hop in plan["hops"] if "label" in hop]
    return ["".join(text for text, _ in hop["label"]["runs"]) for hop in hops]


def test_the_page_holds_the_details_of_each_node(tmp_path: Path) -> None:
    mimgraph.loads(PAIR).draw(tmp_path / "x.html")
    details = Elements((tmp_path / "x.html").read_text()).details
    assert details["score"]["cost"] == {
        "parameters": "129",
        "MACs per sample": "128",
        "activations per sample": "4 B",
    }
    inferred = {"name": "in_features", "value": "128", "origin": "inferred"}
    assert inferred in details["score"]["options"]
    conv = details["tower.0.0.0"]
    assert "Conv2d: {out_channels: $width, kernel_size: 3}" in conv["spec"][0]["text"]
    assert conv["code"][0]["text"] == "nn.Conv2d(in_channels, 4, kernel_size=3)"


def test_long_chains_are_clusters_that_are_closed_at_first() -> None:
    layers = ", ".join(["{Linear: 4}", "ReLU"] * 3)
    nodes = "".join(f"n{i}: {{layer: ReLU, from: {f'n{i - 1}' if i else 'x'}}}, " for i in range(5))
    spec = (
        f"{{inputs: {{x: [4]}}, nodes: {{{nodes} s: {{from: n4, seq: [{layers}]}}}}, outputs: s}}"
    )
    picture, closed = with_chains(diagram(mimgraph.loads(spec).typed))
    row = ["n0 to n4", ["n0", "n1", "n2", "n3", "n4"]]
    graph = elements(diagram(mimgraph.loads(spec).typed), collapse=True).graph
    assert ids(graph["items"]) == ["x", row, ["s", [f"s.{i}" for i in range(6)]], "output s"]
    assert sorted(graph["closed"]) == sorted(closed) == ["n0 to n4", "s"]
    assert [item.subtitle for item in picture.items if isinstance(item, Cluster)] == [
        "ReLU × 5",
        "(Linear 4 + ReLU) × 3",
    ]


def test_the_same_graph_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        mimgraph.loads(PAIR).draw(tmp_path / name)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


HOSTILE = {
    "a script": "</script><script>alert(1)</script>",
    "an image": '"><img src=x onerror=alert(1)>',
    "a comment": "<!--<script>",
    "a title": "</title></style><svg/onload=alert(1)>",
    "entities": "&lt;b&gt; &amp; &quot;",
    "a template": "$graph ${script} $$",
    "line ends": "a\nb\r\nc\u2028d\u2029e",
    "no characters": "\x00\x07\x1b[31m\ufffe",
    "half a character": "\ud800",
    "another direction": "\u202eabc",
    "a prototype": "__proto__",
}


def hostile(word: str) -> Scene:
    """Return a scene in which every text is `word`."""
    inner = Box("c.a", "layer", word, word, (word,), word)
    items: tuple[Item, ...] = (
        Box("x", "input", word, word, (word,), word),
        Cluster("c", "block", word, word, (inner,), word, (word,)),
    )
    picture = Diagram("Name", word, items, (Edge("x", "c.a", word, word),))
    return Scene(picture, details=lambda: {"x": Detail(word, doc=word)})


def structure(read: Elements) -> list[tuple[str, list[str]]]:
    return [(tag, sorted(attrs)) for tag, attrs, _ in read.found]


def check_that_text_adds_no_elements(word: str) -> None:
    text = html.render(hostile(word))
    text.encode()
    read = Elements(text)
    assert structure(read) == structure(Elements(html.render(hostile("plain")))), word
    assert read.graph["items"][0]["title"] == word
    assert labels(read.graph) == [plain(word)]
    assert read.details["x"]["doc"] == word
    assert read.texts("title") == ["Name"]


@pytest.mark.slow
def test_hostile_text_adds_no_elements() -> None:
    for word in HOSTILE.values():
        check_that_text_adds_no_elements(word)


@pytest.mark.slow
@given(st.text(st.characters(), min_size=1) | st.text("<>&!-/$\"'script", min_size=1))
def test_random_text_adds_no_elements(word: str) -> None:
    check_that_text_adds_no_elements(word)


@pytest.fixture(scope="module")
def page() -> Elements:
    return elements(diagram(mimgraph.loads(PAIR).typed))


def test_only_the_pages_own_script_runs_and_nothing_is_fetched(page: Elements) -> None:
    policies = [attrs["content"] for tag, attrs, _ in page.found if "http-equiv" in attrs]
    (script,), (style,) = page.texts("script", type="module"), page.texts("style")
    own = [f"'sha256-{b64encode(sha256(t.encode()).digest()).decode()}'" for t in (script, style)]
    may = f"script-src {own[0]}; style-src {own[1]}; img-src data:"
    assert policies == [f"default-src 'none'; {may}; base-uri 'none'; form-action 'none'"]


def test_the_page_refers_to_nothing_outside(page: Elements) -> None:
    links = [
        value
        for _, attrs, _ in page.found
        for name, value in attrs.items()
        if name in ("src", "href", "action", "srcset", "data") or name.startswith("on")
    ]
    assert links == ["data:,"]  # an empty icon, so that browsers do not ask a server for one
    (script,), (style,) = page.texts("script", type="module"), page.texts("style")
    assert set(re.findall(r"\w+://[^\"]*", script + style)) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in style and "url(" not in style


def test_the_script_never_parses_text_as_code_or_markup(page: Elements) -> None:
    (script,) = page.texts("script", type="module")
    words = ("eval(", "Function(", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write")
    assert [word for word in words if word in script] == []


def colours(page: Elements, theme: str) -> dict[str, str]:
    """Return the colours of a theme by name."""
    (style,) = page.texts("style")
    blocks = re.findall(rf"^[^\n]*:root{theme} {{(.*?)}}", style, re.MULTILINE | re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#\w{6});", " ".join(blocks)))


@pytest.mark.parametrize("theme", ["", r'\[data-theme="dark"\]'], ids=["light", "dark"])
def test_text_and_lines_have_contrast_to_their_background(page: Elements, theme: str) -> None:
    named = colours(page, theme)
    grounds = [name for name in named if name.endswith("-tint") or name.startswith("nested")]
    grounds += ["paper", "bar"]
    faint = [
        (ink, ground)
        for ink, ground in product(("ink", "grey"), grounds)
        if contrast(named[ink], named[ground]) < TEXT
    ]
    lines = ["edge", "lit", "focus", "input", "layer", "merge", "tensor", "output"]
    lines += ["block", "added", "removed", "changed"]
    faint += [(line, "paper") for line in lines if contrast(named[line], named["paper"]) < GRAPHIC]
    assert faint == []
