"""What each local is called: a branch of values that hand on one name has one, and dies with it."""

from __future__ import annotations

from mimgraph.emit.forward.liveness import Paths, needed_by
from mimgraph.emit.forward.plan import Plan
from mimgraph.emit.forward.steps import Loop, Step
from mimgraph.emit.tree import Local
from mimgraph.ir.code import Code, Name, rebuild
from mimgraph.ir.names import EMITTED
from mimgraph.ir.typed import Body, Value

MAIN = "x"
AMBIGUOUS = ("l", "I", "O")  # names that linters refuse, and readers should


class Branches:
    """The name of every local of a plan whose steps are complete."""

    def __init__(self, plan: Plan, paths: Paths) -> None:
        self.inputs = plan.body.inputs
        self.arguments = argument_names(plan.body)
        self.in_block = plan.body.family != ""
        self.paths = paths
        self.branch: dict[Value, int] = {}
        self.members: list[list[Value]] = []
        self.kept: dict[int, Value] = {}  # by branch: what a loop rebinds keeps its name
        self.readers = paths.readers()
        # the locals that no later step needs, in the order in which they are read
        self.dying = [
            [value for value in paths.dying(index) if value.name not in self.inputs]
            for index in range(len(plan.steps))
        ]
        # the inputs and what they become, not tensors of the module alone
        self.fed = {Value(name, "") for name in self.inputs}
        self.makers = _makers(plan.steps) if paths.branches else {}
        for index, step in enumerate(plan.steps):
            if not self.fed.isdisjoint(needed_by(step)):
                self.fed.update(step.targets)
            for target in step.targets:
                if target in self.branch:  # made in another way where something is missing
                    continue
                heir = self.heir(step, target, self.dying[index])
                self.join(target, None if heir and self.clashes(target, heir) else heir)
                if step.loop is not None and len(step.targets) > 1:
                    self.keep(step, step.loop, target, index)
        self.names = self.choose(plan, self.main(plan))

    def heir(self, step: Step, target: Value, dying: list[Value]) -> Value | None:
        """The dying local whose name the target takes."""
        if step.loop is not None and target in step.loop.carried:
            before = step.loop.carried[target]
            return before if before in dying and not stays(step, step.loop, target) else None
        if len(dying) != 1 or len(step.targets) != 1 or self.readers[dying[0]] > 1:
            return None  # what several steps read has a name of its own
        return dying[0]

    def clashes(self, target: Value, heir: Value) -> bool:
        """Whether the heir's name is that of something else needed where the target is made."""
        branch = self.branch.get(heir)
        return any(
            value != target and self.branch.get(value) == branch
            for index in self.makers.get(target, ())
            for value in self.paths.live[index]
        )

    def keep(self, step: Step, loop: Loop, target: Value, index: int) -> None:
        """Of several values that a loop carries, each keeps a plain name that it came with.

        So a block rebinds its inputs; those of the whole graph are not touched.
        """
        before = loop.carried.get(target)
        if before is None or before.port or stays(step, loop, target):
            return
        dies = before in self.paths.dying(index)
        if dies and (self.in_block or before.name not in self.inputs):
            self.kept[self.branch[target]] = before

    def join(self, value: Value, heir: Value | None) -> None:
        if heir is None:
            self.branch[value] = len(self.members)
            self.members.append([value])
        else:
            self.branch[value] = self.branch[heir]
            self.members[self.branch[heir]].append(value)

    def main(self, plan: Plan) -> int | None:
        """The branch that ends in the one result."""
        if len(plan.body.outputs) != 1:
            return None
        dying = [v for v in dict.fromkeys(plan.steps[-1].reads) if v in self.branch]
        return self.branch[dying[0]] if len(dying) == 1 and dying[0] in self.fed else None

    def choose(self, plan: Plan, main: int | None) -> list[str]:
        taken = {*self.arguments.values(), *_loop_names(plan.steps), *AMBIGUOUS, *EMITTED}
        ports: dict[str, set[str]] = {}
        for value in self.branch:
            ports.setdefault(value.name, set()).add(value.port)
        wanted = []
        for index, members in enumerate(self.members):
            last = self.kept.get(index, members[-1])
            if last.name in self.inputs:
                wanted.append(self.arguments[last.name])
                continue
            port = last.port.lstrip("*").replace(".", "_")
            several = len(ports[last.name]) > 1 and port
            name = last.name.replace(".", "_")  # of an item of an `each`
            wanted.append(spelled(f"{name}_{port}" if several else name))
        if main is not None and MAIN not in taken:
            others = (name for index, name in enumerate(wanted) if index != main)
            if MAIN not in others:
                wanted[main] = MAIN
        names = []
        for index, name in enumerate(wanted):
            unique, number = name, 1
            if index in self.kept and name in self.arguments.values():
                names.append(name)
                continue
            while unique in taken:
                number += 1
                unique = f"{name}_{number}"
            taken.add(unique)
            names.append(unique)
        return names

    def name(self, value: Value) -> str:
        argument = self.arguments.get(value.name)
        return self.names[self.branch[value]] if argument is None else argument

    def code(self, code: Code) -> Code:
        """`code` with every local by its name."""
        return rebuild(code, self._named)

    def _named(self, part: Code) -> Code | None:
        return Name(self.name(part.value)) if isinstance(part, Local) else None


def argument_names(body: Body) -> dict[str, str]:
    """Return the argument of each input: in a block, which is called by position, a name that its
    code does not use for something else."""
    if not body.family:
        return {name: name for name in body.inputs}
    names: dict[str, str] = {}
    for name in body.inputs:
        found = spelled(name)
        while found != name and found in body.inputs:
            found += "_"
        names[name] = found
    return names


def spelled(name: str) -> str:
    """Return the name of a local or argument, with an underscore if the file uses that name itself."""
    return f"{name}_" if name in EMITTED else name


def stays(step: Step, loop: Loop, target: Value) -> bool:
    """Whether what a target is carried from is needed in the loop beside it."""
    before = loop.carried[target]
    others = (value for other, value in loop.carried.items() if other != target)
    return before in others or before in step.reads


def _loop_names(steps: list[Step]) -> set[str]:
    return {step.loop.variable for step in steps if step.loop is not None}


def _makers(steps: list[Step]) -> dict[Value, list[int]]:
    """The steps that make each value."""
    found: dict[Value, list[int]] = {}
    for index, step in enumerate(steps):
        for target in step.targets:
            found.setdefault(target, []).append(index)
    return found
