"""A scene as a flowchart in the language of Mermaid, which GitHub draws in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mimgraph.picture.details.description import described
from mimgraph.picture.diagram.fold import ever_smaller
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Item, Mark, boxes
from mimgraph.picture.layout.graphviz import RenderError
from mimgraph.picture.scene import Scene
from mimgraph.picture.themes import LOOKS, Look, Paint

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
        told = described(self.diagram)
        # without a theme, the page's own: the colours of "light" are read on a dark one too
        theme = ', "theme": "dark"' if scene.theme == "dark" else ""
        lines = [
            f"%%{{init: {{{_LAYOUT}{theme}}}}}%%",
            f"flowchart {scene.direction}",
            f"  accTitle: {coded(self.diagram.name)}",
            f"  accDescr: {coded(told if len(told) <= LONGEST else f'{told[: LONGEST - 1]}…')}",
            *self.items(self.diagram.items, 0),
            *self.arrows(),
            *self.styles(LOOKS[scene.theme]),
        ]
        return "\n".join([*lines, ""])

    def items(self, items: tuple[Item, ...], depth: int) -> Iterator[str]:
        """A node for each box, a subgraph for each cluster."""
        indent = "  " * (depth + 1)
        for item in items:
            name = self.names[item.id] = f"n{len(self.names)}"
            kind = item.kind if isinstance(item, Box) else f"open{min(depth, 2)}"
            dashed = isinstance(item, Box) and bool(item.optional or item.shares)
            for look in filter(None, (kind, "dashed" if dashed else "", item.mark)):
                self.classes.setdefault(look, []).append(name)
            if isinstance(item, Box):
                before, after = _SHAPES[item.kind]
                yield f"{indent}{name}{before}{_box_label(item)}{after}"
            else:
                yield f"{indent}subgraph {name}[{_cluster_label(item)}]"
                yield from self.items(item.items, depth + 1)
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

    def styles(self, look: Look) -> Iterator[str]:
        """What kinds and marks look like, and what has them: of two styles the later holds."""
        lines = {mark: _line(mark, paint) for mark, paint in look.marks.items()}
        styles = {kind: _paint(paint, look) for kind, paint in look.kinds.items()}
        styles |= {f"open{depth}": _paint(look.cluster(depth), look) for depth in range(3)}
        for mark, paint in look.marks.items():
            styles[mark] = f"fill:{paint.fill},{lines[mark]}"
        styles["dashed"] = "stroke-dasharray:5 4"
        for name, style in styles.items():
            if name in self.classes:
                yield f"  classDef {name} {style}"
                yield f"  class {','.join(self.classes[name])} {name}"
        marked: dict[Mark, list[str]] = {}
        for number, edge in enumerate(self.diagram.edges):
            marked.setdefault(edge.mark, []).append(str(number))
        for mark in sorted(marked.keys() - {""}):
            yield f"  linkStyle {','.join(marked[mark])} {lines[mark]}"


def _paint(paint: Paint, look: Look) -> str:
    return f"fill:{paint.fill},stroke:{paint.line},color:{look.text}"


def _line(mark: Mark, paint: Paint) -> str:
    dashes = ",stroke-dasharray:8 4" if mark == "removed" else ""
    return f"stroke:{paint.line},stroke-width:4px{dashes}"


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
