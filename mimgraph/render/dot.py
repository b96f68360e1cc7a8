"""A diagram as dot text, and as a picture made from that by Graphviz."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import wrap

from mimgraph.render.diagram import Box, Cluster, Item, boxes
from mimgraph.render.scene import Scene

TIME_LIMIT = 60  # seconds by the clock, on a machine that does much else
CPU_LIMIT = 10  # seconds of work: some dense graphs of fifty boxes would take hours
MEMORY_LIMIT = 1 << 30  # bytes
LINE = 34  # characters of a subtitle's line
DOTS_PER_INCH = 144
MOST_INCHES = 100  # of a side of a .png, which is made smaller: viewers show no more
# single names: in a list, no engine finds the widths of the letters; SVG gets fallbacks anyway
SANS = "Helvetica"
MONO = "Courier"
GREY = "#595959"

_GRAPH = {
    "compound": "true",
    "nodesep": "0.3",
    "ranksep": "0.32",
    "fontname": SANS,
    "fontsize": "11",
    "labeljust": "l",
    "bgcolor": "white",
}
_NODE = {"fontname": SANS, "fontsize": "11", "margin": "0.14,0.07", "penwidth": "1.1"}
_EDGE = {
    "fontname": SANS,
    "fontsize": "9",
    "fontcolor": GREY,
    "color": "#404040",
    "arrowsize": "0.65",
}
# Okabe and Ito's colours as borders over light tints: the shapes alone tell the kinds apart in grey
_KINDS = {
    "input": {
        "shape": "box",
        "style": "rounded,filled",
        "color": "#0072b2",
        "fillcolor": "#d9ebf7",
    },
    "layer": {"shape": "box", "style": "filled", "color": "#4d4d4d", "fillcolor": "#ffffff"},
    "merge": {
        "shape": "hexagon",
        "margin": "0,0",
        "style": "filled",
        "color": "#b35900",
        "fillcolor": "#fdebd3",
    },
    "seq": {"shape": "component", "style": "filled", "color": "#7a7a7a", "fillcolor": "#f5f5f5"},
    "block": {"shape": "box3d", "style": "filled", "color": "#4d4d4d", "fillcolor": "#ececec"},
    "repeat": {"shape": "tab", "style": "filled", "color": "#4d4d4d", "fillcolor": "#e0e0e0"},
    "chain": {"shape": "folder", "style": "filled", "color": "#4d4d4d", "fillcolor": "#ffffff"},
    "tensor": {
        "shape": "cylinder",
        "style": "filled",
        "color": "#8f4a75",
        "fillcolor": "#f6e3ee",
    },
    "output": {
        "shape": "box",
        "style": "rounded,filled",
        "peripheries": "2",
        "color": "#00805e",
        "fillcolor": "#d8f0e6",
    },
}
_CLUSTERS = {
    "seq": {"style": "rounded,filled", "color": "#b3b3b3", "fillcolor": "#f5f5f5"},
    "block": {"style": "rounded,filled", "color": "#7a7a7a", "fillcolor": "#ececec"},
    "repeat": {"style": "rounded,dashed", "color": "#7a7a7a"},
}
_WEIGHTS = {"style": "dashed", "dir": "none", "constraint": "false", "color": "#999999"}


class RenderError(RuntimeError):
    """A picture could not be made."""


def text(scene: Scene) -> str:
    """The diagram in the dot language, the same bytes every time."""
    diagram = scene.shown
    lines = [f"digraph {_quoted(diagram.name)} {{"]
    graph = {**_GRAPH, "rankdir": scene.direction, "tooltip": diagram.doc or diagram.name}
    for kind, attributes in (("graph", graph), ("node", _NODE), ("edge", _EDGE)):
        lines.append(f"  {kind} {_list(attributes)}")
    anchors: dict[str, str] = {}
    lines += _items(diagram.items, "  ", anchors)
    for edge in diagram.edges:
        label = {"label": f" {edge.label} "} if edge.label else {}
        lines.append(f"  {_quoted(edge.tail)} -> {_quoted(edge.head)} {_list(label)}".rstrip())
    for box in boxes(diagram.items):
        if box.shares:
            lines.append(_weights(box, anchors))
    return "\n".join([*lines, "}", ""])


def _items(items: tuple[Item, ...], indent: str, anchors: dict[str, str]) -> Iterator[str]:
    """The lines of items; `anchors` gets the first box of each cluster."""
    for item in items:
        if isinstance(item, Box):
            yield f"{indent}{_quoted(item.id)} {_list(_box(item))}"
            continue
        anchors[item.id] = next(boxes(item.items)).id
        yield f"{indent}subgraph {_quoted(f'cluster_{item.id}')} {{"
        for name, value in _cluster(item).items():
            yield f"{indent}  {name}={value if name == 'label' else _quoted(value)}"
        yield from _items(item.items, f"{indent}  ", anchors)
        yield f"{indent}}}"


def _weights(box: Box, anchors: Mapping[str, str]) -> str:
    """The line between a module and its second use; to a cluster it ends at the wall."""
    attributes = _WEIGHTS
    if box.shares in anchors:
        attributes = {**attributes, "ltail": f"cluster_{box.shares}"}
    tail = anchors.get(box.shares, box.shares)
    return f"  {_quoted(tail)} -> {_quoted(box.id)} {_list(attributes)}"


def _box(box: Box) -> dict[str, str]:
    lines = [f"<B>{_html(box.title)}</B>"] if box.title else []
    lines += map(_html, wrap(box.subtitle, LINE))
    shape = '<FONT FACE="{}" COLOR="{}" POINT-SIZE="9">{}</FONT>'
    lines += [shape.format(MONO, GREY, _html(line)) for line in box.shapes]
    attributes = dict(_KINDS[box.kind])
    if box.shares or box.optional:
        attributes["style"] += ",dashed"
    return {**attributes, "tooltip": box.tooltip or box.id, "label": f"<{'<BR/>'.join(lines)}>"}


def _cluster(cluster: Cluster) -> dict[str, str]:
    title = f"<B>{_html(cluster.title)}</B>&#160; " if cluster.title else ""
    label = f'<{title}<FONT COLOR="{GREY}" POINT-SIZE="9">{_html(cluster.subtitle)}</FONT>>'
    return {**_CLUSTERS[cluster.kind], "tooltip": cluster.tooltip or cluster.id, "label": label}


def _list(attributes: Mapping[str, str]) -> str:
    """`[name="value", ...]`; a label in angle brackets is HTML-like and stands as it is."""
    words = []
    for name, value in attributes.items():
        html = name == "label" and value.startswith("<")
        words.append(f"{name}={value if html else _quoted(value)}")
    return f"[{', '.join(words)}]" if words else ""


# what XML 1.0 has no character for, which is what HTML-like labels and SVG are read as
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _html(value: str) -> str:
    """Free text in an HTML-like label, where an empty element is a syntax error."""
    plain = _NO_CHARACTER.sub("\ufffd", re.sub(r"[\t\n\r]", " ", value))
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        plain = plain.replace(character, entity)
    return plain or " "


def _quoted(value: str) -> str:
    """Free text as a string: no quote ends it, no backslash or entity in it means anything."""
    plain = _NO_CHARACTER.sub("\ufffd", value).replace("&", "&amp;")
    for character, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
        plain = plain.replace(character, escape)
    return f'"{plain}"'


def picture(scene: Scene, format: str) -> bytes:
    """The diagram as an image, made by `dot`, or by `graphviz-pure` where there is none."""
    engine = _engine()
    if format == "pdf" and _is_pure(engine):
        raise RenderError(
            "a .pdf needs Graphviz's own dot, which is not installed; .svg works without"
        )
    pixels = [f"-Gdpi={DOTS_PER_INCH}", f"-Gsize={MOST_INCHES},{MOST_INCHES}"]
    return _run([engine, "-Kdot", f"-T{format}", *(pixels if format == "png" else [])], text(scene))


def _limit() -> None:
    """Bound the process of Graphviz, whatever the graph."""
    import resource  # which Windows has not

    for kind, most in ((resource.RLIMIT_CPU, CPU_LIMIT), (resource.RLIMIT_AS, MEMORY_LIMIT)):
        _, allowed = resource.getrlimit(kind)
        if allowed == resource.RLIM_INFINITY or most < allowed:
            resource.setrlimit(kind, (most, most))


def _engine() -> str:
    pure = "graphviz-pure"
    found = shutil.which("dot") or shutil.which(pure, path=sysconfig.get_path("scripts"))
    found = found or shutil.which(pure)
    if found is None:
        raise RenderError(
            "pictures need Graphviz: install dot or graphviz-pure; .dot works without"
        )
    return found


def _is_pure(engine: str) -> bool:
    return "graphviz-pure" in Path(engine).name


def _run(command: list[str], source: str) -> bytes:
    # only pictures need the package, and summaries should start fast
    from graphviz.backend.execute import CalledProcessError, ExecutableNotFound, run_check

    try:
        done = run_check(
            command,
            input=source.encode(),
            capture_output=True,
            quiet=True,
            timeout=TIME_LIMIT,
            preexec_fn=_limit if os.name == "posix" else None,
        )
    except subprocess.TimeoutExpired:
        raise RenderError(f"Graphviz took longer than {TIME_LIMIT} seconds") from None
    except CalledProcessError as error:
        if error.returncode < 0:
            raise RenderError(
                f"Graphviz needs more than {CPU_LIMIT} seconds or {MEMORY_LIMIT >> 20} MiB for so"
                " many lines: draw parts of the graph as blocks, or write a .dot"
            ) from None
        told = error.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise RenderError(f"Graphviz failed: {told or error.returncode}") from None
    except (ExecutableNotFound, OSError) as error:
        raise RenderError(f"Graphviz cannot be run: {error}") from None
    return bytes(done.stdout)
