"""Format specs: the same graph and faults, every comment in order, and nothing to change the second time."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph.language.concrete import Entry, NotOfSpecs, comments_in, read_concrete
from mimgraph.language.formatter import formatted
from mimgraph.language.yaml_reader import compose
from mimgraph.source import SourceFile
from tests.conftest import ROOT
from tests.fuzz.mutations import mutated_texts
from tests.fuzz.seeds import seeds
from tests.helpers.cases import check_texts, each
from tests.helpers.marked import faults


def fmt(text: str) -> str:
    return formatted(SourceFile("spec.yaml", text)).text


def comments(text: str) -> list[str]:
    """Return the comments of a text in order."""
    document = read_concrete(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    preamble = [line for line in document.preamble if "#" in line]
    whole = Entry(None, 0, 0, False, [], document.root)
    return preamble + [comment.text for comment in comments_in(whole)]


def told(text: str) -> list[str]:
    """Return the codes of the faults of a spec; their order is that of the text, and keys may move."""
    return sorted(fault.code for fault in faults(text))


def check(text: str) -> str:
    """Hold the properties of formatting for one text, and return the new one."""
    new = fmt(text)
    assert fmt(new) == new
    if compose(SourceFile("spec.yaml", text), lambda *_: None) is None:
        assert new == text
        return new
    try:
        before = comments(text)
    except NotOfSpecs:
        assert new == text
        return new
    assert comments(new) == before
    return new


def holds(text: str) -> str:
    """Hold the properties, and that the graph or its faults stay the same."""
    new = check(text)
    assert told(new) == told(text)
    if not told(text):
        dumped = mg.loads(new).dumps()
        assert dumped == fmt(mg.loads(text).dumps())
        assert fmt(dumped) == dumped
    return new


def test_style(rewrite: bool) -> None:
    check_texts(Path(__file__).with_name("style.md"), check, rewrite)


def test_blanks_line_ends_and_a_byte_order_mark() -> None:
    loose = "inputs : { x :  [ 5,3 ] }\n\n\n\nnodes:\n\n    y : {layer:   ReLU,from: x }   \n\n"
    assert check(loose) == "inputs: {x: [5, 3]}\n\nnodes:\n  y: {layer: ReLU, from: x}\n"
    marked = "\ufeffinputs:  {x: [5]}\r\noutputs: x"
    assert check(marked) == "\ufeffinputs: {x: [5]}\r\noutputs: x\r\n"


LEFT = {  # what specs do not have, and what YAML does not read, by its code
    "a: &b [1]\nc: *b\n": "yaml-subset",
    "a:  !!int 1\n": "yaml-subset",
    "? [a]\n: 1\n": "yaml-subset",
    "a:  1\n---\nb:  2\n": "yaml-subset",
    "a: [1\n": "yaml-syntax",
    "a:\n\t- 1\n": "yaml-syntax",
}


@each("text", [*LEFT])
def test_what_is_no_spec_stays_and_is_told(text: str) -> None:
    found = formatted(SourceFile("spec.yaml", text))
    assert found.text == text
    assert {fault.code for fault in found.faults} == {LEFT[text]}


@each("character", ["\x85", "\xa0", "\u2003", "\u2028", "\u3000"])
def test_only_spaces_and_tabs_are_blanks(character: str) -> None:
    """Python's `strip` takes other characters too, which YAML reads as part of a text."""
    text = f"a:  1{character}\n{character}b: 2\nc: [{character}]\nd: |\n  x\n  {character}\n"
    assert holds(text) == text.replace("  1", " 1")
    assert holds(f"# fmt: off\na:  1{character}\n") == f"# fmt: off\na:  1{character}\n"
    holds(f"a: 1 # one{character}\n{character}# two\n{character}\nb: 2\n")


def test_the_gallery_is_in_the_style() -> None:
    for path in (*(ROOT / "specs").rglob("*.yaml"), *(ROOT / "examples").rglob("*.yaml")):
        text = path.read_text()
        if compose(SourceFile(str(path), text), lambda *_: None) is not None:
            assert fmt(text) == text, path


def test_no_line_of_the_gallery_is_too_long() -> None:
    long = [
        line
        for path in (ROOT / "specs").rglob("*.yaml")
        for line in fmt(path.read_text()).splitlines()
        if len(line.partition("# ")[0]) > 100 and " doc: " not in line and "expr: " not in line
    ]
    assert not long


@pytest.mark.slow
def test_every_spec_of_the_tests_and_the_manual() -> None:
    pages = [path.read_text() for path in (ROOT / "docs").rglob("*.md")]
    pages += [path.read_text() for path in (ROOT / "tests" / "corpus").glob("*.md")]
    snippets = [
        text for page in pages for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    ]
    for text in {*seeds(), *snippets}:
        holds(text)


def few() -> list[str]:
    """Return a few specs of the gallery; all seeds take seconds to find."""
    return [
        (ROOT / "specs" / f"{name}.yaml").read_text()
        for name in ("image_numerical", "gated_fusion", "whisper", "conformer")
    ]


@st.composite
def commented(draw: st.DrawFn, texts: Callable[[], list[str]]) -> str:
    """Draw one of the texts with comments and blank lines between, above and beside its parts."""
    lines = draw(st.sampled_from(texts())).splitlines()
    for n in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["beside", "above", "blank", "broken"])):
            case "beside":
                lines[at] += f"{draw(st.sampled_from([' ', '    ']))}# {n}"
            case "above":
                lines.insert(at, f"{' ' * draw(st.integers(0, 8))}# {n}")
            case "blank":
                lines.insert(at, "")
            case "broken":  # in brackets a line may end behind each comma
                head, comma, tail = lines[at].partition(", ")
                lines[at : at + 1] = [f"{head}{comma} # {n}", f"      {tail}"] if comma else [head]
    return "\n".join(lines) + "\n"


@settings(max_examples=40)
@given(commented(few))
def test_comments_stay_in_order(text: str) -> None:
    check(text)


@pytest.mark.slow
@settings(max_examples=3_000)
@given(commented(seeds) | mutated_texts())
def test_many_damaged_and_commented_texts(text: str) -> None:
    check(text)
