"""Write the coverage of the importer as a Markdown page: totals, then a table for each family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from tests.importer.zoo import FAMILIES

INTRODUCTION = """\
# Which models can be imported

`mg.from_module` and `mimgraph import` were run on {count} models in torch {torch}. The models of transformers have small
configs and random weights; images have 64 pixels a side where the model allows it. This page is written by

    python -m tests.importer.zoo --jobs 2 -o docs/import-coverage.md

{proven} of {count} are proven: the spec gives the same outputs as the module at sizes and batches that were not traced, in
evaluation, in training from one seed, and the same gradients. {clear} of {count} are proven with nothing opaque.

| column | what it says |
| --- | --- |
| proven | whether outputs, training and gradients are equal |
| opaque | how many calls stay layers of Python, and why |
| frozen | how many branches are kept as they went for the example |
| left out | how many outputs are no tensors, and how many constants are too large for a spec, which has zeros then |
| keys | whether the keys of the state_dict are the same; otherwise, how many have another name |
| lines | of the spec, without blank lines and comments |
| tidy | the same with `--tidy`, and in brackets those of the spec in `specs/` that is written by hand |
| s | seconds to import it twice, with and without `--tidy` |

| family | models | proven | nothing opaque | same keys |
| --- | --- | --- | --- | --- |
"""
HEAD = """
## {family}

| model | proven | opaque | frozen | left out | keys | lines | tidy | s |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""
ERROR_WIDTH = 100


def page(results: Sequence[dict[str, Any]]) -> str:
    """Return the page of these results."""
    parts = [
        INTRODUCTION.format(
            count=len(results),
            proven=sum(is_proven(result) for result in results),
            clear=sum(is_clear(result) for result in results),
            torch=torch.__version__.partition("+")[0],
        )
    ]
    families = {
        family: found
        for family in FAMILIES
        if (found := [result for result in results if result["family"] == family])
    }
    parts += [_total(family, found) for family, found in families.items()]
    for family, found in families.items():
        parts.append(HEAD.format(family=family))
        parts += map(row, found)
    return "".join(parts)


def is_proven(result: dict[str, Any]) -> bool:
    """Return whether the spec of a model was proven equal to the module."""
    return result.get("proven", False)


def is_clear(result: dict[str, Any]) -> bool:
    """Return whether a model is proven and each of its calls is a layer of the language."""
    return is_proven(result) and not result["opaque"]


def _total(family: str, results: Sequence[dict[str, Any]]) -> str:
    same = sum(is_proven(result) and not result["renamed"] for result in results)
    proven, clear = sum(map(is_proven, results)), sum(map(is_clear, results))
    return f"| {family} | {len(results)} | {proven} | {clear} | {same} |\n"


def row(result: dict[str, Any]) -> str:
    """Return the row of a model, with its error if it could not be imported."""
    if "error" in result:
        error = _cell(result["error"].splitlines()[0])
        return f"| {result['name']} | no | {error} | | | | | | {result['seconds']:.0f} |\n"
    cells = [
        result["name"],
        "yes" if result["proven"] else "no",
        _count(result["opaque"]),
        _count(result["frozen"]),
        _count(result["left_out"]),
        f"{result['renamed']} renamed" if result["renamed"] else "same",
        str(result["lines"]),
        str(result["tidy"]) + (f" ({result['gallery']})" if result["gallery"] else ""),
        f"{result['seconds']:.0f}",
    ]
    return f"| {' | '.join(cells)} |\n"


def _count(records: Iterable[dict[str, Any]]) -> str:
    """Return how many records there are, and their reasons with the most frequent first."""
    reasons = Counter(record["reason"] for record in records)
    if not reasons:
        return "0"
    named = (
        f"{reason} x {times}" if times > 1 else reason for reason, times in reasons.most_common()
    )
    return f"{sum(reasons.values())}: {_cell(', '.join(named))}"


def _cell(text: str) -> str:
    """Return a text that fits the cell of a table."""
    text = text.replace("|", "\\|")
    return text if len(text) <= ERROR_WIDTH else text[: ERROR_WIDTH - 3] + "..."
