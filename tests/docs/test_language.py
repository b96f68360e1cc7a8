"""The pages of the language miss nothing: every code, key, dtype, init, function and limit stands on one."""

from __future__ import annotations

import re

import pytest

from mimgraph.declare import tree
from mimgraph.diagnostics.codes import CODES
from mimgraph.infer import state
from mimgraph.infer.presence import MAX_OPTIONAL
from mimgraph.ir import expression
from mimgraph.ir.grammar import PLACES
from mimgraph.ir.types import DTYPES, MAX_AXES
from mimgraph.language import files
from mimgraph.language.keys import EVERY_KEY
from mimgraph.ops.layers.reshape import MAX_PARTS
from mimgraph.ops.layers.tensors import INITS
from mimgraph.ops.merges.formula import FUNCTIONS
from tests.conftest import ROOT, needed

needed("sphinx")
from extension import language_keys

pytestmark = pytest.mark.slow

LANGUAGE = ROOT / "docs" / "language"
PAGES = {path.stem: path.read_text() for path in sorted(LANGUAGE.glob("*.md"))}
TEXT = "\n".join(PAGES.values())


def test_every_diagnostic_is_shown_where_its_rule_stands() -> None:
    assert [code for code in CODES if f"[{code}]" not in TEXT] == []


def test_every_key_of_a_place_stands_on_a_page() -> None:
    keys = [(place, key) for place in PLACES for key in PLACES[place] if key]
    assert [one for one in keys if not re.search(rf"\[`{one[1]}`\]\(keys/", TEXT)] == []


def test_dtypes_inits_and_functions_are_listed() -> None:
    assert [one for one in DTYPES if f"`{one}`" not in PAGES["inputs"]] == []
    assert [one for one in INITS if not re.search(rf"\b{one}\b", PAGES["tensors"])] == []
    assert [one for one in FUNCTIONS if not re.search(rf"\b{one}\b", PAGES["formula"])] == []


def test_the_limits_are_those_of_the_code() -> None:
    rows = dict(re.findall(r"^\| ([^|]*) \| ([^|]*) \|$", PAGES["limits"], re.MULTILINE))
    assert rows["nesting of YAML"] == f"{tree.MAX_DEPTH} levels"
    assert rows["the text of a spec"] == f"{tree.MAX_BYTES >> 20} MiB"
    assert rows["nodes after blocks and repeats are expanded"] == f"{state.MAX_NODES:,}"
    assert rows["blocks in blocks"] == f"{state.MAX_DEPTH} levels"
    assert rows["an expression"] == f"{expression.MAX_TOKENS} tokens, {expression.MAX_DEPTH} levels"
    assert rows["axes of a tensor, the batch not counted"] == f"{MAX_AXES}"
    assert rows["optional inputs"] == f"{MAX_OPTIONAL}"
    assert rows["pieces of a `Split`, `Chunk` or `Unbind`"] == f"{MAX_PARTS:,}"
    parts = f"{files.MAX_PARTS}, {files.MAX_DEPTH} deep, {tree.MAX_BYTES >> 20} MiB in sum"
    assert rows["parts"] == parts


def test_the_index_leads_to_every_page() -> None:
    listed = set(
        re.findall(r"^([\w-]+)$", PAGES["index"].rpartition("maxdepth: 1\n")[2], re.MULTILINE)
    )
    assert listed == set(PAGES) - {"index"}


def test_the_page_of_each_key_is_hand_written() -> None:
    assert {key.page for key in EVERY_KEY.values()} <= set(PAGES)


def test_each_key_has_a_page_with_its_type_example_and_refusal() -> None:
    made = {page.path: page.content.decode() for page in language_keys.pages()}
    assert len(made) == len(EVERY_KEY) + 1
    for name, key in EVERY_KEY.items():
        page = made[f"language/keys/{language_keys.file(name)}.md"]
        assert f"({language_keys.file(name)}.md)" in made["language/keys/index.md"]
        assert page.startswith(f"# {name}\n") and f"- **type**: {key.type}\n" in page
        assert key.example in page and key.refused.spec in page
        assert f"error[{key.refused.code}]: {key.refused.message}\n" in page
