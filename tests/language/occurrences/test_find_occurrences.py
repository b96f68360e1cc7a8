"""Every place of a name is found."""

from __future__ import annotations

import re
from itertools import chain, cycle
from pathlib import Path

import pytest

from mimgraph.diagnostics import Report
from mimgraph.language.occurrences import find_occurrences
from mimgraph.language.scopes import Occurrences
from mimgraph.language.text_edits import TextEdit, edited
from mimgraph.language.yaml_reader import compose
from mimgraph.source import SourceFile
from tests.helpers.cases import EACH_SPEC_AND_PART, check_texts, each


def occurrences(text: str) -> Occurrences:
    """Return the names in a text, whatever is wrong in it."""
    return find_occurrences(compose(SourceFile("spec.yaml", text), Report().add))


def marked(text: str) -> str:
    """Return the text with « » around the places of the name at the first mark."""
    first = text.index("«")
    plain = re.sub("[«»]", "", text)
    file, found = SourceFile("spec.yaml", plain), occurrences(plain)
    one = found.at(*file.place(first))[0]
    spans = [place.span._replace(file=file) for place in found.of(one.symbol)]
    ends = [(span.part(0, 0), span.part(*[span.end_column - span.column] * 2)) for span in spans]
    marks = zip(chain.from_iterable(ends), cycle("«»"), strict=False)
    return edited(file, [TextEdit(span, mark) for span, mark in marks])


def test_all_places_are_found(rewrite: bool) -> None:
    check_texts(Path(__file__).with_name("names.md"), marked, rewrite)


@pytest.mark.parametrize("spec", EACH_SPEC_AND_PART)
def test_in_the_gallery_each_name_is_at_its_place_and_defined(spec: Path) -> None:
    found = occurrences(spec.read_text())
    for symbol, places in found.by_symbol.items():
        assert {one.span.excerpt().text for one in places} == {symbol.name}
        assert symbol.part or any(one.defines for one in places), symbol


@each("text", ["", "[", "{a: ", "nodes: 3", "nodes: {a: [b]}", "inputs: {? [x] : 3}"])
def test_a_text_without_names_has_none_or_few(text: str) -> None:
    assert len(occurrences(text).all) <= 1


@each("word", ["lr: 0.1", "weight_decay: 0.1", "lora: {rank: 2}"])
@each("params", ["", "params: {rate: 1}, ", "params: {lr: 1, weight_decay: 1, lora: 1}, "])
def test_a_word_on_training_is_a_param_only_if_the_block_has_one(word: str, params: str) -> None:
    found = occurrences(
        f"inputs: {{x: [4]}}\nblocks: {{b: {{{params}seq: [{{Linear: 4}}]}}}}\n"
        f"nodes: {{y: {{block: b, from: x, {word}}}}}\noutputs: y\n"
    )
    name = word.partition(":")[0]
    uses = [one for symbol in found.by_symbol for one in found.of(symbol) if symbol.name == name]
    assert [one.defines for one in uses] == ([True, False] if "lora" in params else [])
