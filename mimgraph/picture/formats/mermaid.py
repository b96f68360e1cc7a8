"""Write a scene as a Mermaid flowchart, which GitHub draws in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mimgraph.picture.diagram.captions import unrepeated
from mimgraph.picture.diagram.collapse import foldings
from mimgraph.picture.diagram.description import describe
from mimgraph.picture.diagram.model import CLOSED, Box, Cluster, Diagram, Item, Mark, boxes
from mimgraph.picture.errors import RenderError
from mimgraph.picture.scene import Scene
from mimgraph.picture.themes import DASHED, Paint, Palette

# Mermaid's default limits, which GitHub keeps
MAX_CHARACTERS = 50_000
MAX_EDGES = 500
LONGEST = 500  # characters of a description; the rest is cut

_LAYOUT = (
    '"flowchart": {"wrappingWidth": 400, "padding": 10, "nodeSpacing": 30, "rankSpacing": 50,'
    ' "subGraphTitleMargin": {"top": 0, "bottom": 8}}'
)
# the brackets around a label; each kind has a shape of its own, so that colours are not needed
_SHAPES = {
    "input": ("([", "])"),
    "layer": ("[", "]"),
    "merge": ("{{", "}}"),
    "tensor": ("[(", ")]"),
    "output": ("[/", "/]"),
    **dict.fromkeys(CLOSED, ("[[", "]]")),
}
# + − ~ !
_SIGNS = {"added": "#43; ", "removed": "#8722; ", "changed": "#126; ", "faulty": "#33; "}


def render(scene: Scene) -> str:
    """Return the flowchart, folded until it is within Mermaid's limits; equal scenes give equal bytes."""
    for diagram in foldings(scene.shown):
        chart = _Chart(diagram)
        if chart.links <= MAX_EDGES:
            found = chart.text(scene)
            if len(found.encode("utf-16-le")) // 2 <= MAX_CHARACTERS:
                return found
    raise RenderError(
        f"Mermaid draws no more than {MAX_EDGES} edges and {MAX_CHARACTERS:,} characters: put parts"
        " of the graph into blocks, which can be folded, or write an .svg file"
    )


class _Chart:
    """Writes a diagram line by line; `n0`, `n1`, ... stand for ids, which might be words of Mermaid."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        self.names: dict[str, str] = {}
        self.classes: dict[str, list[str]] = {}
        self.sharing = [box for box in boxes(diagram.items) if box.shares]
        self.links = len(diagram.edges) + len(self.sharing)

    def text(self, scene: Scene) -> str:
        description = describe(self.diagram)
        # a light picture sets no theme, so the page's own holds; its colours can be read on a dark page too
        theme = ', "theme": "dark"' if scene.theme == "dark" else ""
        lines = [
            f"%%{{init: {{{_LAYOUT}{theme}}}}}%%",
            f"flowchart {scene.direction}",
            f"  accTitle: {coded(self.diagram.name)}",
            f"  accDescr: {coded(_cut(description))}",
            *self.items(self.diagram.items, 0),
            *self.arrows(),
            *self.styles(scene.palette),
        ]
        return "\n".join([*lines, ""])

    def items(self, items: tuple[Item, ...], depth: int) -> Iterator[str]:
        """Yield a node for each box and a subgraph for each cluster."""
        indent = "  " * (depth + 1)
        for item in items:
            name = self.names[item.id] = f"n{len(self.names)}"
            kind = item.kind if isinstance(item, Box) else f"open{min(depth, 2)}"
            dashed = isinstance(item, Box) and bool(item.optional or item.shares)
            for class_ in filter(None, (kind, "dashed" if dashed else "", item.mark)):
                self.classes.setdefault(class_, []).append(name)
            if isinstance(item, Box):
                before, after = _SHAPES[item.kind]
                yield f"{indent}{name}{before}{_box_label(item)}{after}"
            else:
                yield f"{indent}subgraph {name}[{_cluster_label(item)}]"
                yield from self.items(item.items, depth + 1)
                yield f"{indent}end"

    def arrows(self) -> Iterator[str]:
        """Yield the edges, dashed at optional boxes, and a line to each second use of a module."""
        optional = {box.id for box in boxes(self.diagram.items) if box.optional}
        for edge in self.diagram.edges:
            arrow = "-.->" if optional & {edge.tail, edge.head} else "-->"
            label = f'|"{coded(edge.label)}"|' if edge.label else ""
            yield f"  {self.names[edge.tail]} {arrow}{label} {self.names[edge.head]}"
        for box in self.sharing:
            yield f"  {self.names[box.shares]} -.- {self.names[box.id]}"

    def styles(self, palette: Palette) -> Iterator[str]:
        """Yield the styles of kinds and marks, and the nodes that have them; a later style wins."""
        lines = {mark: _line(mark, paint) for mark, paint in palette.marks.items()}
        styles = {kind: _paint(paint, palette) for kind, paint in palette.kinds.items()}
        styles |= {f"open{depth}": _paint(palette.cluster(depth), palette) for depth in range(3)}
        for mark, paint in palette.marks.items():
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


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _paint(paint: Paint, palette: Palette) -> str:
    return f"fill:{paint.fill},stroke:{paint.line},color:{palette.text}"


def _line(mark: Mark, paint: Paint) -> str:
    dashes = ",stroke-dasharray:8 4" if mark in DASHED else ""
    width = 4 if mark in _SIGNS else 2
    return f"stroke:{paint.line},stroke-width:{width}px{dashes}"


def _box_label(box: Box) -> str:
    """Return the bold title, the op, what changed, the shapes and the faults, each a line of a Markdown string of
    Mermaid."""
    box = unrepeated(box)
    changes = (*map(_bold, box.edits), *map(coded, box.effects))
    found = (
        _bold(box.title),
        coded(box.subtitle),
        *changes,
        *map(coded, (*box.shapes, *box.faults)),
    )
    lines = filter(None, found)
    label = "\n".join(lines) or " "
    return f'"`{_sign(box.mark)}{label}`"'


def _cluster_label(cluster: Cluster) -> str:
    """Return the title and op in one line, padded on the right with figure spaces, which do not
    break: that moves it to the left, out of the way of the arrows."""
    edits, effects = ", ".join(cluster.edits), ", ".join(cluster.effects)
    words = _bold(cluster.title), coded(cluster.subtitle), _bold(edits), coded(effects)
    line = " ".join(filter(None, words))
    length = len(cluster.title + cluster.subtitle + edits + effects)
    spaces = "#8199;" * min(length, max(36 - length, 0))
    return '"`{}{}`"'.format(f"{_sign(cluster.mark)}{line}".replace(" ", "\xa0"), spaces)


def _sign(mark: Mark) -> str:
    return _SIGNS.get(mark, "")


def _bold(title: str) -> str:
    return f"**{coded(title)}**" if title else ""


# characters that are plain text to Mermaid, Markdown and HTML in their place
_PLAIN = (
    r"[^\W\d_]|(?<!^)\d|^\d(?!\d*[.)])|[ (),×→…/\[]|:(?= )|\](?![(\[:])"
    r"|(?<=[^\W_])[_.=-](?=[^\W_])|(?<=[^\W\d_])\.|(?<=[^\W_] )\+"
)
_CODED = re.compile(f"(?!{_PLAIN}).")
# Mermaid rewrites a code as `ﬂ°35¶ß` before it parses, so these characters may not be in a text
_OWN = {"ﬂ": "fl", "¶": "\ufffd"}


def coded(text: str) -> str:
    """Return any text as one line, with special characters as codes: `#35;` for `#`."""
    line = " ".join(text.split())
    seen = "".join(_OWN.get(c, c) if c.isprintable() else "\ufffd" for c in line)
    return _CODED.sub(lambda found: f"#{ord(found[0])};", seen)
