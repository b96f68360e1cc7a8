"""Specs in Markdown show the text that a user sees; `--rewrite` replaces the texts."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pytest

from mimgraph.diagnostics.codes import CODES
from mimgraph.diagnostics.render import render_text
from tests.helpers.marked import faults, warnings
from tests.helpers.plugin_packages import declare_broken, declare_example, use

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(path for path in CORPUS.glob("*.md") if path.name != "README.md")
HEADING = re.compile(r"(?=^## )", re.MULTILINE)
CASE = re.compile(
    r"```yaml\n(?P<spec>.*?)```\n(?:\n```text\n.*?```\n)?(?:\n```yaml fixed\n(?P<fixed>.*?)```\n)?",
    re.DOTALL,
)
SHOWN = re.compile(r"^(?:error|warning)\[([a-z-]+)\]", re.MULTILINE)
PASTED = re.compile("⟦(.*?)⟧", re.DOTALL)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_specs_show_these_texts(
    path: Path, rewrite: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path.stem == "plugins":
        declare_example(tmp_path)
        declare_broken(tmp_path)
        use(tmp_path, monkeypatch)
    before = HEADING.split(path.read_text())
    after = [CASE.sub(with_text, section) for section in before]
    if rewrite:
        path.write_text("".join(after))
    wrong = [diff(*pair) for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert rewrite or not wrong, "\n".join(wrong)


def with_text(case: re.Match[str]) -> str:
    """Return a case with the text that its spec shows."""
    spec, fixed = case["spec"], case["fixed"]
    shown = render_text(faults(spec) or warnings(spec)) or "no errors or warnings"
    end = f"\n```yaml fixed\n{fixed}```\n" if fixed else ""
    return f"```yaml\n{spec}```\n\n```text\n{shown}\n```\n{end}"


def cases(*files: str) -> dict[str, tuple[str, set[str]]]:
    """Return the spec and the codes of each case of these files by its heading."""
    sections = [one for file in files for one in HEADING.split((CORPUS / f"{file}.md").read_text())]
    found = [(section.partition("\n")[0], CASE.search(section)) for section in sections]
    return {
        heading.removeprefix("## "): (case["spec"], {*SHOWN.findall(case[0])})
        for heading, case in found
        if case
    }


def diff(before: str, after: str) -> str:
    """Return the heading of a case and the lines that differ."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    return "\n".join([before.partition("\n")[0], *list(lines)[2:]])


def test_every_code_has_a_case() -> None:
    assert set(CODES) <= {*SHOWN.findall("".join(path.read_text() for path in FILES))}


def test_a_help_fixes_its_spec() -> None:
    """A help has each text that is in brackets in a fixed spec, and the fixed spec has no errors."""
    wrong = []
    for section in [one for path in FILES for one in HEADING.split(path.read_text())]:
        for case in CASE.finditer(section):
            if case["fixed"]:
                helps = " ".join(fault.help for fault in faults(case["spec"]))
                pasted = PASTED.findall(case["fixed"])
                left = faults(re.sub("[⟦⟧]", "", case["fixed"]))
                if left or not pasted or any(text not in helps for text in pasted):
                    wrong.append((section.partition("\n")[0], pasted, helps, left))
    assert not wrong, wrong
