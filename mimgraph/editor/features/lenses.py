"""Say above a spec and above each of its blocks what it costs, and what can be made of it."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.declare.tree import Mapping
from mimgraph.editor.analysis import Analysis
from mimgraph.editor.features.node_facts import Facts, cost_text
from mimgraph.editor.features.uses import Uses
from mimgraph.source import Span


class Lens(NamedTuple):
    """A line of text above a place; a `command`, `draw` or `emit`, runs when it is clicked."""

    span: Span
    text: str
    command: str = ""


def lenses(analysis: Analysis, uses: Uses | None, facts: Facts) -> list[Lens]:
    """Return the lenses of the model and of each block that is used."""
    if not isinstance(analysis.tree, Mapping) or analysis.declared is None or uses is None:
        return []
    first = next((key.span for key, _ in analysis.tree.entries), None)
    found = [] if first is None else _of_model(facts, first)
    for block in analysis.declared.blocks.values():
        scopes = uses.blocks.get(block.family, ())
        if block.span.file is not analysis.file or not scopes:
            continue
        texts = [cost_text(facts.of_body(scope.body)) for scope in scopes]
        words = [texts[0] or "no parameters"]
        if len({*texts}) > 1:
            words[0] += f" in {scopes[0].path.rstrip('.')}"
        if len(scopes) > 1:
            words.append(f"{len(scopes)} different uses")
        found.append(Lens(block.span, ", ".join(words)))
    return found


def _of_model(facts: Facts, span: Span) -> list[Lens]:
    """Return the lenses of the whole spec, of a wrong one without its cost."""
    total = facts.total()
    draw = Lens(span, "draw", "draw")
    if total is None:
        return [draw]
    return [Lens(span, cost_text(total) or "no parameters"), draw, Lens(span, "emit", "emit")]
