"""The page that compares libraries shows what was measured, and the declarations do what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, needed

needed("sphinx")
from extension.comparison import HERE, NAMES, results, table

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "explanation" / "comparison.md"


def test_the_table_is_what_was_measured(rewrite: bool) -> None:
    before, begin, rest = PAGE.read_text().partition("<!-- table -->\n")
    _, end, after = rest.partition("<!-- end of table -->\n")
    assert begin and end
    now = f"{before}{begin}\n{table()}\n\n{end}{after}"
    if rewrite:
        PAGE.write_text(now)
    assert PAGE.read_text() == now


def test_every_library_has_a_script_and_a_result() -> None:
    scripts = {path.stem for path in HERE.glob("*.py")} - {"measure", "run"}
    assert scripts == set(NAMES) == set(results())


def test_the_messages_on_the_page_are_those_that_were_printed() -> None:
    shown = re.findall(r"^```text\n(.*?)\n```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    printed = [
        facts[mistake]["message"].removeprefix("SpecError: ")
        for facts in results().values()
        for mistake in ("both", "unflattened", "misspelt")
        if facts[mistake]
    ]
    messages = [text for text in shown if not text.startswith("python ")]
    assert len(messages) > 6
    lost = [text for text in messages if not any(one.startswith(text) for one in printed)]
    assert lost == []


def outcome(name: str) -> str:
    """Return the JSON that is measured in this environment."""
    command = [sys.executable, str(HERE / "measure.py"), name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(ROOT))
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["by_hand", "with_mimgraph", "with_keras", "with_mlnode"])
def test_a_library_that_is_installed_says_the_same_today(name: str) -> None:
    if name != "by_hand":
        needed(name.removeprefix("with_"))
    now, then = json.loads(outcome(name).splitlines()[-1]), results()[name]
    for fact in ("lines", "changed", "keys", "unflattened", "misspelt"):
        assert now[fact] == then[fact], fact
