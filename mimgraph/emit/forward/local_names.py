"""Choose the name of every local and argument of a forward."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from mimgraph.emit.forward.arguments import argument_names, module_arguments, spelled
from mimgraph.emit.forward.chains import Chain, Chains, needed_in_loop
from mimgraph.emit.forward.liveness import Paths, needed_by
from mimgraph.emit.forward.plan import Plan
from mimgraph.emit.forward.steps import (
    Step,
    flat_name,
    is_flat,
    is_intermediate,
    is_list,
    is_unread,
)
from mimgraph.emit.tree import Local
from mimgraph.ir.code import Code, Name, rebuild
from mimgraph.ir.names import EMITTED, free_name
from mimgraph.ir.typed_graph import Value

MAIN = "x"
UNREAD = "_"
AMBIGUOUS = ("l", "I", "O")  # names that linters refuse, and readers should


class LocalNames:
    """The name of every local of a plan whose steps are complete.

    A chain has the name of its last node; the one that ends in the result is `x`, if no input is.
    """

    def __init__(self, plan: Plan, paths: Paths) -> None:
        self.arguments = argument_names(plan.body)
        chains = Chains(plan, paths)
        self.dying = chains.dying
        rebound = dict(_rebound(plan, paths, chains))
        modules = module_arguments(plan.body).values()
        reserved = {
            *self.arguments.values(),
            *modules,
            *_loop_variables(plan.steps),
            *AMBIGUOUS,
            *EMITTED,
        }
        main = None if MAIN in reserved else _main(plan, chains)
        others = [chain for chain in chains.all if chain is not main]
        parts = [part for chain in others for part in chains.split(chain)]
        ports = Counter(value.name for value in chains.of if not is_intermediate(value))
        loops = [step.loop for step in plan.steps if step.loop is not None]
        wanted = {value: spelled(name) for loop in loops for value, name in loop.names.items()}
        self._names: dict[Value, str] = {}
        if main is not None:
            reserved.add(MAIN)
            self._names.update(dict.fromkeys(main, MAIN))
        reserved.add(self._name_unread(chains.of, modules))
        brief: dict[str, str] = {}  # of locals that live only while their node runs
        # what a step computes on its way to a result gives way to the names of the nodes
        for part in sorted(parts, key=lambda part: is_intermediate(part[-1])):
            named = part[-1]
            if named in self._names:  # what nothing reads
                continue
            if rebound:
                named = next((rebound[value] for value in part if value in rebound), named)
            given = wanted.get(named) or _name_of(named, ports[named.name] > 1)
            is_brief = is_list(named) or is_flat(named)
            name = brief.get(given) if is_brief else self.arguments.get(named.name)
            if name is None:
                name = free_name(given, reserved)
                reserved.add(name)
            if is_brief:
                brief[given] = name
            self._names.update(dict.fromkeys(part, name))

    def _name_unread(self, values: Iterable[Value], modules: Iterable[str]) -> str:
        """Return the one name of all results that nothing reads: `_`, if no argument is called so."""
        name = free_name(UNREAD, {*self.arguments.values(), *modules})
        self._names.update(dict.fromkeys(filter(is_unread, values), name))
        return name

    def name(self, value: Value) -> str:
        """Return the name of a local or argument."""
        argument = self.arguments.get(value.name)
        return self._names[value] if argument is None else argument

    def code(self, code: Code) -> Code:
        """Return `code` with every local by its name."""
        return rebuild(code, self._named)

    def _named(self, part: Code) -> Code | None:
        return Name(self.name(part.value)) if isinstance(part, Local) else None


def _rebound(plan: Plan, paths: Paths, chains: Chains) -> Iterator[tuple[Value, Value]]:
    """Yield each result of a loop that may take the name of the value it starts as, with that value.

    So a block rebinds its inputs, `a, b = layer(a, b)`; the inputs of the whole graph keep their names.
    """
    body = plan.body
    for index, step in enumerate(plan.steps):
        if step.loop is None or (len(step.targets) == 1 and step.targets[0] not in step.loop.names):
            continue
        for target, before in step.loop.carried.items():
            if before.name in body.inputs:
                is_free = body.family != "" and before in paths.dying(index)
            else:
                is_free = chains.of[before] is chains.of[target]
            plain = not before.port and target not in chains.kept
            wanted = step.loop.names.get(target, before.name) == before.name
            needed = needed_in_loop(step, step.loop, target)
            if plain and wanted and is_free and not needed:
                yield target, before


def _main(plan: Plan, chains: Chains) -> Chain | None:
    """Return the chain from the inputs to the one result, if no node of another has its name."""
    last = [value for value in dict.fromkeys(plan.steps[-1].reads) if value in chains.of]
    if len(plan.body.outputs) != 1 or len(last) != 1 or last[0] in chains.kept:
        return None
    main = chains.of[last[0]]
    others = (other for other, chain in chains.of.items() if chain is not main)
    is_taken = any(other.name == MAIN for other in others)
    return None if is_taken or last[0] not in _fed(plan) else main


def _fed(plan: Plan) -> set[Value]:
    """Return the inputs and all that is computed from them, not from tensors of the module alone."""
    found = {Value(name, "") for name in plan.body.inputs}
    for step in plan.steps:
        if not found.isdisjoint(needed_by(step)):
            found.update(step.targets)
    return found


def _loop_variables(steps: list[Step]) -> set[str]:
    return {name for step in steps if step.loop is not None for name in step.loop.variables}


def _name_of(value: Value, is_one_of_several: bool) -> str:
    """Return the name of a node; with the port if it has several results, or with the step."""
    if is_flat(value):
        return spelled(flat_name(value))
    name = value.name.replace(".", "_")  # of an item of an `each`
    port = value.port.lstrip("*").replace(".", "_")
    has_port = port != name if is_intermediate(value) else is_one_of_several
    return spelled(f"{name}_{port}" if port and has_port else name)
