"""Write the files that commands make, whole or not at all."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from mimgraph.cli.arguments import view
from mimgraph.cli.errors import CallError
from mimgraph.diagnostics.render import visible
from mimgraph.support.files import write_whole

if TYPE_CHECKING:
    from mimgraph.graph import Graph
    from mimgraph.picture.scene import Scene


def write(path: str | None, text: str) -> None:
    """Write a text to a file, or to standard output if there is no path."""
    if path is None:
        sys.stdout.write(text)
        return
    write_to(path, lambda: write_whole(Path(path), text))


def write_to(path: str, write_file: Callable[[], None]) -> None:
    """Let a function write a file; a `CallError` says why it cannot."""
    try:
        write_file()
    except OSError as error:  # perhaps of another file that is written beside it
        _cannot_write(error.filename or path, error)


def draw(args: argparse.Namespace, scene: Callable[..., Scene]) -> None:
    """Write the picture that `scene` returns to `--output`; print its warnings, and the depth to which
    blocks are open if some are closed that nobody asked to close."""
    from mimgraph.picture import RenderError, write  # only a picture needs it

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            drawn = write(scene(**view(args)), args.output)
    except (ValueError, RenderError) as error:
        raise CallError(str(error)) from None
    except OSError as error:
        _cannot_write(args.output, error)
    for warning in caught:
        print(f"mimgraph: {warning.message}", file=sys.stderr)
    if args.depth is None and drawn.opened < drawn.levels:
        open_to = f"blocks are open to depth {drawn.opened} of {drawn.levels}"
        print(f"mimgraph: {open_to}; --depth all opens all", file=sys.stderr)


def refuse_to_overwrite(spec: str, graph: Graph, output: str) -> None:
    """Raise a `CallError` if the file to write is the spec that was read, or a part of it."""
    parts = {block.span.file.name: "a part of the spec" for block in graph.declared.blocks.values()}
    for read, what in {**parts, spec: "the spec itself"}.items():
        if os.path.exists(read) and os.path.exists(output) and os.path.samefile(read, output):
            raise CallError(f"{visible(output)} is {what}")


def _cannot_write(path: str, error: OSError) -> NoReturn:
    raise CallError(f"cannot write {visible(path)}: {error.strerror or error}") from None
