"""The command line: check, summary, draw, diff, emit, run, layers, explain, schema.

A command imports what it needs when it runs, so that none waits for what another uses.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mimgraph.diagnostics import Diagnostic, SpecError, in_order
from mimgraph.diagnostics.render import render_json, render_text, visible, wants_color
from mimgraph.support.files import matching, write_whole
from mimgraph.support.gc_pause import uncollected

if TYPE_CHECKING:
    from mimgraph.graph import Graph, UnknownParams

OK, WRONG_SPEC, WRONG_CALL = 0, 1, 2

_ENDINGS = ".svg, .png, .pdf, .dot, .html (interactive) or .mmd (Mermaid, which GitHub draws)"


class CallError(Exception):
    """The command was called wrongly: a file that is not there, a param that does not exist."""


def run() -> NoReturn:
    """Run one command and end the process, without a collection of what ends with it."""
    gc.disable()
    code = main()
    gc.freeze()
    sys.exit(code)


@uncollected()
def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0: all good, 1: the spec is wrong, 2: the call is wrong."""
    args = _parser().parse_args(arguments)
    try:
        _import(getattr(args, "import"))
        code: int = args.command(args)
        sys.stdout.flush()
        return code
    except SpecError as error:
        print(render_text(error.diagnostics, color=wants_color(sys.stderr)), file=sys.stderr)
        _point_to_pages(error.diagnostics)
        return WRONG_SPEC
    except CallError as error:
        # a path or a param may hold what moves the cursor of a terminal
        print("\n".join(map(visible, f"mimgraph: {error}".split("\n"))), file=sys.stderr)
        return WRONG_CALL
    except BrokenPipeError:
        # the reader of the pipe has gone, which is no fault
        sys.stdout = None
        return OK


def _import(modules: Sequence[str]) -> None:
    """Import what registers layers, from the working directory too, as `python -m` does."""
    if modules and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:
            told = error if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
            raise CallError(f"cannot import {name}: {told}") from error


class _Version(argparse.Action):
    """Asks the package's metadata only when it is wanted, which takes longer than a check."""

    def __call__(self, *_: Any) -> NoReturn:
        from importlib.metadata import version

        print(f"mimgraph {version('mimgraph')}")
        sys.exit(OK)


class _Commands:
    """Adds commands to a parser, each with what all of them take."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.added = parser.add_subparsers(required=True, metavar="COMMAND")

    def __call__(self, name: str, function: Any, help: str) -> argparse.ArgumentParser:
        command = self.added.add_parser(name, help=help, description=help)
        command.set_defaults(command=function)
        words = "import a Python module, which registers layers of your own; repeatable"
        command.add_argument("--import", action="append", default=[], metavar="MODULE", help=words)
        return command


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mimgraph", description="Declare multi-input PyTorch models: check, draw, emit, run."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = _Commands(parser)
    _add_tellers(commands)
    _add_pictures(commands)
    _add_makers(commands)
    _add_references(commands)
    return parser


def _add_tellers(command: _Commands) -> None:
    """What tells of a spec in words."""
    check = command("check", _check, "tell every fault of the specs")
    _add_spec(check, nargs="+")
    words = "a release of torch, 2.10: report the options that it does not have yet"
    check.add_argument("--torch", type=_torch, metavar="VERSION", help=words)
    _add_format(check, "sarif", "github")

    summary = command("summary", _summary, "print a table of nodes, shapes, parameters and MACs")
    _add_spec(summary, sets="override a param, or fill in a size: hidden=128, T=50")
    _add_format(summary, "csv", "md")
    words = "samples that shapes and numbers are told of"
    summary.add_argument("--batch", type=_positive, metavar="N", help=words)
    _add_depth(summary)


def _add_pictures(command: _Commands) -> None:
    """What draws specs."""
    draw = command("draw", _draw, "draw the architecture")
    _add_spec(draw)
    draw.add_argument("-o", "--output", required=True, metavar="FILE", help=_ENDINGS)
    _add_view(draw)

    diff = command("diff", _diff, "tell what changed from one spec to another")
    diff.epilog = "the last commit and now: git show HEAD:spec.yaml | mimgraph diff - spec.yaml"
    words = "a YAML, JSON or .safetensors file; - is standard input"
    diff.add_argument("old", metavar="OLD", help=words)
    diff.add_argument("new", metavar="NEW", help=words)
    _add_settings(diff)
    formats = ["text", "md", "json"]
    words = "md is Markdown for a pull request"
    diff.add_argument("--format", choices=formats, default="text", help=words)
    diff.add_argument("-o", "--output", metavar="FILE", help=f"draw both as one, too: {_ENDINGS}")
    _add_view(diff)
    words = "exit with 1 if they differ, as git diff does; with 1 also if a spec is wrong"
    diff.add_argument("--exit-code", action="store_true", help=words)


def _add_makers(command: _Commands) -> None:
    """What makes a module of a spec."""
    emit = command("emit", _emit, "write the model as a stand-alone Python file")
    _add_spec(emit)
    emit.add_argument("-o", "--output", metavar="FILE", help="standard output if left out")

    run = command("run", _run, "compile the model and run one forward")
    _add_spec(run)
    run.add_argument("--inputs", metavar="FILE.npz", help="arrays by input name; made if left out")
    run.add_argument(
        "--weights",
        metavar="FILE.safetensors",
        help="the state_dict to load; those of SPEC, if it has them",
    )
    run.add_argument("--outputs", metavar="FILE.npz", help="where to write the outputs")
    run.add_argument("--batch", type=_positive, default=2, metavar="N", help="samples to make (2)")
    run.add_argument("--seed", type=int, default=0, metavar="S", help="of weights and inputs (0)")
    run.add_argument("--json", action="store_true", help="print data")


def _add_references(command: _Commands) -> None:
    """What tells of the language itself."""
    layers = command("layers", _layers, "list the layers, merges and keys, or show one")
    layers.add_argument("name", nargs="?", metavar="NAME")
    _add_format(layers)

    explain = command("explain", _explain, "list the codes of diagnostics, or tell what one means")
    explain.add_argument("codes", nargs="*", metavar="CODE")

    schema = command("schema", _schema, "print the JSON Schema of specs, for editors")
    schema.add_argument("-o", "--output", metavar="FILE", help="standard output if left out")


def _add_spec(
    command: argparse.ArgumentParser, nargs: str | None = None, sets: str = "override a param"
) -> None:
    words = "a YAML or JSON file, or .safetensors that holds one; - is standard input"
    if nargs is not None:
        words += "; several, or patterns: 'specs/**/*.yaml'"
    command.add_argument("spec", nargs=nargs, metavar="SPEC", help=words)
    _add_settings(command, sets)


def _add_settings(command: argparse.ArgumentParser, words: str = "override a param") -> None:
    command.add_argument("--set", action="append", default=[], metavar="PARAM=VALUE", help=words)


def _add_format(command: argparse.ArgumentParser, *more: str) -> None:
    command.add_argument("--format", choices=["text", "json", *more], default="text")


def _add_view(command: argparse.ArgumentParser) -> None:
    """How a picture looks."""
    words = "top to bottom (TB)"
    command.add_argument("--direction", "-d", choices=["TB", "LR"], default="TB", help=words)
    _add_depth(command)
    words = "draw layers in a row, four or more, as one, and only once what repeats"
    command.add_argument("--collapse", action="store_true", help=words)
    command.add_argument("--theme", choices=["light", "dark"], default="light")


def _add_depth(command: argparse.ArgumentParser) -> None:
    words = "how deep blocks are open: 0, 1, 2, ... or all (all)"
    command.add_argument("--depth", type=_depth, default=None, metavar="DEPTH", help=words)


def _view(args: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(args, name) for name in ("direction", "depth", "collapse", "theme")}


def _depth(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no depth: 0, 1, 2, ... or all")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of at least 1")
    return int(text)


def _torch(text: str) -> str:
    """Return the version of torch as it is, if it is one."""
    from mimgraph.infer.advice.torch_versions import release

    try:
        release(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _overrides(settings: Sequence[str]) -> dict[str, Any]:
    """`--set hidden=128`, the value read as YAML reads a plain scalar or a flow list."""
    from mimgraph.language.document import read_value

    found: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise CallError(f"--set takes PARAM=VALUE, not {setting!r}")
        try:
            found[name] = read_value(text, f"--set {name}")
        except SpecError as error:
            raise CallError(str(error)) from None
    return found


def _load(path: str, settings: Sequence[str]) -> Graph:
    """The graph of a file, or of standard input."""
    return _load_some(path, settings, lambda _: False)[0]


def _load_some(
    path: str, settings: Sequence[str], may_be_other: Callable[[UnknownParams], bool]
) -> tuple[Graph, dict[str, Any]]:
    """The graph, and the settings of what is no param of it, where that may be something else."""
    from mimgraph.graph import UnknownParams, load, load_bytes
    from mimgraph.language.yaml_tree import MAX_BYTES

    overrides = _overrides(settings)
    try:
        read = partial(load, path)
        if path == "-":
            read = partial(load_bytes, sys.stdin.buffer.read(MAX_BYTES + 1), name="<stdin>")
        try:
            return read(params=overrides), {}
        except UnknownParams as error:
            if not may_be_other(error):
                raise
            others = {name: overrides.pop(name) for name in error.names}
            return read(params=overrides), others
    except OSError as error:
        raise CallError(f"cannot read {visible(path)}: {error.strerror or error}") from None
    except SpecError:
        raise
    except ValueError as error:
        raise CallError(str(error)) from None


def _check(args: argparse.Namespace) -> int:
    from mimgraph.infer.advice.torch_versions import check_torch

    faults: list[Diagnostic] = []
    odd: list[Diagnostic] = []
    fine: list[str] = []
    unread: list[str] = []
    for path in _paths(args.spec, unread):
        try:
            graph = _load(path, args.set)
            if args.torch is not None:
                check_torch(graph.typed, args.torch)
            count = len(graph.typed.body.nodes)
            fine.append(f"{visible(path)}: ok, {count} node{'s' * (count != 1)}")
            odd += graph.warnings
        except SpecError as error:
            faults += error.diagnostics
        except CallError as error:
            unread.append(str(error))
    told = in_order([*faults, *odd])
    if args.format == "text":
        if told:
            print(render_text(told, color=wants_color(sys.stdout)))
            print()
        if fine:
            print("\n".join(fine))
        _point_to_pages(told)
    elif args.format == "json":
        print(render_json(in_order(faults)))
        if odd and sys.stderr.isatty():  # the list is of faults, so empty if the specs are legal
            print(render_text(in_order(odd), color=wants_color(sys.stderr)), file=sys.stderr)
    elif data := _for_ci(args.format, told):
        print(data)
    if unread:
        raise CallError("\n".join(unread))
    return WRONG_SPEC if faults else OK


def _paths(patterns: Sequence[str], unread: list[str]) -> Iterator[str]:
    """The files that are meant; a pattern that means none is told at the end."""
    for pattern in patterns:
        paths = matching(pattern)
        yield from paths
        if not paths:
            unread.append(f"no file matches {visible(pattern)}")


def _for_ci(format: str, told: Sequence[Diagnostic]) -> str:
    from mimgraph.diagnostics.ci import render_github, render_sarif

    return render_sarif(told) if format == "sarif" else render_github(told)


def _point_to_pages(faults: Sequence[Diagnostic]) -> None:
    """Where people read, and no program does."""
    codes = " ".join(dict.fromkeys(fault.code for fault in faults))
    if codes and sys.stderr.isatty():
        print(f"\nfor more: mimgraph explain {codes}", file=sys.stderr)


def _are_sizes(unknown: UnknownParams) -> bool:
    """Whether what is no param is a size of an input."""
    if not set(unknown.names) <= set(unknown.sizes):
        raise CallError(unknown.with_sizes())
    return True


def _summary(args: argparse.Namespace) -> int:
    from mimgraph.support.terminal import printable

    graph, sizes = _load_some(args.spec, args.set, _are_sizes)
    try:
        summary = graph.summary(args.batch, sizes, args.depth)
    except ValueError as error:
        raise CallError(str(error)) from None
    match args.format:
        case "json":
            print(json.dumps(summary.data(), indent=2))
        case "csv":
            print(printable(summary.csv()), end="")
        case "md":
            print(printable(summary.markdown()))
        case _:
            print(summary)
    return OK


def _draw(args: argparse.Namespace) -> int:
    graph = _load(args.spec, args.set)
    _check_output(args.spec, args.output)
    _draw_into(args, graph.draw)
    return OK


def _draw_into(args: argparse.Namespace, draw: Callable[..., None]) -> None:
    """A picture as a whole file."""
    from mimgraph.picture import RenderError

    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", UserWarning)
            draw(args.output, **_view(args))
    except (ValueError, RenderError) as error:
        raise CallError(str(error)) from None
    except OSError as error:
        _cannot_write(args.output, error)
    for warning in told:
        print(f"mimgraph: {warning.message}", file=sys.stderr)


def _diff(args: argparse.Namespace) -> int:
    """What changed, and the picture of it if one is wanted."""
    from mimgraph.graph import diff
    from mimgraph.support.terminal import printable

    if args.old == args.new == "-":
        raise CallError("only one of OLD and NEW can be standard input")
    graphs = _load_both(args.old, args.new, args.set)
    review = diff(graphs[args.old], graphs[args.new])
    if args.output is not None:
        for spec in (args.old, args.new):
            _check_output(spec, args.output)
        _draw_into(args, review.draw)
    if args.format == "text":
        print(printable(review.text(color=wants_color(sys.stdout))))
    elif args.format == "json":
        print(json.dumps(review.data(), indent=2))
    else:
        sys.stdout.write(printable(review.markdown()))
    return WRONG_SPEC if review and args.exit_code else OK


def _load_both(old: str, new: str, settings: Sequence[str]) -> dict[str, Graph]:
    """The graphs by their paths; a param is set where it is, in one or in both."""
    graphs: dict[str, Graph] = {}
    faults: list[Diagnostic] = []
    unknown = set(_overrides(settings))
    for path in dict.fromkeys((old, new)):
        try:
            graphs[path], others = _load_some(path, settings, lambda _: True)
            unknown &= others.keys()
        except SpecError as error:
            faults += error.diagnostics
    if faults:
        raise SpecError(faults)
    if unknown:
        known = (
            f"{path} has {', '.join(g.typed.body.params) or 'none'}" for path, g in graphs.items()
        )
        raise CallError(f"no param is called {min(unknown)!r}: {', '.join(known)}")
    return graphs


def _emit(args: argparse.Namespace) -> int:
    source = _load(args.spec, args.set).source()
    if args.output is not None:
        _check_output(args.spec, args.output)
    _write(args.output, source)
    return OK


def _schema(args: argparse.Namespace) -> int:
    from mimgraph.language import schema

    _write(args.output, schema.text())
    return OK


def _write(path: str | None, text: str) -> None:
    """A text as a whole file, or to standard output."""
    if path is None:
        sys.stdout.write(text)
        return
    try:
        write_whole(Path(path), text)
    except OSError as error:
        _cannot_write(path, error)


def _check_output(spec: str, output: str) -> None:
    """What is written does not replace what was read."""
    if os.path.exists(spec) and os.path.exists(output) and os.path.samefile(spec, output):
        raise CallError(f"{visible(output)} is the spec itself")


def _cannot_write(path: str, error: OSError) -> NoReturn:
    raise CallError(f"cannot write {visible(path)}: {error.strerror or error}") from None


def _run(args: argparse.Namespace) -> int:
    """One forward: the inputs, every node with its shape, the outputs."""
    graph = _load(args.spec, args.set)
    from mimgraph.language.safetensors_header import carries_weights
    from mimgraph.runtime import runner

    weights = args.weights or (args.spec if carries_weights(args.spec) else None)

    try:
        run = runner.run(graph.typed, graph.compile, args.inputs, weights, args.batch, args.seed)
        if args.outputs is not None:
            runner.save_arrays(Path(args.outputs), run.outputs)
    except SpecError:
        raise
    except ValueError as error:
        raise CallError(str(error)) from None
    except OSError as error:
        raise CallError(f"{error.filename}: {error.strerror or error}") from None
    if args.json:
        nodes = graph.summary().data()
        print(json.dumps({**run.data(), "nodes": nodes}, indent=2))
    else:
        print(f"{run.inputs_text()}\n\n{graph.summary()}\n\n{run.outputs_text()}")
    return OK


def _layers(args: argparse.Namespace) -> int:
    from mimgraph.language.reference import describe, listing

    try:
        print(describe(args.name, args.format) if args.name else listing(args.format))
    except KeyError as error:
        raise CallError(str(error.args[0])) from None
    return OK


def _explain(args: argparse.Namespace) -> int:
    from mimgraph.diagnostics.codes import CODES
    from mimgraph.diagnostics.explain import listing, page
    from mimgraph.diagnostics.nearest import nearest

    for code in args.codes:
        if code not in CODES:
            near = nearest(code, CODES)
            help = f"did you mean {near}?" if near else "mimgraph explain lists them"
            raise CallError(f"no code is called {code!r}; {help}")
    print("\n".join(map(page, args.codes)).rstrip() if args.codes else listing())
    return OK


if __name__ == "__main__":
    sys.exit(main())
