"""Write the files that commands make, whole or not at all."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mimgraph.cli.arguments import view
from mimgraph.cli.errors import CallError
from mimgraph.cli.printing import print_note, print_warning, print_written
from mimgraph.cli.user_models import file_of
from mimgraph.diagnostics.render import visible
from mimgraph.picture import RenderError
from mimgraph.support.files import write_all, write_whole

if TYPE_CHECKING:
    from mimgraph.graph import Graph
    from mimgraph.picture.scene import Scene


def write(args: argparse.Namespace, text: str) -> None:
    """Write a text to `--output`, or to standard output if that is not given."""
    if args.output is None:
        sys.stdout.write(text)
        return
    with writing(args, args.output):
        write_whole(Path(args.output), text)


@contextmanager
def writing(args: argparse.Namespace, path: str) -> Iterator[None]:
    """Say that a file is written after a `with` block that writes it; a `CallError` says why it cannot be."""
    try:
        yield
    except BrokenPipeError:  # of /dev/stdout, for example
        raise
    except OSError as error:  # perhaps of another file that is written beside it
        other = error.filename or path
        raise CallError(f"cannot write {visible(other)}: {error.strerror or error}") from None
    print_written(path, args.started)


def writing_all(args: argparse.Namespace, files: Mapping[str, bytes]) -> None:
    """Write files that exist, all or none, and say so; a `CallError` says why one cannot be written."""
    try:
        write_all(files)
    except OSError as error:
        reason = error.strerror or error
        raise CallError(f"cannot write {visible(str(error.filename))}: {reason}") from None
    for path in files:
        print_written(path, args.started)


def draw(args: argparse.Namespace, scene: Callable[..., Scene]) -> None:
    """Write the picture that `scene` returns to `--output`, or show it in the browser; print its warnings,
    and the depth to which blocks are open if some are closed that nobody asked to close."""
    draw_to = _show if args.output is None else _write_picture
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            drawn = draw_to(args, scene(**view(args)))
    except (ValueError, RenderError) as error:
        raise CallError(str(error)) from None
    for warning in caught:
        print_warning(str(warning.message))
    if args.depth is None and drawn.opened < drawn.levels:
        depths = f"blocks are open to depth {drawn.opened} of {drawn.levels}"
        print_note(f"{depths}; --depth all opens all")


def _write_picture(args: argparse.Namespace, scene: Scene) -> Scene:
    """Write the picture, and return it as it was drawn."""
    from mimgraph.picture import write

    with writing(args, args.output):
        return write(scene, args.output)


def _show(args: argparse.Namespace, scene: Scene) -> Scene:
    """Write the page to a temporary file and open it in the browser; return it as it was drawn."""
    import webbrowser

    from mimgraph.picture import write
    from mimgraph.picture.show import new_page

    path = new_page()
    with writing(args, str(path)):
        drawn = write(scene, path)
    if not webbrowser.open(path.as_uri()):
        print_note("no browser could be opened: open this file in yours, or give -o model.svg")
    return drawn


def refuse_to_overwrite(spec: str, graph: Graph | None, output: str | None) -> None:
    """Raise a `CallError` if the file to write is the spec that was read, or a part of it; there is no
    graph of a wrong spec, and perhaps no file."""
    if output is None:
        return
    files = graph.declared.part_files if graph is not None else ()
    parts = dict.fromkeys(files, "a part of the spec")
    for read, what in {**parts, file_of(spec): "the spec itself"}.items():
        if os.path.exists(read) and os.path.exists(output) and os.path.samefile(read, output):
            raise CallError(f"{visible(output)} is {what}")
