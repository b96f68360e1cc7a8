"""A scene as one interactive page: the graph as data, beside the scripts that draw and search it."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from mimgraph.picture.details.description import described
from mimgraph.picture.diagram.chains import chained
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, Item, boxes
from mimgraph.picture.diagram.share_letters import letters
from mimgraph.picture.scene import Scene
from mimgraph.picture.themes import LOOKS, Look

_IMPORT = re.compile(r'^import .* from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:function|class|const) (\w+)", re.MULTILINE)


def text(scene: Scene) -> str:
    """The page; nothing in it is fetched from elsewhere, and nothing runs but its own script."""
    script, style = _script(), _colours() + _asset("colours.css") + _asset("page.css")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)};"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )
    diagram, closed = chained(scene.whole) if scene.collapse else (scene.whole, [])
    how = {"direction": scene.direction, "theme": scene.theme, "depth": scene.depth}
    graph = {**_diagram(diagram), **how, "closed": closed}
    details = {id_: _filled(detail.data()) for id_, detail in scene.details().items()}
    return Template(_asset("page.html")).substitute(
        policy=policy,
        style=style,
        script=script,
        theme=scene.theme,
        name=_text(diagram.name),
        alt=_text(described(diagram)),
        graph=_json(graph),
        details=_json(details),
    )


def _asset(name: str) -> str:
    return files(__name__).joinpath("assets", name).read_text(encoding="utf-8")


def _script() -> str:
    """The modules in one, each a function that hands out what the later ones import."""
    found: dict[str, str] = {}
    _bundle("main", found)
    return "\n".join(found.values())


def _bundle(module: str, found: dict[str, str]) -> None:
    """A module after those that it imports."""
    text = _asset(f"{module}.js")
    for needed in _IMPORT.findall(text):
        if needed not in found:
            _bundle(needed, found)
    names = ", ".join(_EXPORT.findall(text))
    body = _IMPORT.sub("", text).replace("\nexport ", "\n")
    found[module] = f"const {{ {names} }} = (() => {{\n{body}return {{ {names} }};\n}})();"


def _colours() -> str:
    """The looks of both themes as variables; paper is always light."""
    light, dark = (_variables(LOOKS[theme]) for theme in ("light", "dark"))
    return f':root {{{light}}}\n@media screen {{ :root[data-theme="dark"] {{{dark}}} }}\n'


def _variables(look: Look) -> str:
    found = {
        "paper": look.page,
        "ink": look.text,
        "grey": look.faint,
        "edge": look.edge,
        "wall": look.wall,
        **{f"nested-{depth}": fill for depth, fill in enumerate(look.nested)},
        **{f"tag-{number}": color for number, color in enumerate(look.tags)},
    }
    for name, paint in (*look.kinds.items(), *look.marks.items()):
        found |= {name: paint.line, f"{name}-tint": paint.fill}
    return " ".join(f"--{name}: {color};" for name, color in found.items())


def _hash(text: str) -> str:
    """What the page's policy knows its own script by."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _json(value: Any) -> str:
    """Data in a script element, which no text in it can end."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _text(value: str) -> str:
    return escape(value.encode("utf-8", "replace").decode())


def _diagram(diagram: Diagram) -> dict[str, Any]:
    tags = letters({box.id: box for box in boxes(diagram.items)})
    return {
        "name": diagram.name,
        "items": [_item(item, tags) for item in diagram.items],
        "edges": [_edge(edge) for edge in diagram.edges],
    }


def _item(item: Item, tags: Mapping[str, str]) -> dict[str, Any]:
    names = (*Box.__slots__, *Cluster.__slots__)
    found = _filled({n: getattr(item, n, None) for n in names if n != "items"})
    if item.id in tags:
        found["tag"] = tags[item.id]
    if isinstance(item, Cluster):
        found["items"] = [_item(inner, tags) for inner in item.items]
    return found


def _edge(edge: Edge) -> dict[str, str]:
    return _filled(edge._asdict())


def _filled(data: Mapping[str, Any]) -> dict[str, Any]:
    """What is not empty of it."""
    return {name: value for name, value in data.items() if value}
