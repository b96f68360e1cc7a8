"""Write a scene as one interactive HTML page: the graph as JSON, and the scripts that draw and search it."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from mimgraph.picture.diagram.chains import with_chains
from mimgraph.picture.diagram.description import describe
from mimgraph.picture.diagram.model import every
from mimgraph.picture.diagram.open_once import used_again
from mimgraph.picture.formats.page.data import detail_data, page_data
from mimgraph.picture.formats.page.plan_data import foldable
from mimgraph.picture.formats.xml_text import escape_html
from mimgraph.picture.scene import Scene
from mimgraph.picture.themes import PALETTES, Palette

ASSETS = Path(__file__).with_name("assets")
_IMPORT = re.compile(r'^import .* from "\./([\w/]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:function|class|const) (\w+)", re.MULTILINE)


def render(scene: Scene) -> str:
    """Return the page; it fetches nothing, and its policy lets no other script run."""
    script, style = _script(), _colours() + _asset("colours.css") + _asset("page.css")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)};"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )
    diagram, closed = with_chains(scene.whole) if scene.collapse else (scene.whole, [])
    closed += used_again(diagram) if scene.collapse else []
    diagram = foldable(diagram, scene.opened)
    options = {"theme": scene.theme or "auto", "depth": scene.opened}
    graph = {
        **page_data(diagram, scene.direction, scene.wrap),
        **options,
        "closed": [*closed, *sorted(scene.closed)],
        "independent": scene.independent(),
    }
    shown = {item.id for item in every(diagram.items)}
    details = {id_: detail_data(detail) for id_, detail in scene.details().items() if id_ in shown}
    values = {
        "policy": policy,
        "style": style,
        "script": script,
        "theme": scene.theme or "light",
        "name": _escaped(diagram.name),
        "alt": _escaped(describe(diagram)),
        "graph": _json(graph),
        "details": _json(details),
    }
    return re.sub(r"\$(\w+)", lambda found: values[found[1]], _asset("page.html"))


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _script() -> str:
    """Return all modules as one script: each becomes a function that returns its exports."""
    found: dict[str, str] = {}
    _bundle("main", found)
    return "\n".join(found.values())


def _bundle(module: str, found: dict[str, str]) -> None:
    """Add a module to `found`, after the modules that it imports."""
    text = _asset(f"{module}.js")
    for path in _IMPORT.findall(text):
        needed = str(PurePosixPath(module).parent / path)
        if needed not in found:
            _bundle(needed, found)
    names = ", ".join(_EXPORT.findall(text))
    body = _IMPORT.sub("", text).replace("\nexport ", "\n")
    found[module] = f"const {{ {names} }} = (() => {{\n{body}return {{ {names} }};\n}})();"


def _colours() -> str:
    """Return the colours of both themes as CSS variables; print is always light."""
    light, dark = (_variables(PALETTES[theme]) for theme in ("light", "dark"))
    return f':root {{{light}}}\n@media screen {{ :root[data-theme="dark"] {{{dark}}} }}\n'


def _variables(palette: Palette) -> str:
    found = {
        "paper": palette.page,
        "ink": palette.text,
        "grey": palette.faint,
        "edge": palette.edge,
        "wall": palette.wall,
        **{f"nested-{depth}": fill for depth, fill in enumerate(palette.nested)},
        **{f"tag-{number}": color for number, color in enumerate(palette.tags)},
    }
    for name, paint in (*palette.kinds.items(), *palette.marks.items()):
        found |= {name: paint.line, f"{name}-tint": paint.fill}
    return " ".join(f"--{name}: {color};" for name, color in found.items())


def _hash(text: str) -> str:
    """Return the hash by which the page's policy allows a script or style."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _json(value: Any) -> str:
    """Return data as JSON for a script element, escaped so that no text can end the element."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _escaped(value: str) -> str:
    return escape_html(value.encode("utf-8", "replace").decode())
