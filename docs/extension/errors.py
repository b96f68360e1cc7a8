"""Make the page of each code of a diagnostic, as `mimgraph explain` shows it, and their index."""

from __future__ import annotations

from collections.abc import Iterator

from extension.page import Page
from mimgraph.diagnostics.codes import CODES
from mimgraph.diagnostics.explain import page


def pages() -> Iterator[Page]:
    """Yield the pages in the order of the codes, after their index."""
    rows = "\n".join(f"| [{code}]({code}.md) | {meaning} |" for code, meaning in CODES.items())
    toc = "\n".join(CODES)
    yield Page.of("errors/index.md", INDEX.format(rows=rows, toc=toc))
    for code in CODES:
        yield Page.of(f"errors/{code}.md", page(code))


INDEX = """\
# Errors

Every diagnostic has a code. `mimgraph explain CODE` prints the page of one.

| code | meaning |
| --- | --- |
{rows}

```{{toctree}}
:hidden:
{toc}
```
"""
