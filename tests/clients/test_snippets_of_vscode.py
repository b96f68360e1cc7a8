"""Each snippet of the VS Code extension, expanded, is a legal spec, or completes one."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import mimgraph as mg
from tests.conftest import ROOT
from tests.helpers.cases import each, texts

FILE = ROOT / "editors/vscode/snippets/specs.json"
SNIPPETS = {one["prefix"]: "\n".join(one["body"]) for one in json.loads(FILE.read_text()).values()}
STOP = re.compile(
    r"\\(?P<escaped>.)"
    r"|\$(?P<again>\d+)"
    r"|\$\{(?P<number>\d+)(?::(?P<text>[^}]*)|\|(?P<choices>[^}]*)\|)\}"
)


AROUND = {
    name: text for name, (text,) in texts(Path(__file__).with_name("snippets_of_vscode.md")).items()
}


def expansions(body: str) -> Iterator[str]:
    """Expand a snippet with its defaults, once for each of its choices."""
    stops = [one for one in STOP.finditer(body) if one["number"]]
    values = [
        (one["choices"] or one["text"]).split("," if one["choices"] else "\0") for one in stops
    ]
    for chosen in itertools.product(*values):
        texts = dict(zip((one["number"] for one in stops), chosen, strict=True))
        yield STOP.sub(
            lambda one, texts=texts: one["escaped"] or texts.get(one["again"] or one["number"], ""),
            body,
        )


def completed(around: str, text: str) -> str:
    """Put an expanded snippet into its spec, indented as an editor does."""
    (margin,) = re.findall(r"^( *)%", around, re.MULTILINE)
    name = re.findall(r"^(\w+):", text, re.MULTILINE)[-1]
    return around.replace(f"{margin}%", indent(text, margin)).replace("NAME", name)


def test_each_snippet_is_tried() -> None:
    assert SNIPPETS.keys() == AROUND.keys()


@each("prefix, around", AROUND.items())
def test_a_snippet_is_legal(prefix: str, around: str) -> None:
    for text in expansions(SNIPPETS[prefix]):
        mg.loads(completed(around, text))
