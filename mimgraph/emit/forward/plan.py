"""Plan the forward of a body: its steps in running order, on values that have no names yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mimgraph.emit.forward.calls import Calls
from mimgraph.emit.forward.inline import inlined
from mimgraph.emit.forward.runs import TRAINING, runs
from mimgraph.emit.forward.steps import Guard, Step, values_read
from mimgraph.emit.forward.values import UsedPorts, Values
from mimgraph.ir.code import Code, Dict, Tuple
from mimgraph.ir.typed_graph import Body


class Plan:
    """The steps of a body. Several outputs are returned as a dict, in a block as a tuple.

    The `twins` run the same steps, on inputs of other sizes.
    """

    def __init__(
        self, body: Body, ports: UsedPorts, as_dict: bool, twins: Iterable[Body] = ()
    ) -> None:
        self.body = body
        self.values = Values(body)
        calls = Calls(body, self.values, ports, tuple(twins))
        steps = [step for run in runs(body) for step in calls.steps(run)]
        outputs = [self.values.resolve(value) for value in body.outputs.values()]
        self.steps = inlined(steps, body, outputs)
        last = self.steps[-1] if self.steps else None
        is_result = last is not None and len(outputs) == 1 and last.targets == (*outputs,)
        if last and is_result and last.loop is None and not last.guard:
            (name,) = body.outputs
            self.steps[-1] = Step((), self._given(name, last.code), last.reads, node=last.node)
        else:
            self.steps += self._returns(as_dict)

    def _returns(self, as_dict: bool) -> Iterator[Step]:
        """Yield the return, and before it that in training if there are more outputs then."""
        training = self.body.training
        outputs = self.body.outputs.items()
        results = {name: self._given(name, self.values.read(value)) for name, value in outputs}
        always = {name: code for name, code in results.items() if name not in training}
        if training:
            yield self._return(results, as_dict, (TRAINING,))
        yield self._return(always, as_dict, ())

    def _given(self, name: str, code: Code) -> Code:
        """Return the code of an output, with its batch moved where the graph says so."""
        axis = self.body.batch_dims.get(name)
        if axis is None:
            return code
        return code.method("transpose" if axis == 1 else "movedim", 0, axis)

    def _return(self, results: Mapping[str, Code], as_dict: bool, guard: Guard) -> Step:
        code = next(iter(results.values()))
        if len(self.body.outputs) > 1:
            code = Dict(tuple(results.items())) if as_dict else Tuple(tuple(results.values()))
        return Step((), code, tuple(dict.fromkeys(values_read(code))), guard=guard)
