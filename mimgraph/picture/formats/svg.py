"""A figure as SVG that stands alone: text is text, each thing has a title, nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from mimgraph.picture.figure import Figure, Group, figure
from mimgraph.picture.geometry import Path, Point, Rect, Shape, Style, Text
from mimgraph.picture.scene import Scene
from mimgraph.picture.text_metrics import Face, plain

# as wide as the fonts by which the boxes are measured; the last of each is the viewer's choice
_FACES: dict[Face, str] = {
    "sans": "Helvetica, Arial, 'Liberation Sans', Arimo, sans-serif",
    "mono": "'Courier New', 'Liberation Mono', Cousine, monospace",
}


def text(scene: Scene) -> str:
    """The scene as an SVG file."""
    return drawn(figure(scene))


def drawn(picture: Figure) -> str:
    """The figure as an SVG file, the same bytes every time."""
    width, height = _number(picture.width), _number(picture.height)
    name, told = plain(picture.name), plain(picture.told)
    root = {
        "xmlns": "http://www.w3.org/2000/svg",
        "width": f"{width}pt",
        "height": f"{height}pt",
        "viewBox": f"0 0 {width} {height}",
        "role": "img",
        "aria-label": told,
        "font-family": _FACES["sans"],
    }
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<svg{_attributes(root)}>",
        f"<title>{escape(name)}</title>",
        f"<desc>{escape(told)}</desc>",
        f'<rect width="100%" height="100%" fill="{picture.page}"/>',
    ]
    for group in picture.groups:
        lines += _group(group, f"{name}.")
    return "\n".join([*lines, "</svg>", ""])


def _group(group: Group, prefix: str) -> Iterator[str]:
    # ids have a prefix, since a page may hold several pictures
    id_ = prefix + re.sub(r"\s", "-", group.id)
    yield f"<g{_attributes({'id': id_, 'class': ' '.join(group.classes)})}>"
    yield f"<title>{escape(_lines(group.told))}</title>"
    yield from map(_shape, group.shapes)
    yield "</g>"


def _lines(told: str) -> str:
    return "\n".join(map(plain, told.splitlines()))


def _shape(shape: Shape) -> str:
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
    where = {"x": _number(shape.x), "y": _number(shape.y), "font-size": _number(shape.line.size)}
    if shape.anchor != "start":
        where["text-anchor"] = shape.anchor
    if shape.struck:
        where["text-decoration"] = "line-through"
    runs = []
    for run, color in zip(shape.line.runs, shape.colors, strict=True):
        how = {"fill": color}
        if run.face == "bold":
            how["font-weight"] = "bold"
        elif run.face == "mono":
            how["font-family"] = _FACES["mono"]
        runs.append((how, escape(run.text)))
    if len(runs) == 1:  # most lines are of one kind
        ((how, said),) = runs
        return f"<text{_attributes({**where, **how})}>{said}</text>"
    spans = "".join(f"<tspan{_attributes(how)}>{said}</tspan>" for how, said in runs)
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
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items())
