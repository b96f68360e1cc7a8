"""Make the page of each code of a diagnostic, as `mimgraph explain` shows it, and their index."""

from __future__ import annotations

import re
from collections.abc import Iterator

from extension.page import Page
from mimgraph.diagnostics.codes import CODES
from mimgraph.diagnostics.explain import page

# the groups, each by its first code in the order of `mimgraph explain`
GROUPS = {
    "yaml-syntax": ("Reading", "The text is no spec."),
    "bad-name": ("Names", "Something has a wrong name, or none has it."),
    "unknown-option": ("Options", "The options of a layer, merge or block."),
    "cycle": ("The graph", "How nodes are joined."),
    "rank-mismatch": ("Shapes", "Shapes and dtypes that do not fit."),
    "partly-frozen": ("Warnings", "Legal, and probably a mistake. The exit status stays 0."),
}
FENCE = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(rf"(?<!`)`({'|'.join(CODES)})`(?!`)")


def pages() -> Iterator[Page]:
    """Yield the pages in the order of the codes, after their index."""
    yield Page.of(
        "errors/index.md", INDEX.format(groups="\n".join(_groups()), toc="\n".join(CODES))
    )
    for code, meaning in CODES.items():
        yield Page.of(f"errors/{code}.md", _described(_linked(_fenced(page(code)), code), meaning))


def _groups() -> Iterator[str]:
    """Yield the lines of the index: a heading and a table for each group."""
    for code, meaning in CODES.items():
        if code in GROUPS:
            title, text = GROUPS[code]
            yield f"\n## {title}\n\n{text}\n\n| code | meaning |\n| --- | --- |"
        yield f"| [`{code}`]({code}.md) | {meaning} |"


def _fenced(text: str) -> str:
    """Return a page whose YAML is coloured though it may be wrong."""
    return FENCE.sub(r"```{code-block} yaml\n:force:\n\n\1```", text)


def _linked(text: str, own: str) -> str:
    """Return a page with a link at each code of another page."""
    return CODE.sub(lambda m: m[0] if m[1] == own else f"[{m[0]}]({m[1]}.md)", text)


def _described(text: str, meaning: str) -> str:
    """Return a page with its meaning for search engines."""
    meaning = meaning.replace('"', "'").replace("`", "")
    return f'---\nmyst:\n  html_meta:\n    description: "{meaning}"\n---\n\n{text}'


INDEX = """\
# Errors

Every diagnostic has a code. `mimgraph check` prints it in brackets, `error[shape-mismatch]`;
`mimgraph explain shape-mismatch` prints its page, and in Python a `SpecError` has it at
`error.diagnostics[0].code`. Each page has a wrong spec, its message, and the right spec.
{groups}

```{{toctree}}
:hidden:
{toc}
```
"""
