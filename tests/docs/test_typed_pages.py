"""mypy finds no mistake in the Python of the manual, beyond those that are listed here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, needed
from tests.docs.snippets import snippets
from tests.docs.test_pages import DOCS, PAGES

pytestmark = pytest.mark.slow

SETTINGS = """\
[mypy]
allow_redefinition_new = true
local_partial_types = true
ignore_missing_imports = true
# a page is a script without annotations: what it collects and sums has no declared type
disable_error_code = operator, call-overload, var-annotated

# reading these takes long, and their types refuse much that runs
[mypy-accelerate.*,lightning.*,numpy.*,onnx.*,onnxruntime.*,sklearn.*,skorch.*,torch.*,torchvision.*,transformers.*]
follow_imports = skip
ignore_missing_imports = true
"""
KNOWN = {  # what the stubs cannot know, by page
    "language/python": r'Too many positional arguments for "Conv2d"',  # it shows this error
    "how-to/register-a-module": r'Module has no attribute "\w+"',  # registered by the page
    "how-to/tables-with-many-columns": r"Missing positional argument .*",  # it is in `with_`
    "how-to/training-only-outputs": r'.* has incompatible type "dict\[str, object\]".*',
    "how-to/pipeline-stages": r'"int" has no attribute "item"',  # a sum of tensors
}


def test_the_python_of_the_manual_is_typed_right(tmp_path: Path) -> None:
    needed("mypy")
    pages = {}
    for page in PAGES:
        name = page.relative_to(DOCS).with_suffix("").as_posix()
        story: list[str] = []
        for snippet in snippets(page.read_text()):
            if snippet.file.endswith(".py"):
                code = [snippet.text]
            elif snippet.language in ("python", "run"):
                code = story
                code.append(snippet.text)
            else:
                continue
            stem = re.sub(r"\W", "_", name)
            file = f"{stem}__{Path(snippet.file or 'page').stem}.py"
            (tmp_path / file).write_text("\n".join(code))
            pages[file] = name
    (tmp_path / "mypy.ini").write_text(SETTINGS)
    cache = ROOT / ".mypy_cache" / "typing"
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(cache), "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    found = re.findall(r"^([^:]+):(\d+): error: (.*?)(?:  \[[\w-]+\])?$", done.stdout, re.MULTILINE)
    new = [
        f"{pages[file]}:{line}: {message}"
        for file, line, message in found
        if not re.fullmatch(KNOWN.get(pages[file], "never"), message)
    ]
    assert len(pages) > 30 and not new, "\n".join(new)
