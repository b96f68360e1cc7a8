"""Bind the inputs that are given to the arguments of forward, which name them."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from io import StringIO
from typing import Any

from torch import nn

from mimgraph.diagnostics.nearest import suggestion
from mimgraph.diagnostics.text import unmarked
from mimgraph.importer.device import device_of
from mimgraph.importer.inputs.examples import Examples, check_runs
from mimgraph.importer.inputs.given import Constant, Given, Tree, read_given
from mimgraph.importer.inputs.guess import guesses, in_command, in_python
from mimgraph.importer.inputs.model import (
    Arguments,
    ForwardInputs,
    InputError,
    ModelInput,
    Size,
    Slot,
)
from mimgraph.ir.names import free_name, input_fault, legal_name

Parameters = Mapping[str, inspect.Parameter]


class InputsMissing(InputError):
    """Raised if arguments that forward needs were not given; the message shows inputs with which the
    model runs, if there is a `guess`."""

    def __init__(self, problem: str, guess: Mapping[str, Given] | None) -> None:
        self.problem, self.guess = problem, guess
        given = ", ".join(f'"{name}": {in_python(one)}' for name, one in self._shown.items())
        super().__init__(f"{self._advice} {{{given}}}")

    @property
    def for_command(self) -> str:
        """Return the message for the command line."""
        given = " ".join(f"--input {name}={in_command(one)}" for name, one in self._shown.items())
        return f"{self._advice} {given}"

    @property
    def _shown(self) -> Mapping[str, Given]:
        return self.guess or {"image": Given((3, 224, 224))}

    @property
    def _advice(self) -> str:
        if self.guess is None:
            return (
                f"{self.problem}: no usual shape runs, so give the shape without the batch, as in"
            )
        return f"{self.problem}: give shapes without the batch,"


def bind(
    model: nn.Module, given: object, more: Iterable[tuple[tuple[str, ...], Tree]] = ()
) -> ForwardInputs:
    """Return the inputs of a model, named by the parameters of its forward.

        bind(net, {"image": (3, 224, 224), "text": ("T",)})

    `given` is a dict by these parameters, or a list in their order, of what `read_given` takes. `more`
    has what `--input` adds: sizes for an example, or other inputs.
    """
    parameters = inspect.signature(model.forward).parameters
    trees = _by_parameter(model, parameters, given)
    for path, tree in more:
        _put(trees, path, tree)
    trees = {name: _with_lists(tree) for name, tree in trees.items()}
    _check_names(model, parameters, trees)
    missing = _missing(parameters, trees)
    if missing:
        problem = f"{type(model).__name__}.forward{_shown(parameters)} needs {', '.join(missing)}"
        raise InputsMissing(problem, _running(model, parameters, trees, missing))
    return _bound(model, parameters, trees)


def _running(
    model: nn.Module, parameters: Parameters, trees: Mapping[str, Tree], missing: Sequence[str]
) -> Mapping[str, Given] | None:
    """Return inputs for the missing arguments with which the model runs, or None if no guess does."""
    for guess in guesses(model, missing):
        with suppress(InputError), redirect_stdout(StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = Examples(_bound(model, parameters, {**trees, **guess}), device_of(model))
            check_runs(model, made, dict.fromkeys(made.sizes, 16))
            return guess
    return None


def _bound(model: nn.Module, parameters: Parameters, trees: Mapping[str, Tree]) -> ForwardInputs:
    """Return the inputs of a model that has all arguments."""
    binder = _Binder(_float_dtype(model))
    arguments = _arguments(parameters, {name: binder.fill((name,), t) for name, t in trees.items()})
    _check_batch(binder.inputs)
    omitted = (name for name, one in parameters.items() if one.default is not one.empty)
    return ForwardInputs(
        tuple(binder.inputs), arguments, tuple(name for name in omitted if name not in trees)
    )


def _by_parameter(model: nn.Module, parameters: Parameters, given: object) -> dict[str, Tree]:
    """Return what was given by the parameters of forward; `*args` has a list."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {str(name): read_given(str(name), one) for name, one in given.items()}
    tree = read_given("inputs", given)
    trees = tree if isinstance(tree, list) else [tree]
    positional = [p for p in parameters.values() if p.kind is not p.KEYWORD_ONLY]
    found: dict[str, Tree] = {}
    for n, one in enumerate(trees):
        place = positional[min(n, len(positional) - 1)] if positional else None
        if place is not None and place.kind is place.VAR_POSITIONAL:
            found[place.name] = [*trees[n:]]
            break
        if place is None or place.kind is place.VAR_KEYWORD or place.name in found:
            message = f"{len(trees)} inputs are given, and {type(model).__name__}.forward"
            raise InputError(f"{message} takes {len(found)}")
        found[place.name] = one
    return found


def _put(trees: dict[str, Tree], path: tuple[str, ...], tree: Tree) -> None:
    """Put an input into the trees; where an example is, it gets the sizes, vocab and dtype."""
    scope: Any = trees
    for n, name in enumerate(path[:-1]):
        scope = scope.setdefault(name, {}) if isinstance(scope, dict) else _item(scope, name)
        if not isinstance(scope, dict) and type(scope) is not list:
            raise InputError(f"{'.'.join(path[: n + 1])} has no inputs inside")
    last = path[-1]
    before = scope.get(last) if isinstance(scope, dict) else _item(scope, last)
    if isinstance(before, Given) and isinstance(tree, Given):
        tree = tree._replace(example=before.example)
    if isinstance(scope, dict):
        scope[last] = tree
    else:
        scope[int(last)] = tree


def _item(trees: list[Tree], name: str) -> Tree:
    if not name.isdecimal() or int(name) >= len(trees):
        raise InputError(f"{name} is none of {len(trees)} inputs: the first is 0")
    return trees[int(name)]


def _with_lists(tree: Tree) -> Tree:
    """Return a tree in which a dict with the keys 0, 1, ... is a list: `--input xs.0=3 --input xs.1=4`."""
    if isinstance(tree, dict):
        inside = {key: _with_lists(one) for key, one in tree.items()}
        return [*inside.values()] if [*inside] == [*map(str, range(len(inside)))] else inside
    return [*map(_with_lists, tree)] if type(tree) is list else tree


def _check_names(model: nn.Module, parameters: Parameters, trees: Mapping[str, Tree]) -> None:
    """Raise an `InputError` for a name that forward does not have."""
    kinds = {one.kind for one in parameters.values()}
    for name in trees:
        if name not in parameters and inspect.Parameter.VAR_KEYWORD not in kinds:
            help = unmarked(suggestion(name, parameters, "it takes"))
            what = f"{type(model).__name__}.forward has no argument {name}"
            raise InputError(f"{what}{help and f': {help}'}")


def _missing(parameters: Parameters, trees: Mapping[str, Tree]) -> list[str]:
    """Return the parameters that need an input; all of them if there is no input."""
    needed = [n for n, p in parameters.items() if p.default is p.empty and p.kind < p.VAR_KEYWORD]
    missing = [
        name
        for name in needed
        if name not in trees
        and (parameters[name].kind is not inspect.Parameter.VAR_POSITIONAL or not trees)
    ]
    return missing or ([] if trees else [*parameters])


class _Binder:
    """Collects the inputs of the arguments, and gives them names."""

    def __init__(self, float_dtype: str) -> None:
        self.float_dtype = float_dtype
        self.inputs: list[ModelInput] = []

    def fill(self, path: tuple[str | int, ...], tree: Tree) -> Any:
        """Return an argument of forward with a `Slot` for each input."""
        if isinstance(tree, Given):
            found = self._input(path, tree)
            self.inputs.append(found)
            return Slot(found.name)
        if isinstance(tree, Constant):
            return tree.value
        if isinstance(tree, list):
            return [self.fill((*path, n), one) for n, one in enumerate(tree)]
        return {key: self.fill((*path, key), one) for key, one in tree.items()}

    def _input(self, path: tuple[str | int, ...], given: Given) -> ModelInput:
        example = given.example
        usual = self.float_dtype if given.vocab is None else "int64"
        if example is not None:
            usual = str(example.dtype).removeprefix("torch.")
        shape = given.shape
        if example is not None:
            shape = _fitting(".".join(map(str, path)), shape, example.shape[1:])
        assert shape is not None
        return ModelInput(self._name(path), shape, given.dtype or usual, given.vocab, example)

    def _name(self, path: tuple[str | int, ...]) -> str:
        """Return `batch_image` for `batch["image"]`; another name where that cannot be."""
        name = "_".join(map(str, path))
        if input_fault(name) is not None:
            is_word = name.isidentifier() and name.isascii()
            name = legal_name(f"{name}_input" if is_word else name or "input", input_fault)
        return free_name(name, {one.name for one in self.inputs})


def _fitting(name: str, shape: tuple[Size, ...] | None, sizes: Sequence[int]) -> tuple[Size, ...]:
    """Return the shape of an example, with the names of sizes that are given for it."""
    if shape is None:
        return tuple(sizes)
    fits = len(shape) == len(sizes) and all(
        isinstance(size, str) or size == number for size, number in zip(shape, sizes, strict=True)
    )
    if not fits:
        raise InputError(f"the example of {name} has the shape {tuple(sizes)}, not {shape}")
    return shape


def _arguments(parameters: Parameters, values: dict[str, Any]) -> Arguments:
    """Return the arguments of a call: by name, where they need not be given by position."""
    args: list[Any] = []
    rest = dict(values)
    by_position = any(
        name in values and one.kind is one.VAR_POSITIONAL for name, one in parameters.items()
    )
    for name, one in parameters.items():
        if one.kind is one.VAR_POSITIONAL and name in rest:
            value = rest.pop(name)
            args += value if isinstance(value, list) else [value]
        elif one.kind is one.POSITIONAL_ONLY or (
            by_position and one.kind is one.POSITIONAL_OR_KEYWORD
        ):
            if name in rest:
                args.append(rest.pop(name))
            elif by_position:
                args.append(one.default)
    for name, one in parameters.items():
        if one.kind is one.VAR_KEYWORD and isinstance(rest.get(name), dict):
            rest |= rest.pop(name)
    return Arguments(tuple(args), rest)


def _check_batch(inputs: Sequence[ModelInput]) -> None:
    """Raise an `InputError` for examples that do not have the same number of samples."""
    batches = {one.name: len(one.example) for one in inputs if one.example is not None}
    if len({*batches.values()}) > 1:
        counts = ", ".join(f"{name} has {count}" for name, count in batches.items())
        raise InputError(f"axis 0 of every example is the batch, but {counts}")


def _float_dtype(model: nn.Module) -> str:
    """Return the dtype of the first floating weight, which inputs of no given dtype have."""
    floats = (one.dtype for one in model.parameters() if one.is_floating_point())
    return str(next(floats, "float32")).removeprefix("torch.")


def _shown(parameters: Parameters) -> str:
    """Return parameters as a signature shows them, without their annotations."""
    plain = [one.replace(annotation=one.empty) for one in parameters.values()]
    return str(inspect.Signature(plain))
