"""`mimgraph search`: search the params of a spec with Optuna, in worker processes."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mimgraph.cli.arguments import (
    add_format,
    add_settings,
    add_spec,
    integer,
    positive,
    positive_number,
)
from mimgraph.cli.errors import OK, WRONG_SPEC, CallError, CannotSearch
from mimgraph.cli.loading import load_graph
from mimgraph.cli.printing import print_error, print_note, print_warning
from mimgraph.cli.user_models import model_options
from mimgraph.cli.writing import refuse_to_overwrite, writing
from mimgraph.diagnostics.render import visible
from mimgraph.support.files import write_whole
from mimgraph.support.terminal import line_width, painter, printable, wants_color
from mimgraph.trials.job import Job
from mimgraph.trials.storage import (
    SearchError,
    TrialsFail,
    needing,
    open_storage,
    require_optuna,
    shown,
)

if TYPE_CHECKING:
    from optuna import Study

    from mimgraph.graph import Graph
    from mimgraph.importer.user_code import Reference


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_spec(parser)
    help = "the function of a trial that trains a model and returns its score: train.py:objective"
    parser.add_argument("--objective", required=True, metavar="FILE:NAME", help=help)
    help = "the total number of trials, not counting failed ones; default: 50"
    parser.add_argument("--trials", type=positive, default=50, metavar="N", help=help)
    help = "the number of processes that run trials; default: 1"
    parser.add_argument("--workers", type=positive, default=1, metavar="N", help=help)
    help = (
        "where the trials are kept: a file, postgresql://... or another database, or grpc://HOST:PORT; "
        "default: STUDY.db"
    )
    parser.add_argument("--storage", metavar="URL", help=help)
    help = "the name of the study; default: that of the spec's file"
    parser.add_argument("--study", metavar="NAME", help=help)
    help = "what the score shall become; repeatable, once for each score; default: minimize"
    choices = ["minimize", "maximize"]
    parser.add_argument("--direction", action="append", default=[], choices=choices, help=help)
    help = "begin no trial after this time"
    parser.add_argument("--timeout", type=positive_number, metavar="SECONDS", help=help)
    help = "the seed of the sampler; with one worker a search is then repeatable"
    parser.add_argument("--seed", type=integer, metavar="S", help=help)
    help = "what suggests the params; default: tpe"
    parser.add_argument("--sampler", choices=["tpe", "random"], default="tpe", help=help)
    help = "what ends bad trials early, if the objective reports; default: median"
    choices = ["median", "hyperband", "none"]
    parser.add_argument("--pruner", choices=choices, default="median", help=help)
    help = "the file to write the spec of the best trial to"
    parser.add_argument("-o", "--output", metavar="FILE", help=help)
    add_settings(parser, "replace a param, which is not searched then: hidden=128; repeatable")
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Run the search, and print its best trials."""
    graph = load_graph(args.spec, args.set, model_options(args))
    objective = _objective(args.objective)
    _check_output(args, graph)
    if not graph.space:
        help = "give a param one: params: {hidden: {search: [64, 128]}}"
        raise CallError(f"{visible(args.spec)} has no search space", help)
    name = args.study or ("stdin" if args.spec == "-" else Path(args.spec).stem)
    storage = args.storage or f"{name}.db"
    study = _search(args, graph, objective, name, storage)
    return _print(args, study, storage)


def _search(
    args: argparse.Namespace, graph: Graph, objective: Reference, name: str, storage: str
) -> Study:
    """Return the study when it has all trials; a `CallError` says why it cannot have them."""
    from mimgraph.trials.outcome import total
    from mimgraph.trials.run import Plan, run
    from mimgraph.trials.study import counts, open_study

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # it ends the workers, too
    job = Job(objective, storage, name, args.sampler, args.pruner, getattr(args, "import"))
    plan = Plan(args.trials, args.workers, args.timeout, args.seed)
    try:
        require_optuna()
        opened = open_storage(storage)
        with needing(storage):
            study = open_study(opened, name, graph, args.direction)
            ended = counts(study.get_trials(deepcopy=False))
            if ended.done >= args.trials:
                print_note(f"the study already has {ended.done} trials: raise --trials to run more")
            elif ended.done:
                print_note(f"the study goes on after {total(ended)}")
            for remark in run(study, job, graph, plan):
                print_warning(remark)
    except TrialsFail as error:
        raise CannotSearch(str(error), error.help) from None
    except SearchError as error:
        raise CallError(str(error), error.help) from None
    except KeyboardInterrupt:
        print_note("interrupted; the same command goes on with the study")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
    return study


def _objective(text: str) -> Reference:
    """Return the function that `--objective` names."""
    from mimgraph.importer.user_code import reference

    found = reference(text)
    if found is None:
        help = "write FILE.py:NAME, such as train.py:objective"
        raise CallError(f"--objective names no function: {visible(text)}", help)
    return found


def _check_output(args: argparse.Namespace, graph: Graph) -> None:
    """Raise a `CallError` before the search if its result cannot be written after it."""
    refuse_to_overwrite(args.spec, graph, args.output)
    if args.output is None:
        return
    if len(args.direction) > 1:
        raise CallError("-o writes one spec, and with several directions none is the best")
    folder = os.path.dirname(args.output) or "."
    if not os.path.isdir(folder):
        raise CallError(f"cannot write {visible(args.output)}: there is no folder {folder}")


def _print(args: argparse.Namespace, study: Study, storage: str) -> int:
    """Print what was found, and write the best spec; the exit code says if there is one."""
    from mimgraph.trials import outcome

    if args.format == "json":
        print(json.dumps(outcome.data(study, shown(storage)), indent=2))
    else:
        width, paint = line_width(sys.stdout), painter(wants_color(sys.stdout))
        print(printable(outcome.text(study, shown(storage), width, paint)))
    for error in outcome.errors(study):
        print_warning(error)
    spec = outcome.best_spec(study)
    if not outcome.best(study):
        for reason in outcome.rejections(study):
            print_note(reason)
        help = "raise --trials or --timeout, or change the search space and begin another --study"
        print_error("no trial was trained", help)
        return WRONG_SPEC
    if args.output is not None:
        if spec is None:
            raise CallError("no trial has a spec to write: call mg.sample(trial) in the objective")
        with writing(args, args.output):
            write_whole(Path(args.output), spec)
    return OK
