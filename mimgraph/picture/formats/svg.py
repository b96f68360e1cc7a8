"""Write a figure as self-contained SVG: text stays text, each group has a title, nothing is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mimgraph.picture.figure import Figure, Group, figure
from mimgraph.picture.formats.xml_text import escape, quoted
from mimgraph.picture.geometry import Path, Point, Rect, Shape, Style, Text
from mimgraph.picture.scene import Scene
from mimgraph.picture.text_metrics import Face, plain

# each as wide as the font that the boxes are measured in; the viewer chooses the last of each list
_FACES: dict[Face, str] = {
    "sans": "Helvetica, Arial, 'Liberation Sans', Arimo, sans-serif",
    "mono": "'Courier New', 'Liberation Mono', Cousine, monospace",
}


def render(scene: Scene) -> str:
    """Return the scene as an SVG file."""
    return render_figure(figure(scene))


def render_figure(picture: Figure) -> str:
    """Return the figure as an SVG file; equal figures give equal bytes."""
    width, height = _number(picture.width), _number(picture.height)
    name, description = plain(picture.name), plain(picture.description)
    root = {
        "xmlns": "http://www.w3.org/2000/svg",
        "width": f"{width}pt",
        "height": f"{height}pt",
        "viewBox": f"0 0 {width} {height}",
        "role": "img",
        "aria-label": description,
        "font-family": _FACES["sans"],
    }
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<svg{_attributes(root)}>",
        f"<title>{escape(name)}</title>",
        f"<desc>{escape(description)}</desc>",
        f'<rect width="100%" height="100%" fill="{picture.page}"/>',
    ]
    for group in picture.groups:
        lines += _group(group, f"{name}.")
    return "\n".join([*lines, "</svg>", ""])


def _group(group: Group, prefix: str) -> Iterator[str]:
    # the prefix keeps ids distinct on a page with several pictures
    id_ = prefix + re.sub(r"\s", "-", group.id)
    yield f"<g{_attributes({'id': id_, 'class': ' '.join(group.classes)})}>"
    yield f"<title>{escape(_lines(group.description))}</title>"
    yield from map(_shape, group.shapes)
    yield "</g>"


def _lines(text: str) -> str:
    return "\n".join(map(plain, text.splitlines()))


def _shape(shape: Shape) -> str:
    """Return a shape as SVG."""
    match shape:
        case Rect(place, radius, style):
            x, y, width, height = map(_number, place)
            corner = {"rx": _number(radius)} if radius else {}
            where = {"x": x, "y": y, "width": width, "height": height, **corner}
            return f"<rect{_attributes({**where, **_style(style)})}/>"
        case Path(start, steps, closed, style):
            moves = "".join(("L" if len(s) == 1 else "C") + _points(s) for s in steps)
            d = f"M{_points((start,))}{moves}{'Z' if closed else ''}"
            return f"<path{_attributes({'d': d, **_style(style)})}/>"
        case Text():
            return _text(shape)


def _text(shape: Text) -> str:
    """Return a line of text as SVG."""
    where = {"x": _number(shape.x), "y": _number(shape.y), "font-size": _number(shape.line.size)}
    if shape.anchor != "start":
        where["text-anchor"] = shape.anchor
    if shape.struck:
        where["text-decoration"] = "line-through"
    runs = []
    for run, color in zip(shape.line.runs, shape.colors, strict=True):
        font = {"fill": color}
        if run.face == "bold":
            font["font-weight"] = "bold"
        elif run.face == "mono":
            font["font-family"] = _FACES["mono"]
        runs.append((font, escape(run.text)))
    if len(runs) == 1:  # as in most lines
        ((font, text),) = runs
        return f"<text{_attributes({**where, **font})}>{text}</text>"
    spans = "".join(f"<tspan{_attributes(font)}>{text}</tspan>" for font, text in runs)
    return f'<text{_attributes(where)} xml:space="preserve">{spans}</text>'


def _style(style: Style) -> dict[str, str]:
    found = {"fill": style.fill or "none"}
    if style.line:
        found |= {"stroke": style.line, "stroke-width": _number(style.width)}
    if style.dashes:
        found["stroke-dasharray"] = " ".join(map(_number, style.dashes))
    return found


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _attributes(values: dict[str, str]) -> str:
    return "".join(f" {name}={quoted(value)}" for name, value in values.items())
