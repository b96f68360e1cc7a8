"""The list of vendored files in the wheel (CycloneDX, PEP 770) is complete and fresh; `--rewrite` writes it."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

FONTS = ROOT / "mimgraph" / "picture" / "fonts"
SBOM = FONTS / "vendored.cdx.json"
LICENCE = "OFL-1.1-RFN"
OURS = {
    ".py",
    ".pyi",
    ".js",
    ".css",
    ".html",
    ".json",
    ".md",
    ".yaml",
    ".typed",
    ".txt",
}  # kinds of files


def vendored() -> list[Path]:
    """Return the files of the package whose kind nobody here writes by hand."""
    files = (path for path in (ROOT / "mimgraph").rglob("*") if path.is_file())
    return sorted(
        p for p in files if p.suffix not in OURS | {".pyc"} and "__pycache__" not in p.parts
    )


def file_component(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {
        "type": "file",
        "bom-ref": path.relative_to(ROOT).as_posix(),
        "name": path.relative_to(ROOT).as_posix(),
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def sbom() -> dict[str, Any]:
    """Return the list as CycloneDX has it, without a time, so that two builds are equal."""
    (release,) = re.findall(r"Liberation Mono (\d+\.\d+\.\d+)", (FONTS / "OFL.txt").read_text())
    source = "https://github.com/liberationfonts/liberation-fonts"
    fonts = {
        "type": "library",
        "bom-ref": "liberation-fonts",
        "name": "liberation-fonts",
        "version": release,
        "description": "Liberation Sans and Liberation Mono, cut to the letters that pictures may hold",
        "licenses": [{"license": {"id": LICENCE}}],
        "purl": f"pkg:github/liberationfonts/liberation-fonts@{release}",
        "pedigree": {
            "notes": "A subset without hints, renamed Mimgraph Sans and Mimgraph Mono as the licence asks."
        },
        "externalReferences": [{"type": "vcs", "url": source}],
        "components": [file_component(path) for path in vendored()],
    }
    root = {
        "type": "library",
        "bom-ref": "mimgraph",
        "name": "mimgraph",
        "purl": "pkg:pypi/mimgraph",
        "licenses": [{"license": {"id": "MIT"}}],
    }
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": root},
        "components": [fonts],
        "dependencies": [{"ref": "mimgraph", "dependsOn": ["liberation-fonts"]}],
    }


def test_the_list_is_fresh(rewrite: bool) -> None:
    text = json.dumps(sbom(), indent=2) + "\n"
    if rewrite:
        SBOM.write_text(text)
    assert SBOM.read_text() == text


def test_only_fonts_are_vendored() -> None:
    assert {path.parent for path in vendored()} == {FONTS}


def test_no_file_of_ours_has_the_licence_of_another() -> None:
    """A library copied into a script or a style sheet would say whose it is."""
    pattern = re.compile(r"copyright|@license|\(c\) 20", re.IGNORECASE)
    assets = ROOT / "mimgraph" / "picture" / "formats" / "page" / "assets"
    assert not [p for p in assets.rglob("*.*") if pattern.search(p.read_text())]


def test_the_licence_of_the_package_names_it() -> None:
    assert f'license = "MIT AND {LICENCE}"' in (ROOT / "pyproject.toml").read_text()
