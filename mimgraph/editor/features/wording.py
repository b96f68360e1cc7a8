"""Write types, results, options and lists as hints and hovers show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mimgraph.inspection.facts import ResolvedOption, op_options
from mimgraph.ir.declared_graph import Apply
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ir.typed_operations import Leaf, Shared, Use, unwrap
from mimgraph.ir.types import TensorType

MOST_LISTED = 6  # rows of a list
LONGEST = 60  # characters of a list of results


def listed(rows: Sequence[str], most: int = MOST_LISTED) -> str:
    """Return the items of a list in Markdown, at most so many, and how many more there are."""
    shown = [f"- {row}" for row in rows[:most]]
    if len(rows) > most:
        shown.append(f"- and {len(rows) - most} more")
    return "\n".join(shown)


def type_text(type_: TensorType) -> str:
    """Return a type as `(N, 64)`, with its dtype if that is not float32: `(N, T) int64`."""
    shape = str(type_.shape)
    return shape if type_.dtype == "float32" else f"{shape} {type_.dtype}"


def result_text(node: TypedNode) -> str:
    """Return the type of the default result; without one, the type of each port: `x (N, 4), h (N, 8)`,
    `3 × (N, 8)` if they are equal. A long list is cut."""
    if node.type is not None:
        return type_text(node.type)
    texts = {port: type_text(type_) for port, type_ in node.results.items()}
    if len(texts) > 1 and len({*texts.values()}) == 1:
        return f"{len(texts)} × {next(iter(texts.values()))}"
    shown: list[str] = []
    for port, text in texts.items():
        shown.append(f"{port} {text}")
        if len(", ".join(shown)) > LONGEST:
            shown[-1] = "…"
            break
    return ", ".join(shown)


def options_of(node: TypedNode) -> Iterator[ResolvedOption]:
    """Yield the options of a layer or merge, or of the first branch of an `each`; an option that the text
    has is given, also if the shapes decide it too."""
    applied = node.declared.applied
    operation = node.operation
    if operation.branches and not isinstance(operation, Shared):
        operation = operation.branches[0].operation
    whole = unwrap(operation)
    if not (isinstance(whole, Leaf) or (isinstance(whole, Use) and whole.merge)):
        return
    written = applied.options if isinstance(applied, Apply) else {}
    for option in op_options(whole):
        is_given = option.name in written and option.origin == "inferred"
        yield option._replace(origin="given") if is_given else option
