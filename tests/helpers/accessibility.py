"""axe-core for tests, which finds faults of a page for people who do not see or point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.helpers.npm import install

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = "axe-core@4.14.1"


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the script of axe-core, which checks the accessibility of a page."""
    root = tmp_path_factory.mktemp("axe")
    install(root, AXE)
    return (root / "node_modules" / "axe-core" / "axe.min.js").read_text()


def violations(page: Page, axe: str, *ignored: str) -> list[tuple[str, str]]:
    """Return the rules that a page breaks, but for some, each with the first element that breaks it."""
    page.evaluate(axe)
    # without `preload`: style sheets are there, and axe would request those that they import once more
    rules = {rule: {"enabled": False} for rule in ignored}
    report = page.evaluate("rules => axe.run({ rules, preload: false })", rules)
    return [(fault["id"], fault["nodes"][0]["html"]) for fault in report["violations"]]
