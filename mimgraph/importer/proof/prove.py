"""Run a module and the model compiled from its spec side by side, and compare what they compute."""

from __future__ import annotations

import copy
import inspect
import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from mimgraph.importer.inputs.examples import Example, Examples
from mimgraph.importer.proof.difference import difference, mismatch, tolerance
from mimgraph.importer.proof.draws import DrawsInOrder
from mimgraph.importer.proof.sizes import Point, points
from mimgraph.importer.returned import named
from mimgraph.importer.wrappers import keeping_random
from mimgraph.runtime.weight_transfer.by_keys import Keys, renamed
from mimgraph.support.progress import progress

SEED = 20
GRADIENT_TOLERANCE = 1e-4  # of float32, in which a gradient adds many products
SMALL_GRADIENT = 1e-2  # of the largest; a smaller one is compared at this magnitude
MOST_TRIES = 9  # of points at which the module might run

Outputs: TypeAlias = dict[str, Tensor]


@dataclass
class Proof:
    """The largest differences of outputs, outputs in training and gradients, and the faults found.

    A difference is relative to the magnitude of the tensor; None if it was not measured. `trained` are
    parameters of ours that get gradients, while those of the module do not; `untrained` are outputs
    that the module returns in evaluation alone. `not_compared` says why, if there was nothing to compare
    with.
    """

    points: list[Point] = field(default_factory=list)
    evaluation: float | None = None
    training: float | None = None
    gradients: float | None = None
    faults: list[str] = field(default_factory=list)
    trained: list[str] = field(default_factory=list)
    untrained: list[str] = field(default_factory=list)
    not_compared: str = ""

    @property
    def holds(self) -> bool:
        """Whether everything that was compared is equal."""
        return not self.faults and self.evaluation is not None

    def lines(self) -> list[str]:
        """Return what was compared and how it differs, a line each."""
        measured = {
            "outputs": self.evaluation,
            "outputs in training": self.training,
            "gradients": self.gradients,
        }
        known = {name: one for name, one in measured.items() if one is not None}
        lines = [f"not proven: {fault}" for fault in self.faults]
        if self.not_compared:
            lines.append(f"not compared: {self.not_compared}")
        if self.untrained:
            lines.append(f"not returned by the module in training: {', '.join(self.untrained)}")
        if self.trained:
            lines.append(f"trained here, but not in the module: {', '.join(self.trained)}")
        if not known:
            return lines
        what = ", ".join(f"{name} {_shown(one)}" for name, one in known.items())
        if len(known) == len(measured) and not any(known.values()):
            what = "outputs, outputs in training and gradients are equal bit for bit"
        return [f"compared at {'; '.join(map(str, self.points))}: {what}", *lines]


def _shown(difference: float) -> str:
    return f"differ by {difference:.0e}" if difference else "are equal bit for bit"


@progress("comparing")
def prove(
    model: nn.Module,
    ours: nn.Module,
    keys: Keys,
    examples: Examples,
    traced: Mapping[str, Sequence[int]],
    batches: Sequence[int],
    left_out: Collection[str] = (),
    extra: Collection[str] = (),
    only_evaluation: Collection[str] = (),
) -> Proof:
    """Compare a module with ours, which has its weights, on inputs of sizes that were not traced.

    Neither is changed: copies of both are run, in evaluation mode and once in training from one seed.
    `traced` and `batches` are the sizes of the traces; outputs that are `left_out` are not compared.
    `extra` are the keys of ours that the module's state_dict need not have, and `only_evaluation` the
    outputs of ours that the module does not return in training.
    """
    proof = Proof(untrained=[*only_evaluation])
    try:
        theirs, ours = copy.deepcopy(model), copy.deepcopy(ours)
    except Exception as error:  # noqa: BLE001 - a module may refuse it in any way
        proof.faults.append(f"the module cannot be copied: {error}")
        return proof
    state = ours.state_dict()
    missing = state.keys() - renamed(state, theirs.state_dict(), keys).keys() - {*extra}
    if missing:
        proof.faults.append(f"the module has no weights for {', '.join(sorted(missing)[:3])}")
        return proof
    with keeping_random():
        pair = _Pair(theirs, ours, keys, examples, left_out, proof)
        pair.evaluate_all(traced, batches)
        if proof.points:
            pair.train(proof.points[-1])
    return proof


@progress("comparing")
def prove_evaluation(
    program: nn.Module,
    ours: nn.Module,
    examples: Examples,
    traced: Mapping[str, Sequence[int]],
    batches: Sequence[int],
    left_out: Collection[str] = (),
) -> Proof:
    """Compare an exported program, which cannot be trained, with ours, which has its weights."""
    proof = Proof()
    with keeping_random():
        pair = _Pair(program, ours, {}, examples, left_out, proof)
        pair.evaluate_all(traced, batches)
    return proof


@dataclass
class _Pair:
    """The two models, the map of their keys, and the proof that comparisons fill in."""

    theirs: nn.Module
    ours: nn.Module
    keys: Keys
    examples: Examples
    left_out: Collection[str]
    proof: Proof

    def evaluate_all(self, traced: Mapping[str, Sequence[int]], batches: Sequence[int]) -> None:
        """Compare the outputs in evaluation at the first points at which the module runs."""
        for point in points(traced, batches):
            wanted = 3 if traced else 2
            if len(self.proof.points) == wanted or point.batch > max(batches) + MOST_TRIES:
                break
            self.evaluate(point)
        if not self.proof.points:
            message = "the module runs at no other sizes than those it was traced at"
            self.proof.faults.append(message)

    def evaluate(self, point: Point) -> None:
        """Compare the outputs in evaluation at a point, if the module itself runs there."""
        self.theirs.eval()
        self.ours.eval()
        with torch.no_grad():
            try:
                wanted = self._run_theirs(self._example(point))
            except Exception:  # noqa: BLE001 - at another point it may run
                return
            self.proof.points.append(point)
            found = self._run_ours(self._example(point), f"at {point}")
        if found is not None:
            worst = self._compare(wanted, found, f"in evaluation at {point}")
            self.proof.evaluation = max(self.proof.evaluation or 0.0, worst)

    def train(self, point: Point) -> None:
        """Compare the outputs of one step of training, the buffers after it, and all gradients.

        The gradients of inputs are left out where the module does not run with them, as one that writes
        into its inputs.
        """
        self.theirs.train()
        self.ours.train()
        state = copy.deepcopy(self.theirs.state_dict())
        floats = [n for n, x in self._example(point).tensors.items() if x.is_floating_point()]
        faults = list[str]()
        for inputs in (floats, []):
            given = self._example(point, inputs)
            try:
                wanted = self._run_theirs(given)
            except Exception as error:  # noqa: BLE001 - the user's code may raise anything
                faults.append(str(error).partition("\n")[0])
                self.theirs.load_state_dict(state)
                continue
            self._compare_training(point, given, wanted, inputs)
            return
        self.proof.faults.append(f"the module itself fails in training: {faults[-1]}")

    def _compare_training(
        self, point: Point, given: Example, wanted: Outputs, inputs: list[str]
    ) -> None:
        taken = self._example(point, inputs)
        found = self._run_ours(taken, f"in training at {point}")
        if found is None:
            return
        found = {name: one for name, one in found.items() if name not in self.proof.untrained}
        worst = self._compare(wanted, found, "in training")
        self.proof.training = max(worst, self._compare_buffers())
        pairs = [(name, given.tensors[name], taken.tensors[name]) for name in inputs]
        self._compare_gradients(wanted, found, pairs)

    def _example(self, point: Point, trained: Collection[str] = ()) -> Example:
        """Return inputs at a point; those that are `trained` get gradients."""
        example = self.examples.make(point.batch, point.sizes, SEED)
        for name in trained:
            example.tensors[name].requires_grad_()
        return example

    def _run_theirs(self, example: Example) -> Outputs:
        args, kwargs = example.arguments
        return self._run(lambda: self.theirs(*args, **kwargs))

    def _run_ours(self, example: Example, where: str) -> Outputs | None:
        try:
            taken = inspect.signature(self.ours.forward).parameters
            given = {name: one for name, one in example.tensors.items() if name in taken}
            return self._run(lambda: self.ours(**given))
        except Exception as error:  # noqa: BLE001 - any error is a difference
            message = str(error).partition("\n")[0]
            self.proof.faults.append(f"the compiled spec fails {where}: {message}")
            return None

    @staticmethod
    def _run(call: Callable[[], Any]) -> Outputs:
        """Return the outputs of a call by name; it draws the same random numbers each time."""
        torch.manual_seed(SEED)
        random.seed(SEED)
        with DrawsInOrder():
            return dict(named(call(), Tensor))

    # comparisons

    def _compare(self, wanted: Outputs, found: Outputs, where: str) -> float:
        """Return the largest difference of the outputs, and note those that are not equal."""
        worst = 0.0
        for name, theirs, ours in self._outputs(wanted, found, where):
            worst = max(
                worst, self._one(f"{name} {{}} {where}", theirs, ours, tolerance(theirs.dtype))
            )
        return worst

    def _outputs(
        self, wanted: Outputs, found: Outputs, where: str
    ) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Yield the outputs of both by name, or in order where the module names them otherwise."""
        kept = {name: one for name, one in wanted.items() if name not in self.left_out}
        if len(kept) != len(found):
            message = f"the module returns {len(kept)} tensors {where}, the spec {len(found)}"
            self.proof.faults.append(message)
        names = [*kept] if kept.keys() != found.keys() else [*found]
        for name, ours in zip(names, found.values(), strict=False):
            yield name, kept[name], ours

    def _compare_buffers(self) -> float:
        """Return the largest difference of the buffers after a step of training."""
        ours = dict(self.ours.named_buffers())
        theirs = renamed(ours, dict(self.theirs.named_buffers(remove_duplicate=False)), self.keys)
        compared = ((name, theirs[name], ours[name]) for name in ours if name in theirs)
        return max(
            (
                self._one(
                    f"the buffer {name} {{}} after a step of training", a, b, tolerance(a.dtype)
                )
                for name, a, b in compared
            ),
            default=0.0,
        )

    def _compare_gradients(
        self, wanted: Outputs, found: Outputs, inputs: list[tuple[str, Tensor, Tensor]]
    ) -> None:
        """Compare the gradients of a random projection of the outputs."""
        paired = [(a, b) for _, a, b in self._outputs(wanted, found, "in training")]
        if any(mismatch(a, b) for a, b in paired):
            return
        torch.manual_seed(SEED)
        weights = [torch.randn_like(a) if a.is_floating_point() else None for a, _ in paired]
        for outputs in ([a for a, _ in paired], [b for _, b in paired]):
            terms = (
                (one * weight).sum()
                for one, weight in zip(outputs, weights, strict=True)
                if weight is not None and one.requires_grad
            )
            total = sum(terms)
            if isinstance(total, Tensor):
                torch.autograd.backward(total)
        pairs = [*self._gradients(), *((name, a.grad, b.grad) for name, a, b in inputs)]
        largest = max(
            (float(a.abs().max()) for _, a, _ in pairs if a is not None and a.numel()), default=0
        )
        self.proof.gradients = 0.0
        for name, theirs, ours in pairs:
            self._compare_gradient(name, theirs, ours, largest * SMALL_GRADIENT)

    def _compare_gradient(
        self, name: str, theirs: Tensor | None, ours: Tensor | None, floor: float
    ) -> None:
        if theirs is None and ours is None:
            return
        one = ours if theirs is None else theirs
        assert one is not None
        zeros = torch.zeros_like(one)
        theirs, ours = (zeros if grad is None else grad for grad in (theirs, ours))
        limit = max(GRADIENT_TOLERANCE, tolerance(one.dtype))
        if one.dtype == torch.float64:
            limit = tolerance(one.dtype)
        worst = self._one(f"the gradient of {name} {{}}", theirs, ours, limit, floor)
        self.proof.gradients = max(self.proof.gradients or 0.0, worst)

    def _gradients(self) -> Iterator[tuple[str, Tensor | None, Tensor | None]]:
        """Yield the gradients of the parameters of both by our names; tied ones have several names.

        Those that the module does not train are left out, and noted if ours trains them.
        """
        parameters = dict(self.theirs.named_parameters(remove_duplicate=False))
        theirs = {
            name: torch.zeros_like(one) if one.grad is None else one.grad.to_dense()
            for name, one in parameters.items()
            if one.requires_grad
        }
        ours = dict(self.ours.named_parameters(remove_duplicate=False))
        wanted, known = (renamed(ours, given, self.keys) for given in (theirs, parameters))
        for name, parameter in ours.items():
            if name in wanted:
                found = parameter.grad
                yield name, wanted[name], None if found is None else found.to_dense()
            elif name in known and parameter.requires_grad:
                self.proof.trained.append(name)

    def _one(
        self, what: str, theirs: Tensor, ours: Tensor, limit: float, floor: float = 0.0
    ) -> float:
        """Return how far two tensors differ; note it if that is more than the limit."""
        other = mismatch(theirs, ours)
        if other:
            self.proof.faults.append(what.format(other))
            return float("inf")
        found = difference(theirs, ours, floor)
        if found > limit:
            amount = "differs" if found == float("inf") else f"differs by {found:.0e}"
            self.proof.faults.append(what.format(amount))
        return found
