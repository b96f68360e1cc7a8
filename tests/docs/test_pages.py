"""Every snippet of the manual runs, and prints and draws what its page shows; `--rewrite` writes it anew."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, needed
from tests.docs.snippets import forget_modules, run

pytestmark = pytest.mark.slow

DOCS = ROOT / "docs"
# these have tests of their own
OTHER = {"architecture.md", "import-coverage.md"}
GENERATED = {
    line.removeprefix("docs/").strip("/")
    for line in (ROOT / ".gitignore").read_text().splitlines()
    if line.startswith("docs/")
}
PAGES = [
    path
    for path in sorted(DOCS.rglob("*.md"))
    if path.name not in OTHER
    and not GENERATED
    & {str(path.relative_to(DOCS)), *(str(p) for p in path.relative_to(DOCS).parents)}
]


# of the extra test-all
PACKAGES = {"accelerate", "lightning", "mcp", "onnxruntime", "sklearn", "skorch"}
IMPORT = re.compile(r"^(?:import|from) (\w+)", re.MULTILINE)


@pytest.mark.parametrize(
    "path", PAGES, ids=lambda path: str(path.relative_to(DOCS).with_suffix(""))
)
def test_a_page_shows_what_happens(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rewrite: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    before = set(sys.modules)
    shown = path.read_text()
    for package in {*IMPORT.findall(shown)} & PACKAGES:
        needed(package)
    try:
        now = run(shown, tmp_path)
    finally:
        forget_modules(tmp_path, before)
    pictures = {
        picture: tmp_path / Path(picture).name
        for picture in re.findall(
            r"\((pictures/[^)\s]+)\)|^```\{(?:image|figure)\} (pictures/\S+)", shown, re.MULTILINE
        )
        for picture in picture
        if picture and (tmp_path / Path(picture).name).exists()
    }
    if rewrite:
        path.write_text(now)
        for picture, drawn in pictures.items():
            (path.parent / picture).parent.mkdir(exist_ok=True)
            (path.parent / picture).write_bytes(drawn.read_bytes())
    assert path.read_text() == now
    for picture, drawn in pictures.items():
        assert (path.parent / picture).read_bytes() == drawn.read_bytes(), picture
