"""What each local is called: a branch of values that hand on one name has one, and dies with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from mimgraph.codegen.plan import Loop, Plan, Step
from mimgraph.codegen.tree import Local, rebuild
from mimgraph.ir.code import Code, Name
from mimgraph.ir.typed import Value

MAIN = "x"
AMBIGUOUS = ("l", "I", "O")  # names that linters refuse, and readers should


def needed_by(step: Step) -> Iterable[Value]:
    """What a step needs from before it."""
    if step.loop is None:
        return step.reads
    outside = [value for value in step.reads if value not in step.targets]
    return (*step.loop.carried.values(), *outside)


class Branches:
    """The name of every local."""

    def __init__(
        self,
        plan: Plan,
        steps: list[Step],
        last_use: Mapping[Value, int],
        final: Step | None,
        outputs: Mapping[str, Value],
    ) -> None:
        self.inputs = plan.body.inputs
        self.outputs = outputs
        self.in_block = plan.body.family != ""
        self.branch: dict[Value, int] = {}
        self.members: list[list[Value]] = []
        self.kept: dict[int, Value] = {}  # by branch: what a loop rebinds keeps its name
        self.readers = Counter(value for step in steps for value in needed_by(step))
        self.readers.update(final.reads if final else outputs.values())
        self.fed: set[Value] = set()  # what the inputs become, not tensors of the module alone
        for index, step in enumerate(steps):
            if any(value in self.fed or value.name in self.inputs for value in needed_by(step)):
                self.fed.update(step.targets)
            dying = self.dying(step, index, last_use)
            for target in step.targets:
                if target in self.branch:  # made in another way where something is missing
                    continue
                self.join(target, self.heir(step, target, dying))
                if step.loop is not None and len(step.targets) > 1:
                    self.keep(step, step.loop, target, index, last_use)
        self.names = self.choose(plan, self.main(final, outputs, last_use, len(steps)))

    def dying(self, step: Step, index: int, last_use: Mapping[Value, int]) -> list[Value]:
        """The locals that no later step needs, in the order in which they are read."""
        return [
            value
            for value in dict.fromkeys(needed_by(step))
            if last_use[value] == index and value.name not in self.inputs
        ]

    def heir(self, step: Step, target: Value, dying: list[Value]) -> Value | None:
        """The dying local whose name the target takes."""
        if step.loop is not None and target in step.loop.carried:
            before = step.loop.carried[target]
            return before if before in dying and not stays(step, step.loop, target) else None
        if len(dying) != 1 or len(step.targets) != 1 or self.readers[dying[0]] > 1:
            return None  # what several steps read has a name of its own
        return dying[0]

    def keep(
        self, step: Step, loop: Loop, target: Value, index: int, last_use: Mapping[Value, int]
    ) -> None:
        """Of several values that a loop carries, each keeps a plain name that it came with.

        So a block rebinds its inputs; those of the whole graph are not touched.
        """
        before = loop.carried.get(target)
        if before is None or before.port or stays(step, loop, target):
            return
        if last_use[before] == index and (self.in_block or before.name not in self.inputs):
            self.kept[self.branch[target]] = before

    def join(self, value: Value, heir: Value | None) -> None:
        if heir is None:
            self.branch[value] = len(self.members)
            self.members.append([value])
        else:
            self.branch[value] = self.branch[heir]
            self.members[self.branch[heir]].append(value)

    def main(
        self,
        final: Step | None,
        outputs: Mapping[str, Value],
        last_use: Mapping[Value, int],
        end: int,
    ) -> int | None:
        """The branch that ends in the one result."""
        if len(outputs) != 1:
            return None
        read = final.reads if final else tuple(outputs.values())
        dying = [value for value in dict.fromkeys(read) if value in self.branch]
        return self.branch[dying[0]] if len(dying) == 1 and dying[0] in self.fed else None

    def choose(self, plan: Plan, main: int | None) -> list[str]:
        taken = {*self.inputs, *_loop_names(plan.steps), *AMBIGUOUS}
        ports: dict[str, set[str]] = {}
        for value in self.branch:
            ports.setdefault(value.name, set()).add(value.port)
        wanted = []
        for index, members in enumerate(self.members):
            last = self.kept.get(index, members[-1])
            if last.name in self.inputs:
                wanted.append(last.name)
                continue
            port = last.port.lstrip("*").replace(".", "_")
            several = len(ports[last.name]) > 1 and port
            name = last.name.replace(".", "_")  # of an item of an `each`
            wanted.append(f"{name}_{port}" if several else name)
        if main is not None and MAIN not in taken:
            others = (name for index, name in enumerate(wanted) if index != main)
            if MAIN not in others:
                wanted[main] = MAIN
        names = []
        for index, name in enumerate(wanted):
            unique, number = name, 1
            if index in self.kept and name in self.inputs:
                names.append(name)
                continue
            while unique in taken:
                number += 1
                unique = f"{name}_{number}"
            taken.add(unique)
            names.append(unique)
        return names

    def name(self, value: Value) -> str:
        return value.name if value.name in self.inputs else self.names[self.branch[value]]

    def code(self, code: Code) -> Code:
        """`code` with every local by its name."""
        return rebuild(
            code, lambda part: Name(self.name(part.value)) if isinstance(part, Local) else None
        )


def stays(step: Step, loop: Loop, target: Value) -> bool:
    """Whether what a target is carried from is needed in the loop beside it."""
    before = loop.carried[target]
    others = (value for other, value in loop.carried.items() if other != target)
    return before in others or before in step.reads


def _loop_names(steps: list[Step]) -> set[str]:
    return {step.loop.variable for step in steps if step.loop is not None}
