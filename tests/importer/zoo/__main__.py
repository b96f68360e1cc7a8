"""`python -m tests.importer.zoo [--family F] [--only NAME] [-o PAGE]`: import the zoo, write the coverage."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tests.importer.zoo import FAMILIES, models
from tests.importer.zoo.measure import measure
from tests.importer.zoo.model import Model
from tests.importer.zoo.table import is_clear, is_proven, page, row


def main(arguments: Sequence[str] | None = None) -> None:
    """Import the models that are asked for, a line for each, and write the page."""
    options = _parser().parse_args(arguments)
    wanted = [model for family in options.family or FAMILIES for model in models(family)]
    wanted = [model for model in wanted if options.only in model.name]
    in_order = []
    for result in _results(wanted, options.limit, options.jobs):
        in_order.append(result)
        print(row(result), end="", flush=True)
    print(
        f"{len(in_order)} models, {sum(map(is_proven, in_order))} proven,"
        f" {sum(map(is_clear, in_order))} with nothing opaque"
    )
    if options.output:
        options.output.write_text(page(in_order))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.importer.zoo")
    parser.add_argument("--family", action="append", choices=FAMILIES, help="may be repeated")
    parser.add_argument("--only", default="", help="models with this in their name")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--limit", type=float, default=300, help="seconds for one model")
    parser.add_argument("-o", "--output", type=Path, help="the page, in Markdown")
    return parser


def _results(wanted: Sequence[Model], limit: float, jobs: int) -> Iterator[dict[str, Any]]:
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(partial(measure, limit=limit), wanted)


if __name__ == "__main__":
    main()
