"""Write a scene as dot text, for laying it out with Graphviz by oneself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mimgraph.picture.diagram.captions import box_lines, cluster_line, edge_line
from mimgraph.picture.diagram.description import describe_box, describe_cluster, describe_edge
from mimgraph.picture.diagram.model import Box, Cluster, Edge, Item, Mark, boxes
from mimgraph.picture.formats.xml_text import escape as escape_xml
from mimgraph.picture.scene import Scene
from mimgraph.picture.text_metrics import Line, Run, plain
from mimgraph.picture.themes import DASHED, SIGNS, Paint, Palette

# one name each: with a list of names, no engine finds the widths of the letters
SANS, MONO = "Helvetica", "Courier"
_SHAPES: dict[str, dict[str, str]] = {
    "input": {"shape": "box", "style": "rounded,filled"},
    "layer": {"shape": "box", "style": "filled"},
    "merge": {"shape": "hexagon", "style": "filled", "margin": "0,0"},
    "tensor": {"shape": "cylinder", "style": "filled"},
    "output": {"shape": "box", "style": "rounded,filled", "peripheries": "2"},
    "seq": {"shape": "component", "style": "filled"},
    "block": {"shape": "box3d", "style": "filled"},
    "repeat": {"shape": "tab", "style": "filled"},
    "chain": {"shape": "folder", "style": "filled"},
}


def render(scene: Scene) -> str:
    """Return the scene in the dot language; equal scenes give equal bytes."""
    return "\n".join([*_Writer(scene).lines(), ""])


class _Writer:
    """Writes the statements of a dot file."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.palette = scene, scene.palette
        self.boxes = {box.id: box for box in boxes(scene.shown.items)}
        self.anchors: dict[str, str] = {}  # the first box of each cluster

    def lines(self) -> Iterator[str]:
        shown = self.scene.shown
        yield f"digraph {_quoted(shown.name)} {{"
        for kind, attributes in _defaults(self.palette).items():
            yield f"  {kind} {_list(attributes)}"
        yield f"  graph {_list({'rankdir': self.scene.direction, 'tooltip': shown.doc or shown.name})}"
        yield from self.items(shown.items, 0)
        for edge in shown.edges:
            yield f"  {_quoted(edge.tail)} -> {_quoted(edge.head)} {_list(self.edge(edge))}"
        for box in self.boxes.values():
            if box.shares:
                yield self.shared_weights(box)
        yield "}"

    def items(self, items: tuple[Item, ...], depth: int) -> Iterator[str]:
        indent = "  " * (depth + 1)
        for item in items:
            if isinstance(item, Box):
                yield f"{indent}{_quoted(item.id)} {_list(self.box(item))}"
                continue
            self.anchors[item.id] = next(boxes(item.items)).id
            yield f"{indent}subgraph {_quoted(f'cluster_{item.id}')} {{"
            yield f"{indent}  graph {_list(self.cluster(item, depth))}"
            yield from self.items(item.items, depth + 1)
            yield f"{indent}}}"

    def box(self, box: Box) -> dict[str, str]:
        attributes = _painted(
            self.palette.marks[box.mark] if box.mark else self.palette.kinds[box.kind]
        )
        attributes |= _SHAPES[box.kind]
        if box.optional or box.mark in DASHED:
            attributes["style"] += ",dashed"
        label = self.label(_signed(box.mark, box_lines(box)))
        return {**attributes, "tooltip": describe_box(box), "label": label}

    def cluster(self, cluster: Cluster, depth: int) -> dict[str, str]:
        paint = self.palette.cluster(depth)
        if cluster.mark:
            paint = paint._replace(line=self.palette.marks[cluster.mark].line)
        dashed = cluster.kind == "repeat" or cluster.mark in DASHED
        attributes = {"style": "rounded,filled" + (",dashed" if dashed else "")}
        label = self.label(_signed(cluster.mark, [cluster_line(cluster)]))
        tooltip = describe_cluster(cluster)
        return {**_painted(paint), **attributes, "tooltip": tooltip, "label": label}

    def edge(self, edge: Edge) -> dict[str, str]:
        attributes = {"tooltip": describe_edge(edge, self.boxes)}
        if (row := edge_line(edge)).runs:
            attributes["label"] = self.label([row])
        if edge.mark:
            style = "dashed" if edge.mark in DASHED else "bold"
            attributes |= {"color": self.palette.marks[edge.mark].line, "style": style}
        return attributes

    def shared_weights(self, box: Box) -> str:
        """Return the line from a module to a second use of it; at a cluster it ends on the outline."""
        attributes = {"style": "dashed", "dir": "none", "constraint": "false"}
        if box.shares in self.anchors:
            attributes["ltail"] = f"cluster_{box.shares}"
        tail = self.anchors.get(box.shares, box.shares)
        attributes |= {"color": self.palette.wall, "tooltip": f"{box.id} shares {box.shares}"}
        return f"  {_quoted(tail)} -> {_quoted(box.id)} {_list(attributes)}"

    def label(self, rows: Iterable[Line]) -> str:
        """Return the lines as an HTML-like label, one below the other."""
        lines = ["".join(map(self.run, row.runs)) for row in rows]
        return f"<{'<BR/>'.join(lines)}>" if lines else ""

    def run(self, run: Run) -> str:
        text = escape_xml(run.text)
        if run.face == "bold":
            text = f"<B>{text}</B>"
        if run.tone == "faint":
            face = f' FACE="{MONO}"' if run.face == "mono" else ""
            text = f'<FONT{face} COLOR="{self.palette.faint}" POINT-SIZE="9">{text}</FONT>'
        return text


def _defaults(palette: Palette) -> dict[str, dict[str, str]]:
    font = {"fontname": SANS, "fontcolor": palette.text}
    graph = {"compound": "true", "nodesep": "0.3", "ranksep": "0.32", "labeljust": "l"}
    edge = {"color": palette.edge, "fontsize": "9", "arrowsize": "0.65"}
    return {
        "graph": {**graph, **font, "fontsize": "11", "bgcolor": palette.page},
        "node": {**font, "fontsize": "11", "margin": "0.14,0.07", "penwidth": "1.1"},
        "edge": {**font, **edge},
    }


def _painted(paint: Paint) -> dict[str, str]:
    return {"color": paint.line, "fillcolor": paint.fill}


def _signed(mark: Mark, rows: Iterable[Line]) -> Iterator[Line]:
    """Yield the lines, the first one after the sign of the mark."""
    for number, row in enumerate(rows):
        sign = (Run(f"{SIGNS[mark]} ", "bold"),) if mark in SIGNS and number == 0 else ()
        yield row._replace(runs=(*sign, *row.runs))


def _list(attributes: Mapping[str, str]) -> str:
    """Return `[name="value", ...]`; a label in angle brackets is HTML-like and stays unquoted."""
    words = []
    for name, value in attributes.items():
        html = name == "label" and value.startswith("<")
        words.append(f"{name}={value if html else _quoted(value)}")
    return f"[{', '.join(words)}]"


def _quoted(value: str) -> str:
    """Return any text as a dot string, in which entities and escapes mean themselves."""
    # imported here, as formats that need no dot text start fast
    from graphviz.quoting import escape, quote

    lines = (plain(line).replace("&", "&amp;") for line in value.splitlines())
    quoted: str = quote(escape("\n".join(lines)))
    return quoted
