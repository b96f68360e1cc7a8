"""Every layer and merge has a page, whose example, sizes, source and names are right."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cache

import pytest

from mimgraph.gallery.catalogue import entries
from mimgraph.language.reference import every_op, search
from mimgraph.ops.op import Op
from mimgraph.ops.spelling import all_names
from tests.conftest import ROOT, needed

needed("sphinx")
from extension import catalogue, sizes
from extension.papers import PAPERS, cited, linked
from extension.worked import worked

pytestmark = pytest.mark.slow

OPS = every_op()


@cache
def made() -> dict[str, str]:
    return {page.path: page.content.decode() for page in catalogue.pages()}


@cache
def names_page() -> str:
    return catalogue._names(OPS)


def lacks(op: Op) -> Iterator[str]:
    """Yield what the page of an op should have, and has not."""
    folder = catalogue.FOLDERS[op.kind]
    page = made().get(f"{folder}/{op.name}.md", "")
    texts = [f"# {op.name}\n", *(f"| `{option}` |" for option in op.options)]
    for heading in ("Signature", "Example", "Where it is from", "See also"):
        texts.append(f"\n## {heading}\n")
    for ending in (".svg", ".dark.svg"):
        texts.append(f"pictures/{op.name}{ending}")
        if f"{folder}/pictures/{op.name}{ending}" not in made():
            yield f"a picture {ending}"
    yield from (text for text in texts if text not in page)
    source = page.partition("## Where it is from\n\n")[2].partition("\n")[0]
    if not ("](https://" in source or "mimgraph's own" in source):
        yield "a source"
    if f"]({op.name}.md)" not in made()[f"{folder}/index.md"]:
        yield "a place in the index"


def test_an_op_has_a_page_with_a_picture_and_a_source() -> None:
    assert {op.name: found for op in OPS if (found := [*lacks(op)])} == {}


def test_links_lead_to_pages() -> None:
    specs = {"gallery/index.md", *(f"gallery/{entry.name}.md" for entry in entries())}
    for path, page in made().items():
        if path.endswith(".md"):
            folder = path.partition("/")[0]
            for target in re.findall(r"\]\((?!http)([^)#]+\.md)", page):
                place = target.removeprefix("../") if "/" in target else f"{folder}/{target}"
                assert place in made() or place in specs, f"{path}: {target}"


def untrue(op: Op) -> Iterator[str]:
    """Yield what a page says of sizes and is no arithmetic that holds, or gives no size of the result."""
    example = worked(op)
    size = {str(size) for type_ in example.results.values() for size in type_.shape}
    given = {str(size) for type_ in example.sources for size in type_.shape}
    for line in sizes.explained(op, example):
        if "{" in line:
            yield line
        for text in re.findall(r"`([^`=]+=[^`]+)`", line):
            left, right = (side.replace("·", "*") for side in text.split(" = "))
            left = left.replace("⌊", "math.floor(").replace("⌋", ")")
            is_size = {left, right.strip()} & (size | given) or right in ("2", "3", "48")
            if eval(left, {"math": math}) != eval(right) or not is_size:
                yield text


def test_what_is_said_of_sizes_is_true() -> None:
    assert {op.name: found for op in OPS if (found := [*untrue(op)])} == {}


def test_cited_papers_have_an_address() -> None:
    assert {name for op in OPS for name in cited(op.doc)} <= PAPERS.keys()


def test_every_address_is_of_a_paper_that_is_cited() -> None:
    specs = " ".join(path.read_text() for path in sorted((ROOT / "specs").glob("*.yaml")))
    assert PAPERS.keys() <= {*(name for op in OPS for name in cited(op.doc)), *cited(specs)}


def test_a_number_beside_a_paper_is_its_address() -> None:
    text = linked("as in (Guo et al. 2017, arXiv 1703.04247, for Criteo) and He & Chua 2017.")
    assert "[Guo et al. 2017](https://arxiv.org/abs/1703.04247), for Criteo" in text
    assert "[He & Chua 2017](https://arxiv.org/abs/1708.05027)." in text


def test_what_people_say_finds_the_op() -> None:
    said = [(name, words) for name, names in all_names().items() for words in names.said]
    lost = [
        (name, words)
        for name, words in said
        if name not in [op.name for op in search(words)[0]] or words not in names_page()
    ]
    assert lost == []


def test_names_lead_to_pages() -> None:
    names = names_page()
    assert "| `Dense` | [Linear](Linear.md) |" in names
    assert "| fully connected layer | [Linear](Linear.md) |" in names
    assert "| skip connection | [add](../merges/add.md) |" in names
