"""Walk the steps of two graphs side by side: find equal values, and carry the tensors that keep them equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from mimgraph.compare.equality import comparable
from mimgraph.compare.model import dotted
from mimgraph.compare.weights.adapters import Adapters
from mimgraph.compare.weights.follow import followed, is_inert
from mimgraph.compare.weights.lanes import Case, Lanes, Moved, by_shape
from mimgraph.compare.weights.places import Places
from mimgraph.compare.weights.steps import COUNTER, TENSOR, At, Step, Steps
from mimgraph.compare.weights.weigh import Axes, Weighed, weighed, without_sizes
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Module
from mimgraph.ir.tensor_copy import keeps_all
from mimgraph.ir.typed_graph import ALWAYS
from mimgraph.ir.typed_operations import Leaf
from mimgraph.ir.types import TensorType

NOT_BEFORE = "it was not there before"


@dataclass(frozen=True, slots=True)
class Carried:
    """A module of the new graph that has an old one: its path there, and what became of the axes of each
    tensor that is carried; `anew` are its other tensors."""

    was: str
    axes: Mapping[str, Axes]
    anew: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether all tensors are carried as they are."""
        return not self.anew and not any(self.axes.values())


@dataclass(eq=False)
class Walk:
    """Walks once, in running order, and fills `carried` and `lanes`."""

    old: Steps
    new: Steps
    places: Places
    modules: dict[str, str]
    inputs: Mapping[str, str]
    adapters: Adapters

    def __post_init__(self) -> None:
        self.lanes: dict[At, Lanes] = dict(self._inputs())
        self.carried: dict[str, Carried] = {}
        self._aliases: dict[At, At] = {}
        self._by_place: dict[str, list[Step]] = {}
        self._by_operands: dict[Hashable, list[Step]] = {}
        self._first: dict[Hashable, Step] = {}
        self._by_path: dict[str, list[Step]] = {}
        for step in self.old.steps:
            step = replace(step, operands=self._plain(step.operands))
            if is_inert(step.op) and step.default is not None:
                self._aliases[At(step.number, step.default)] = next(iter(step.operands.values()))
            self._join_equals(step)
            self._by_place.setdefault(step.place, []).append(step)
            self._by_operands.setdefault(self._key(step.op, step.operands), []).append(step)
            self._by_path.setdefault(step.path, []).append(step)
        self._names: dict[At, list[tuple[str, str]]] = {}
        for name, at in self.new.results.items():
            self._names.setdefault(at, []).append(name)
        self._concats = [step for step in self.old.steps if step.op == "concat"]

    def _join_equals(self, step: Step) -> None:
        """Alias the results of an old step to the first step that does the same on the same values."""
        has_module = step.leaf is None or step.leaf.has_state
        key = step.key, tuple(step.operands.items()), step.path if has_module else ""
        first = self._first.setdefault(key, step)
        if first is not step and step.op != "random":
            for port in step.ports:
                self._aliases[At(step.number, port)] = At(first.number, port)

    def walk(self) -> None:
        """Find the lanes of every value of the new graph, then carry the modules that no step opened."""
        for step in self.new.steps:
            self._step(step)
        for path in self.new.modules:
            self._carry_unseen(path)

    def old_output(self, name: str, names: Mapping[str, str]) -> str | None:
        """Return the old output that a new one is: the one that was matched, else one of the same value."""
        if name in names:
            return names[name]
        value = self._lanes(self.new.outputs[name]).old
        olds = {self._plain({"": at})[""]: was for was, at in self.old.outputs.items()}
        return None if value is None else olds.get(value)

    def lanes_of_output(self, was: str | None, name: str) -> Lanes:
        """Return the lanes of an output; its numbers differ if it is of another value than the old output."""
        found = self._lanes(self.new.outputs[name])
        if was is None:
            return Lanes(None, why=found.why or NOT_BEFORE)
        if found.old != self._plain({"": self.old.outputs[was]})[""]:
            return Lanes(None, why=found.why or "it is another value")
        return found

    # --- values ----------------------------------------------------------------------------

    def _inputs(self) -> Iterator[tuple[At, Lanes]]:
        """Yield the lanes of the inputs: one that is longer than before has its old positions first."""
        for name in (at.port for at in self.new.types if at.producer == "<input>"):
            was, now = self.inputs.get(name), self.new.types[At("<input>", name)]
            before = None if was is None else self.old.types.get(At("<input>", was))
            if was is None or before is None:
                yield At("<input>", name), Lanes(None, why=f"{name} is a new input")
                continue
            lanes = _of_shapes(At("<input>", was), before.shape, now.shape, "")
            why = f"the shape of {name} changed" if lanes.old is None else ""
            if before.dtype != now.dtype:
                why = f"the dtype of {name} changed"
            yield At("<input>", name), replace(lanes, why=why)

    def _plain(self, operands: Mapping[str, At]) -> dict[str, At]:
        """Return operands with what inert layers are given in place of their results."""
        return {key: self._aliases.get(at, at) for key, at in operands.items()}

    @staticmethod
    def _key(op: str, operands: Mapping[str, At]) -> Hashable:
        return op, tuple(operands.items())

    def _lanes(self, at: At) -> Lanes:
        if at.producer == COUNTER:
            return Lanes(at)
        if at.producer == TENSOR:
            return self._tensor(at.port)
        return self.lanes.get(at) or Lanes(None, why="")

    def _tensor(self, key: str) -> Lanes:
        """Return the lanes of a learned tensor that is read as a value."""
        path, name = next(self._owners(self.new, key), ("", ""))
        if path not in self.modules:
            return Lanes(None, why=f"{key} starts anew")
        self._carry_unseen(path)
        found = self.carried[path]
        old = At(TENSOR, dotted(found.was, name))
        axes = found.axes.get(name)
        if axes is None:
            return Lanes(None, why=f"{key} starts anew")
        if len(axes) > 1:
            return Lanes(None, why=f"{key} changed on two axes")
        for axis, along in axes.items():
            return Lanes(old, Moved(axis, along.positions))
        return Lanes(old)

    @staticmethod
    def _owners(steps: Steps, key: str) -> Iterator[tuple[str, str]]:
        """Yield the path of the module of a tensor, and the name of the tensor in it."""
        path = key
        while path:
            if path in steps.modules:
                yield path, key[len(path) + 1 :]
            path = path.rpartition(".")[0]

    # --- steps -----------------------------------------------------------------------------

    def _step(self, step: Step) -> None:
        lanes = {key: self._lanes(at) for key, at in step.operands.items()}
        if is_inert(step.op) and step.default is not None and lanes:
            self.lanes[At(step.number, step.default)] = next(iter(lanes.values()))
            return
        if step.path in self.new.modules and step.leaf is not None:
            self._match_by_sources(step, lanes)
        old = self._old_step(step, lanes)
        if old is None:
            why = next((one.why for one in lanes.values() if one.why), "")
            for port in step.ports:
                at = At(step.number, port)
                self.lanes[at] = self._by_name(at, why or f"{step.place} is new")
            self._carry_unseen(step.path, inside=step.leaf is None)
            return
        case = self._case(old, step, lanes)
        found = self._carry(case) if step.leaf is not None else self._closed(case)
        for port in step.ports:
            self.lanes[At(step.number, port)] = self._result(case, found, port)

    def _match_by_sources(self, step: Step, lanes: Mapping[str, Lanes]) -> None:
        """Match a module that moved and was renamed too: the only one left of its op on the same values."""
        if step.path in self.modules:
            return
        taken = set(self.modules.values())
        olds = {key: one.old for key, one in lanes.items() if one.old is not None}
        if len(olds) < len(lanes) or not olds:
            return
        for old in self._by_operands.get(self._key(step.op, olds), []):
            if old.leaf is not None and old.path in self.old.modules and old.path not in taken:
                self.modules[step.path] = old.path
                return

    def _by_name(self, at: At, why: str) -> Lanes:
        """Return the lanes of a value that is computed otherwise now, but is a result of a node that was there."""
        for place, port in self._names.get(at, ()):
            old = self.old.results.get((self.places.get(place, ""), port))
            if old is not None:
                return _of_shapes(
                    self._aliases.get(old, old),
                    self.old.types[old].shape,
                    self.new.types[at].shape,
                    why,
                )
        return Lanes(None, why=why)

    def _old_step(self, step: Step, lanes: Mapping[str, Lanes]) -> Step | None:
        """Return the old step that a step stands for: the same op on the same values, or at the same place; with
        the module that was matched, if it has one with tensors."""
        olds = {key: one.old for key, one in lanes.items() if one.old is not None}
        same = (
            self._by_operands.get(self._key(step.op, olds), []) if len(olds) == len(lanes) else []
        )
        candidates = [*same, *self._by_place.get(self.places.get(step.place, ""), [])]
        if step.op == "concat":
            candidates += self._most_alike(olds.values())
        if step.leaf is not None and step.leaf.has_state:
            was = self.modules.get(step.path)
            of_module = [] if was is None else self._by_path[was]
            candidates = [one for one in candidates if one.path == was] + of_module
        equal = [one for one in candidates if one.key == step.key]
        alike = [
            one for one in candidates if one.op == step.op and _is_opened(one) == _is_opened(step)
        ]
        found = next(iter(equal or alike), None)
        return None if found is None else replace(found, operands=self._plain(found.operands))

    def _most_alike(self, values: Iterable[At]) -> list[Step]:
        """Return the old concats of most of these values."""
        known = set(values)
        common = [
            (len(known & {*self._plain(one.operands).values()}), one) for one in self._concats
        ]
        most = max((count for count, _ in common), default=0)
        return [one for count, one in common if count == most and count]

    def _case(self, old: Step, step: Step, lanes: Mapping[str, Lanes]) -> Case:
        """Return both steps; an operand that is another value than before only has its shape."""
        types = self.old.types, self.new.types
        if step.op == "concat":
            return Case(old, step, _in_place_of_others(old, step, lanes, types), types)
        fitting = {}
        for key, one in lanes.items():
            before = old.operands.get(key)
            if one.old is None or one.old != before:
                was, now = self.old.types.get(before), self.new.types.get(step.operands[key])  # type: ignore[arg-type]
                moved = None if was is None or now is None else by_shape(was.shape, now.shape)
                why = one.why or f"{step.place} reads another value"
                one = Lanes(None, moved, why)
            fitting[key] = one
        return Case(old, step, fitting, types)

    def _result(self, case: Case, found: Weighed, port: str) -> Lanes:
        """Return the lanes of a result."""
        old, new = case.result_shapes(port)
        at = self._plain({"": At(case.old.number, port)})[""]
        why = _why(case, found)
        nothing_moved = all(lanes.moved is None for lanes in case.lanes.values())
        in_order = case.new.op != "concat" or case.old_values == case.new_values
        if nothing_moved and old == new and not found.moved.get(port) and in_order:
            return Lanes(at, None, why)
        moved = found.moved.get(port)
        if moved is None and port == (case.new.default or "") and not found.axes:
            moved = followed(case)
        if moved is not None and _fits(moved, old, new):
            return Lanes(at, moved if _is_other(moved, old) else None, why)
        if port in found.moved and found.moved[port] is None and old == new:
            return Lanes(at, None, why)
        return _of_shapes(at, old, new, why or f"{case.new.place} ({case.new.op}) mixes what moved")

    # --- modules ---------------------------------------------------------------------------

    def _carry(self, case: Case) -> Weighed:
        """Carry the module of a step, and return what moved in the results of the step."""
        path = case.new.path
        if path not in self.new.modules or path not in self.modules:
            return Weighed()
        was = self.modules[path]
        found = self._weighed(case, path, was)
        axes = self._axes(path, was, found)
        known = self.carried.setdefault(path, axes)
        why = found.why or (f"{dotted(path, known.anew[0])} starts anew" if known.anew else "")
        if not why and self._is_cut(was, axes):
            why = f"{path} lost inputs that it read"
        why = why or self.adapters.why(was, path)
        if known.axes != axes.axes:
            why = f"{path} is shared on other inputs"
        return replace(found, why=why)

    def _weighed(self, case: Case, path: str, was: str) -> Weighed:
        modules = self.old.modules[was].lowering.module, self.new.modules[path].lowering.module
        assert modules[0] is not None and modules[1] is not None
        if not tensors(modules[1]) or not tensors(modules[0]):
            return Weighed()
        return weighed(case, (modules[0], modules[1]))

    def _axes(self, path: str, was: str, found: Weighed) -> Carried:
        """Return which tensors of a module are carried: those that have the shape that their axes give."""
        old, new = (
            tensors(self.old.modules[was].lowering.module),
            tensors(self.new.modules[path].lowering.module),
        )
        axes = {
            name: found.axes.get(name, {})
            for name, shape in new.items()
            if name in old and _are(found.axes.get(name, {}), old[name], shape)
        }
        return Carried(was, axes, tuple(name for name in new if name not in axes))

    def _is_cut(self, was: str, axes: Carried) -> bool:
        """Return whether positions are gone that a module sums over, of its inputs or of its own units."""
        old = tensors(self.old.modules[was].lowering.module)
        return any(
            along.zero and not keeps_all(along.positions, old[name][axis])
            for name, changed in axes.axes.items()
            for axis, along in changed.items()
        )

    def _carry_unseen(self, path: str, inside: bool = False) -> None:
        """Carry a module, or all inside a step that is not opened, of whose sources nothing is known."""
        if inside:
            for inner in self.new.modules:
                if inner == path or inner.startswith(f"{path}."):
                    self._carry_unseen(inner)
        elif path in self.modules and path not in self.carried:
            was = self.modules[path]
            case = Case(_alone(self.old, was), _alone(self.new, path), {}, ({}, {}))
            self.carried[path] = self._axes(path, was, self._weighed(case, path, was))

    def _closed(self, case: Case) -> Weighed:
        """Return why a step that is not opened gives other numbers, if its modules are not as before."""
        path = case.new.path
        self._carry_unseen(path, inside=True)
        for inner in self.new.modules:
            if path and (inner == path or inner.startswith(f"{path}.")):
                known = self.carried.get(inner)
                if known is None or not known.is_whole:
                    return Weighed(why=f"{inner} is not as before")
                if why := self.adapters.why(known.was, inner):
                    return Weighed(why=why)
        return Weighed()


def _in_place_of_others(
    old: Step,
    new: Step,
    lanes: Mapping[str, Lanes],
    types: tuple[Mapping[At, TensorType], Mapping[At, TensorType]],
) -> Mapping[str, Lanes]:
    """Return the lanes of the sources of a concat, in which new sources stand for as many that are gone."""
    left = Counter(old.operands.values()) - Counter(
        one.old for one in lanes.values() if one.old is not None
    )
    unknown = [key for key, one in lanes.items() if one.old not in set(old.operands.values())]
    if left.total() != len(unknown):
        return lanes
    found = dict(lanes)
    for key, at in zip(unknown, left.elements(), strict=True):
        shapes = types[0][at].shape, types[1][new.operands[key]].shape
        found[key] = _of_shapes(at, *shapes, lanes[key].why or f"{new.place} reads another value")
    return found


def tensors(module: Module | None) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors that a module has in a state_dict."""
    if module is None:
        return {}
    buffers = module.buffers if module.arguments.get("persistent", True) is not False else {}
    return {**module.weights, **buffers}


def _alone(steps: Steps, path: str) -> Step:
    """Return a module as a step without sources."""
    leaf: Leaf = steps.modules[path]
    return Step(-1, path, path, leaf.name, leaf, None, {}, leaf.lowering.default, ALWAYS)


def _are(axes: Axes, old: tuple[int, ...], new: tuple[int, ...]) -> bool:
    """Return whether a tensor of the old shape has the new one after changes along these axes."""
    if len(old) != len(new) or any(axis >= len(new) for axis in axes):
        return False
    return all(
        _have(axes[axis].positions, before, after) if axis in axes else before == after
        for axis, (before, after) in enumerate(zip(old, new, strict=True))
    )


def _have(positions: Iterable[tuple[int | None, int]], before: int, after: int) -> bool:
    every = list(positions)
    ends = [start + length for start, length in every if start is not None]
    return sum(length for _, length in every) == after and max(ends, default=0) <= before


def _fits(moved: Moved, old: tuple[Size, ...], new: tuple[Size, ...]) -> bool:
    """Return whether what moved accounts for the difference of two shapes."""
    if len(old) != len(new) or not 0 <= moved.axis < len(new):
        return False
    before, after = old[moved.axis], new[moved.axis]
    if not isinstance(before, int) or not isinstance(after, int):
        return False
    others = all(
        o == n for axis, (o, n) in enumerate(zip(old, new, strict=True)) if axis != moved.axis
    )
    return others and _have(moved.positions, before, after)


def _is_other(moved: Moved, old: tuple[Size, ...]) -> bool:
    """Return whether something moved at all."""
    return moved.positions != ((0, old[moved.axis]),)


def _of_shapes(at: At, old: tuple[Size, ...], new: tuple[Size, ...], why: str) -> Lanes:
    """Return the lanes of a value of which only the shapes are known."""
    if old == new:
        return Lanes(at, None, why)
    moved = by_shape(old, new)
    return Lanes(None if moved is None else at, moved, why)


def _is_opened(step: Step) -> bool:
    """Return whether a step is one layer, and not an activation or what cannot be opened."""
    return step.leaf is not None


def _why(case: Case, found: Weighed) -> str:
    """Return why the results of a step may have other numbers than before; "" if they have not."""
    sources = next(
        (lanes.why for lanes in case.lanes.values() if lanes.why and lanes.old is not None), ""
    )
    if case.new.op != "concat":
        sources = next((lanes.why for lanes in case.lanes.values() if lanes.why), "")
        if not sources and case.old.operands.keys() != case.new.operands.keys():
            sources = f"{case.new.place} has other sources"
    if sources or found.why:
        return sources or found.why
    if case.new.op == "random" or _is_drawn(case.new.leaf):
        return f"{case.new.place} draws random numbers"
    if case.old.key == case.new.key:
        return ""
    if case.new.leaf is None or case.old.leaf is None or case.old.when != case.new.when:
        return f"{case.new.place} changed"
    for name, (was, now) in _options(case).items():
        if comparable(was) != comparable(now):
            return f"{case.new.place} has another value of {name}"
    return ""


def _is_drawn(leaf: Leaf | None) -> bool:
    """Return whether each new model draws the numbers of a buffer, which no state_dict has."""
    if leaf is None or leaf.name != "buffer" or leaf.options.get("persistent", True):
        return False
    init: object = leaf.options.get("init")
    name = next(iter(init), None) if isinstance(init, Mapping) else init
    return name in _DRAWN


_DRAWN = ("normal", "uniform", "trunc_normal", "xavier_normal", "xavier_uniform") + (
    ("kaiming_normal", "kaiming_uniform", "orthogonal", "sparse")
)


def _options(case: Case) -> dict[str, tuple[object, object]]:
    old, new = without_sizes(case)
    return {name: (old.get(name), new.get(name)) for name in {**old, **new}}
