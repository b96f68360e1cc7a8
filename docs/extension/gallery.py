"""Make a page of each spec of the gallery, and their index with small pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import mimgraph as mg
from extension.markdown import code, folded, inline, picture, scrolled, table
from extension.page import Page
from extension.pictures import fitting, thumbnail, width
from extension.uses import FOLDERS, ops_of
from mimgraph.gallery.catalogue import CATEGORIES, Entry, entries, find

AGREEMENT = Path(__file__).parents[2] / "tests" / "gallery" / "agreement.json"
WIDTH = 104  # characters of a line of a summary


class Shown(NamedTuple):
    """A spec with its graph, and how far it agrees with its reference."""

    entry: Entry
    path: Path
    graph: mg.Graph
    agreement: dict[str, Any]

    @property
    def parameters(self) -> str:
        """The number of parameters, exactly."""
        return f"{self.graph.summary().params:,}"


def pages() -> Iterator[Page]:
    """Yield the pages of all specs with their pictures, and the index."""
    agreement = json.loads(AGREEMENT.read_text())
    all_shown = []
    for entry in entries():
        path = find(entry.name)
        shown = Shown(entry, path, mg.load(path), agreement[entry.name])
        all_shown.append(shown)
        pictures = list(fitting(shown.graph, f"gallery/pictures/{entry.name}"))
        yield Page.of(f"gallery/{entry.name}.md", page(shown, width(pictures)))
        yield from pictures
        yield from thumbnail(shown.graph, f"gallery/thumbnails/{entry.name}")
    yield Page.of("gallery/index.md", _index(all_shown))


def page(shown: Shown, wide: float) -> str:
    """Return the page of a spec, whose picture is that many points wide."""
    entry, graph = shown.entry, shown.graph
    doc = graph.typed.body.doc or entry.about
    summary = graph.summary(depth=1)
    parts = [
        f"# {entry.name}",
        inline(doc if doc.endswith(".") else f"{doc}."),
        f"{shown.parameters} parameters in the class `{graph.name}`. Category: {entry.category}.",
        *_begin(shown),
        scrolled(picture(f"pictures/{entry.name}", f"The graph of {graph.name}"), "picture", wide),
        f"It uses {', '.join(_links(graph))}.",
        "## Agreement",
        _agreement(shown),
        "## Summary",
        code("text", _without_notes(summary.text(WIDTH))),
        "`mimgraph summary my_model.yaml` opens all blocks.",
        "## The spec",
        f"`{_place(shown)}`:",
        code("yaml", shown.path.read_text()),
        "## The emitted code",
        "`mimgraph emit my_model.yaml` prints it.",
        folded(f"The class `{graph.name}`", code("python", graph.source())),
    ]
    return "\n\n".join(parts) + "\n"


def _links(graph: mg.Graph) -> Iterator[str]:
    """Yield links to the ops of a graph, merges first."""
    for kind, name in sorted(ops_of(graph), key=lambda op: (op[0] != "merge", op[1].lower())):
        yield f"[{name}](../{FOLDERS[kind]}/{name}.md)"


def _without_notes(text: str) -> str:
    """Return a summary without its title, and the line about columns that there is no room for."""
    lines = text.splitlines()[1:]
    return "\n".join(line for line in lines if not line.startswith("Left out: ")).strip("\n")


def _begin(shown: Shown) -> Iterator[str]:
    """Yield the commands that begin with a spec; only a project copies its parts, too."""
    name = shown.entry.name
    commands = [f"mimgraph new my_model --like {name}"]
    if shown.graph.declared.part_files:
        yield "Begin a project with the spec and its parts, a training script and a test:"
    else:
        commands.insert(0, f"mimgraph gallery {name} > my_model.yaml")
        yield "Copy the spec, or begin a project with it, a training script and a test:"
    yield code("sh", "\n".join(commands))


def _place(shown: Shown) -> str:
    """Return where the spec is in the repository."""
    parts = "parts/" if shown.entry.category == "of several files" else ""
    return f"specs/{parts}{shown.path.name}"


def _agreement(shown: Shown) -> str:
    """Return what the spec is compared with, and how far both agree."""
    found = shown.agreement
    if not found["reference"]:
        return (
            "This one has no published reference. The tests check, compile, run and draw it, and compare its"
            " emitted code with the committed one."
        )
    said = [
        f"Compared with: {found['reference']}.",
        f"Parameters: {shown.parameters}; {found['parameters']}.",
    ]
    if found["size"] is None:
        said.append("Outputs are not compared with a reference.")
    else:
        said.append(f"Outputs with the same weights: {_difference(found)}.")
    return "\n".join(f"- {line}" for line in said)


def _difference(found: dict[str, Any]) -> str:
    size = ", ".join(f"`{name}: {value}`" for name, value in found["size"].items())
    where = f", compared with {size}" if size else ""
    if not found["difference"]:
        return f"equal bit for bit{where}"
    return f"the largest difference is {_power(found['difference'])} of the largest output{where}"


def _power(number: float) -> str:
    """Return a small number: `3e-07` as `3 · 10⁻⁷`."""
    digit, _, exponent = f"{number:.0e}".partition("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digit} · 10{raised}"


def _index(all_shown: list[Shown]) -> str:
    parts = [INDEX]
    for category in CATEGORIES:
        cards = [_card(shown) for shown in all_shown if shown.entry.category == category]
        parts += [
            f"## {category.capitalize()}",
            "::::{grid} 1 2 3 3\n:gutter: 2\n\n" + "\n\n".join(cards) + "\n::::",
        ]
    rows = [_row(shown) for shown in all_shown if shown.agreement["reference"]]
    tree = "\n".join(shown.entry.name for shown in all_shown)
    return "\n\n".join(
        [
            *parts,
            "## How far they agree",
            "Differences were measured with torch 2.13 on a CPU; a test fails if one becomes ten times as large.",
            table(("spec", "parameters", "compared with", "largest difference"), rows),
            f"```{{toctree}}\n:hidden:\n{tree}\n```\n",
        ]
    )


def _card(shown: Shown) -> str:
    name = shown.entry.name
    thumb = picture(f"thumbnails/{name}", "", "thumbnail")
    return (
        f":::{{grid-item-card}} {name}\n:link: {name}\n:link-type: doc\n\n{thumb}\n\n"
        f"{inline(shown.entry.about)}\n:::"
    )


def _row(shown: Shown) -> list[str]:
    found = shown.agreement
    difference = "not compared" if found["size"] is None else _short(found["difference"])
    name = shown.entry.name
    return [f"[{name}]({name}.md)", shown.parameters, found["reference"], difference]


def _short(difference: float) -> str:
    return _power(difference) if difference else "0"


INDEX = """\
# Gallery

Published architectures, each in at most 70 lines. They come with the package: `mimgraph gallery` lists them, and
`mimgraph gallery bert_base` prints one. The tests compile, run and draw them, and compare each with its
reference: the number of parameters exactly, and the outputs with the same weights."""
