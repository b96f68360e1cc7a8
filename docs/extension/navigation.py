"""Name the arrows that open a part of the navigation, which the theme leaves without a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ARROW = re.compile(r"(<a [^>]*>(.*?)</a><details[^>]*><summary)>", re.DOTALL)


def setup(app: Sphinx) -> None:
    """Change what the theme offers to its templates, after it."""
    app.connect("html-page-context", _begin, priority=900)


def _begin(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    make = context.get("generate_toctree_html")
    if make is not None:
        context["generate_toctree_html"] = lambda *words, **named: named_arrows(
            str(make(*words, **named))
        )


def named_arrows(html: str) -> str:
    """Return a navigation whose arrows have names: `Pages of Errors`."""

    def named(found: re.Match[str]) -> str:
        title = re.sub("<.*?>", "", found[2]).strip().replace('"', "&quot;")
        return f'{found[1]} aria-label="Pages of {title}">'

    return ARROW.sub(named, html)
