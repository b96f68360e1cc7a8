"""Write the paragraphs of a hover: documentation of an op or key, and values."""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.editor.features.wording import listed
from mimgraph.language.reference.entries import EVERY_KEY, explained
from mimgraph.ops.op import Op


def valued(title: str, found: Mapping[str, str]) -> str:
    """Return a title with its value, or with each value and the use that has it."""
    if len(found) == 1:
        return f"**{title}** `{next(iter(found))}`"
    rows = listed([f"`{value}` in `{path}`" for value, path in found.items()])
    return f"**{title}**\n{rows}".rstrip()


def op_doc(op: Op) -> str:
    """Return the documentation of an op, in which a star is no emphasis: `(*, 5)` is a shape."""
    parts = op.doc.split("`")
    return "`".join(
        p if i % 2 else p.replace("*", "\\*").replace("<", "&lt;") for i, p in enumerate(parts)
    )


def key_text(name: str) -> str:
    """Return what a key of a spec means; "" if it is none."""
    key = EVERY_KEY.get(name)
    if key is None:
        return ""
    facts = f"type: {key.type}; default: {key.default}"
    return f"key `{name}`: {key.about}\n\n{facts}\n\n[language/{key.page}]({explained(key)})"
