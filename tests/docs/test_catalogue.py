"""Every layer and merge has a page, whose example, sizes, source and names are right."""

from __future__ import annotations

import math
import re
from functools import cache

import pytest
from extension import catalogue, sizes
from extension.papers import PAPERS, cited, linked
from extension.worked import worked

from mimgraph.gallery.catalogue import entries
from mimgraph.language.reference.entries import every_op
from mimgraph.language.reference.search import search
from mimgraph.ops.colloquial import COLLOQUIAL
from mimgraph.ops.op import Op
from tests.conftest import ROOT

OPS = every_op()
ids = lambda op: f"{op.kind} {op.name}"


@cache
def made() -> dict[str, str]:
    return {page.path: page.content.decode() for page in catalogue.pages()}


@cache
def names_page() -> str:
    return catalogue._names(OPS)


@pytest.mark.slow  # draws all examples
@pytest.mark.parametrize("op", OPS, ids=ids)
def test_an_op_has_a_page_with_a_picture_and_a_source(op: Op) -> None:
    folder = catalogue.FOLDERS[op.kind]
    page = made()[f"{folder}/{op.name}.md"]
    assert f"# {op.name}\n" in page
    for heading in ("Signature", "Example", "Where it is from", "See also"):
        assert f"\n## {heading}\n" in page
    for ending in (".svg", ".dark.svg"):
        assert f"pictures/{op.name}{ending}" in page
        assert f"{folder}/pictures/{op.name}{ending}" in made()
    source = page.partition("## Where it is from\n\n")[2].partition("\n")[0]
    assert "](https://" in source or "mimgraph's own" in source
    for option in op.options:
        assert f"| `{option}` |" in page
    assert f"]({op.name}.md)" in made()[f"{folder}/index.md"]


@pytest.mark.slow
def test_links_lead_to_pages() -> None:
    specs = {"gallery/index.md", *(f"gallery/{entry.name}.md" for entry in entries())}
    for path, page in made().items():
        if path.endswith(".md"):
            folder = path.partition("/")[0]
            for target in re.findall(r"\]\((?!http)([^)#]+\.md)", page):
                place = target.removeprefix("../") if "/" in target else f"{folder}/{target}"
                assert place in made() or place in specs, f"{path}: {target}"


@pytest.mark.parametrize("op", OPS, ids=ids)
def test_what_is_said_of_sizes_is_true(op: Op) -> None:
    """Each `a = b` is arithmetic that holds, and gives a size of the result."""
    example = worked(op)
    size = {str(size) for type_ in example.results.values() for size in type_.shape}
    given = {str(size) for type_ in example.sources for size in type_.shape}
    for line in sizes.explained(op, example):
        assert "{" not in line
        for text in re.findall(r"`([^`=]+=[^`]+)`", line):
            left, right = (side.replace("·", "*") for side in text.split(" = "))
            left = left.replace("⌊", "math.floor(").replace("⌋", ")")
            assert eval(left, {"math": math}) == eval(right), text
            assert {left, right.strip()} & (size | given) or right in ("2", "3", "48"), text


@pytest.mark.parametrize("op", OPS, ids=ids)
def test_cited_papers_have_an_address(op: Op) -> None:
    assert {*cited(op.doc)} <= PAPERS.keys()


def test_every_address_is_of_a_paper_that_is_cited() -> None:
    specs = " ".join(path.read_text() for path in sorted((ROOT / "specs").glob("*.yaml")))
    assert PAPERS.keys() <= {*(name for op in OPS for name in cited(op.doc)), *cited(specs)}


def test_a_number_beside_a_paper_is_its_address() -> None:
    text = linked("as in (Guo et al. 2017, arXiv 1703.04247, for Criteo) and He & Chua 2017.")
    assert "[Guo et al. 2017](https://arxiv.org/abs/1703.04247), for Criteo" in text
    assert "[He & Chua 2017](https://arxiv.org/abs/1708.05027)." in text


@pytest.mark.parametrize("name", COLLOQUIAL)
def test_what_people_say_finds_the_op(name: str) -> None:
    for words in COLLOQUIAL[name]:
        assert name in [op.name for op in search(words)[0]], words
        assert words in names_page()


def test_names_lead_to_pages() -> None:
    names = names_page()
    assert "| `Dense` | [Linear](Linear.md) |" in names
    assert "| fully connected layer | [Linear](Linear.md) |" in names
    assert "| skip connection | [add](../merges/add.md) |" in names
