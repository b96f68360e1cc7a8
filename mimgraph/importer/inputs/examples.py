"""Make whole calls of forward at any batch and sizes, and find out at which ones a model runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin

from mimgraph.importer.device import CPU, device_of, making_on
from mimgraph.importer.inputs.lengths import find_lengths
from mimgraph.importer.inputs.model import Arguments, ForwardInputs, InputError, size_names
from mimgraph.importer.inputs.values import values
from mimgraph.importer.user_errors import UserCodeError, run_users


class Example(NamedTuple):
    """The arguments of one call of forward, and the tensors among them by the names of inputs."""

    arguments: Arguments
    tensors: dict[str, Tensor]


class Examples(NamedTuple):
    """Makes calls of a model at any batch and named sizes, with tensors on its device."""

    given: ForwardInputs
    device: torch.device = CPU

    @property
    def sizes(self) -> tuple[str, ...]:
        """Return the names of the sizes, without the batch."""
        return size_names(self.given.inputs)

    @property
    def vocabs(self) -> dict[str, int]:
        """Return the vocab of each input that has one."""
        return {one.name: one.vocab for one in self.given.inputs if one.vocab is not None}

    def make(self, batch: int, sizes: Mapping[str, int], seed: int) -> Example:
        """Return a call at these sizes; equal arguments give equal tensors."""
        made = values(self.given.inputs, batch, sizes, seed)
        tensors = {name: one.to(self.device) for name, one in made.items()}
        return Example(self.given.call(tensors), tensors)


def examples(model: nn.Module, given: ForwardInputs) -> Examples:
    """Return what makes calls of a model, with the lengths of an example batch found by trying."""
    device = device_of(model)

    def tried(given: ForwardInputs, sizes: Mapping[str, int]) -> bool:
        return runs(model, Examples(given, device), sizes)

    return Examples(find_lengths(given, tried).given, device)


def runs(model: nn.Module, examples: Examples, sizes: Mapping[str, int]) -> bool:
    """Return whether forward runs in evaluation mode."""
    try:
        check_runs(model, examples, sizes)
    except InputError:
        return False
    return True


def check_runs(model: nn.Module, examples: Examples, sizes: Mapping[str, int]) -> None:
    """Run forward in evaluation mode; an `InputError` has the user's line where it fails."""
    args, kwargs = examples.make(2, sizes, seed=0).arguments
    shapes = ", ".join(
        f"{one.name} {tuple(one.shape)}".replace("'", "") for one in examples.given.inputs
    )
    with (
        evaluating(model),
        keeping_attributes(model),
        torch.no_grad(),
        torch.random.fork_rng(devices=[]),
        making_on(examples.device),
    ):
        try:
            run_users(f"{type(model).__name__}.forward with {shapes}", model, *args, **kwargs)
        except UserCodeError as error:
            raise InputError(str(error)) from error.__cause__


@contextmanager
def keeping_attributes(model: nn.Module) -> Iterator[None]:
    """Leave the attributes of modules as they were, which a forward may set, such as anchors of its last
    sizes; lazy modules become others."""
    kept = {
        module: dict(vars(module))
        for module in model.modules()
        if not isinstance(module, LazyModuleMixin)
    }
    try:
        yield
    finally:
        for module, attributes in kept.items():
            vars(module).clear()
            vars(module).update(attributes)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode, and every part of it back into its own mode at the end."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
