"""A scene as a flowchart in the language of Mermaid, which GitHub draws in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mimgraph.render.diagram import Box, Cluster, Diagram, Item, boxes
from mimgraph.render.engine import RenderError
from mimgraph.render.fold import ever_smaller
from mimgraph.render.scene import Scene, Theme

# what Mermaid draws unless the page says otherwise, and GitHub's does not
MAX_CHARACTERS = 50_000
MAX_EDGES = 500
LONGEST = 500  # characters of a description that are told

_LAYOUT = (
    '"flowchart": {"wrappingWidth": 400, "padding": 10, "nodeSpacing": 30, "rankSpacing": 50,'
    ' "subGraphTitleMargin": {"top": 0, "bottom": 8}}'
)
# what stands on either side of a label: the shapes alone tell the kinds apart
_SHAPES = {
    "input": ("([", "])"),
    "layer": ("[", "]"),
    "merge": ("{{", "}}"),
    "tensor": ("[(", ")]"),
    "output": ("[/", "/]"),
    **dict.fromkeys(("seq", "block", "repeat", "chain"), ("[[", "]]")),
}
_SIGNS = {"": "", "added": "#43; ", "removed": "#8722; ", "changed": "#126; "}  # + − ~
# Okabe and Ito's colours as borders over tints, as in the static pictures
_LOOKS = {
    "light": {
        "input": "fill:#d9ebf7,stroke:#0072b2,color:#1a1a1a",
        "layer": "fill:#ffffff,stroke:#4d4d4d,color:#1a1a1a",
        "merge": "fill:#fdebd3,stroke:#b35900,color:#1a1a1a",
        "tensor": "fill:#f6e3ee,stroke:#8f4a75,color:#1a1a1a",
        "output": "fill:#d8f0e6,stroke:#00805e,color:#1a1a1a",
        "seq": "fill:#f5f5f5,stroke:#b3b3b3,color:#1a1a1a",
        "block": "fill:#ececec,stroke:#7a7a7a,color:#1a1a1a",
        "repeat": "fill:#e0e0e0,stroke:#7a7a7a,color:#1a1a1a",
        "chain": "fill:#ffffff,stroke:#4d4d4d,color:#1a1a1a",
        "added": "stroke:#00805e,stroke-width:4px",
        "removed": "stroke:#b33000,stroke-width:4px,stroke-dasharray:8 4",
        "changed": "stroke:#8a6100,stroke-width:4px",
        "dashed": "stroke-dasharray:5 4",
    },
    "dark": {
        "input": "fill:#0d2f47,stroke:#56b4e9,color:#f0f3f6",
        "layer": "fill:#1c2128,stroke:#adbac7,color:#f0f3f6",
        "merge": "fill:#45290a,stroke:#e69f00,color:#f0f3f6",
        "tensor": "fill:#3d2233,stroke:#e4a3ca,color:#f0f3f6",
        "output": "fill:#0b3b2d,stroke:#3fc79a,color:#f0f3f6",
        "seq": "fill:#161b22,stroke:#626c78,color:#f0f3f6",
        "block": "fill:#262c36,stroke:#8b949e,color:#f0f3f6",
        "repeat": "fill:#343b46,stroke:#8b949e,color:#f0f3f6",
        "chain": "fill:#1c2128,stroke:#adbac7,color:#f0f3f6",
        "added": "stroke:#3fc79a,stroke-width:4px",
        "removed": "stroke:#ff8c5a,stroke-width:4px,stroke-dasharray:8 4",
        "changed": "stroke:#f0e442,stroke-width:4px",
        "dashed": "stroke-dasharray:5 4",
    },
}


def text(scene: Scene) -> str:
    """The flowchart, the same bytes every time; folded until Mermaid draws it."""
    for diagram in ever_smaller(scene.shown):
        chart = _Chart(diagram)
        if chart.links <= MAX_EDGES:
            found = chart.text(scene)
            if len(found.encode("utf-16-le")) // 2 <= MAX_CHARACTERS:
                return found
    raise RenderError(
        f"Mermaid draws no more than {MAX_EDGES} edges and {MAX_CHARACTERS:,} characters:"
        " draw parts of the graph as blocks, or write an .svg"
    )


class _Chart:
    """A diagram's lines; names of its own stand for its ids, which might mean something."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        self.names: dict[str, str] = {}
        self.classes: dict[str, list[str]] = {}
        self.sharing = [box for box in boxes(diagram.items) if box.shares]
        self.links = len(diagram.edges) + len(self.sharing)

    def text(self, scene: Scene) -> str:
        doc = self.diagram.doc or self.diagram.name
        # without a theme, the page's own: the colours of "light" are read on a dark one too
        theme = ', "theme": "dark"' if scene.theme == "dark" else ""
        lines = [
            f"%%{{init: {{{_LAYOUT}{theme}}}}}%%",
            f"flowchart {scene.direction}",
            f"  accTitle: {coded(self.diagram.name)}",
            f"  accDescr: {coded(doc if len(doc) <= LONGEST else f'{doc[: LONGEST - 1]}…')}",
            *self.items(self.diagram.items, "  "),
            *self.arrows(),
            *self.styles(scene.theme),
        ]
        return "\n".join([*lines, ""])

    def items(self, items: tuple[Item, ...], indent: str) -> Iterator[str]:
        """A node for each box, a subgraph for each cluster."""
        for item in items:
            name = self.names[item.id] = f"n{len(self.names)}"
            dashed = isinstance(item, Box) and bool(item.optional or item.shares)
            for look in filter(None, (item.kind, "dashed" if dashed else "", item.mark)):
                self.classes.setdefault(look, []).append(name)
            if isinstance(item, Box):
                before, after = _SHAPES[item.kind]
                yield f"{indent}{name}{before}{_box_label(item)}{after}"
            else:
                yield f"{indent}subgraph {name}[{_cluster_label(item)}]"
                yield from self.items(item.items, f"{indent}  ")
                yield f"{indent}end"

    def arrows(self) -> Iterator[str]:
        """The edges, dashed where nothing may come; and a line to each second use of a module."""
        optional = {box.id for box in boxes(self.diagram.items) if box.optional}
        for edge in self.diagram.edges:
            arrow = "-.->" if optional & {edge.tail, edge.head} else "-->"
            label = f'|"{coded(edge.label)}"|' if edge.label else ""
            yield f"  {self.names[edge.tail]} {arrow}{label} {self.names[edge.head]}"
        for box in self.sharing:
            yield f"  {self.names[box.shares]} -.- {self.names[box.id]}"

    def styles(self, theme: Theme) -> Iterator[str]:
        """What kinds and marks look like, and what has them: of two looks the later holds."""
        looks = _LOOKS[theme]
        for look in looks:
            if look in self.classes:
                yield f"  classDef {look} {looks[look]}"
                yield f"  class {','.join(self.classes[look])} {look}"
        marked: dict[str, list[str]] = {}
        for number, edge in enumerate(self.diagram.edges):
            marked.setdefault(edge.mark, []).append(str(number))
        for mark in sorted(marked.keys() - {""}):
            yield f"  linkStyle {','.join(marked[mark])} {looks[mark]}"


def _box_label(box: Box) -> str:
    """The title bold, the op, and a line for each shape: a string of Mermaid's Markdown."""
    lines = filter(None, (_bold(box.title), coded(box.subtitle), *map(coded, box.shapes)))
    label = "\n".join(lines) or " "
    return f'"`{_SIGNS[box.mark]}{label}`"'


def _cluster_label(cluster: Cluster) -> str:
    """The title and op in a line, which figure spaces, as they do not break it, move to the left:
    arrows would strike it in the middle."""
    line = " ".join(filter(None, (_bold(cluster.title), coded(cluster.subtitle))))
    length = len(cluster.title + cluster.subtitle)
    spaces = "#8199;" * min(length, max(36 - length, 0))
    return '"`{}{}`"'.format(f"{_SIGNS[cluster.mark]}{line}".replace(" ", "\xa0"), spaces)


def _bold(title: str) -> str:
    return f"**{coded(title)}**" if title else ""


# what means nothing to Mermaid, Markdown or HTML where it stands
_PLAIN = (
    r"[^\W\d_]|(?<!^)\d|^\d(?!\d*[.)])|[ (),×→…/\[]|:(?= )|\](?![(\[:])"
    r"|(?<=[^\W_])[_.=-](?=[^\W_])|(?<=[^\W\d_])\.|(?<=[^\W_] )\+"
)
_CODED = re.compile(f"(?!{_PLAIN}).")
# `ﬂ°35¶ß` is what Mermaid makes of a code before it reads on, so none of it may stand in a text
_OWN = {"ﬂ": "fl", "¶": "\ufffd"}


def coded(text: str) -> str:
    """Free text in one line, in which no character means anything: others are `#35;`."""
    line = " ".join(text.split())
    seen = "".join(_OWN.get(c, c) if c.isprintable() else "\ufffd" for c in line)
    return _CODED.sub(lambda found: f"#{ord(found[0])};", seen)
