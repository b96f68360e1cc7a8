"""Wrong specs in Markdown show the text that a user sees; `--rewrite` replaces the texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mimgraph.diagnostics.codes import CODES
from mimgraph.diagnostics.render import render_text
from tests.helpers.marked import faults, warnings
from tests.helpers.plugin_packages import declare_broken, declare_example, use

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(path for path in CORPUS.glob("*.md") if path.name != "README.md")
CASE = re.compile(r"```yaml\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_wrong_specs_show_these_texts(
    path: Path, rewrite: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path.stem == "plugins":
        declare_example(tmp_path)
        declare_broken(tmp_path)
        use(tmp_path, monkeypatch)
    text = path.read_text()

    def with_text(match: re.Match[str]) -> str:
        shown = render_text(faults(match[1]) or warnings(match[1]))
        return f"```yaml\n{match[1]}```\n\n```text\n{shown}\n```\n"

    expected = CASE.sub(with_text, text)
    if rewrite:
        path.write_text(expected)
    assert text == expected or rewrite


def test_every_code_has_a_case() -> None:
    shown = set(
        re.findall(
            r"^(?:error|warning)\[([a-z-]+)\]", "".join(p.read_text() for p in FILES), re.MULTILINE
        )
    )
    assert set(CODES) <= shown
