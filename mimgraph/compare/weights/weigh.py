"""Choose for a layer with weights the old positions of each tensor, so that its old outputs stay equal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from mimgraph.compare.weights.lanes import Case, Moved, by_shape
from mimgraph.ir.lowering import Module
from mimgraph.ir.tensor_copy import Along, Positions, repeated, resized, scaled

Axes: TypeAlias = Mapping[int, Along]
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}  # stacked in one tensor
DIRECTION = "parametrizations.weight.original1"  # of weight_norm, and its magnitude
MAGNITUDE = "parametrizations.weight.original0"


@dataclass(frozen=True, slots=True)
class Weighed:
    """What became of the axes of each tensor, what moved in each result, and `why` the numbers may differ.

    A tensor that is not here is carried if its shape is as before. The ports in `moved` are known.
    """

    axes: Mapping[str, Axes] = field(default_factory=dict)
    moved: Mapping[str, Moved | None] = field(default_factory=dict)
    why: str = ""


def weighed(case: Case, modules: tuple[Module, Module]) -> Weighed:
    """Return what becomes of the tensors of a layer, given what moved in its sources."""
    rule = _RULES.get(case.new.op)
    return Weighed() if rule is None else rule(case, modules)


def _columns(case: Case, operand: str, axis: int, old: int, new: int) -> Positions | None:
    """Return the positions of the inputs of a layer: those that moved on an axis of a source, else those at
    its start; None if they are as before."""
    lanes = case.lanes.get(operand)
    if lanes is not None and lanes.moved is not None:
        rank = len(case.shapes(operand)[1])
        if lanes.moved.axis == axis % rank:
            return lanes.moved.positions
    return _rows(old, new)


def _rows(old: int, new: int) -> Positions | None:
    """Return the positions of the outputs of a layer; None if they are as before."""
    return None if old == new else resized(old, new)


def _along(**axes: Along | Positions | None) -> Axes:
    """Return axes by number, `_0=rows`, without those that are as before."""
    return {
        int(name[1:]): along if isinstance(along, Along) else Along(along)
        for name, along in axes.items()
        if along is not None
    }


def _zero(positions: Positions | None) -> Along | None:
    """Return positions with zeros for the new ones, so that new inputs do not count."""
    return None if positions is None else Along(positions, zero=True)


def _result(case: Case, axis: int, rows: Positions | None, operand: str = "input") -> Moved | None:
    """Return what moved in a result: its outputs, or another axis than the inputs."""
    if rows is not None:
        return Moved(axis, rows)
    lanes = case.lanes.get(operand)
    return lanes.moved if lanes is not None and lanes.moved and lanes.moved.axis != axis else None


def _is_twice(case: Case, axis: int, rows: Positions | None, operand: str = "input") -> bool:
    """Return whether outputs moved, and another axis too."""
    return rows is not None and _result(case, axis, None, operand) is not None


def _last(case: Case, operand: str = "input") -> int:
    return len(case.shapes(operand)[1]) - 1


# --- linear layers and convolutions ------------------------------------------------------------


def _linear(case: Case, modules: tuple[Module, Module]) -> Weighed:
    (out, columns), (new_out, new_columns) = (_matrix(m)[:2] for m in modules)
    axis = _last(case)
    rows = _rows(out, new_out)
    inputs = _columns(case, "input", -1, columns, new_columns)
    axes = _with_norm(case, _along(_0=rows, _1=_zero(inputs)))
    why = _both(case) if _is_twice(case, axis, rows) else ""
    return Weighed({**axes, "bias": _along(_0=rows)}, {"": _result(case, axis, rows)}, why)


def _matrix(module: Module) -> tuple[int, ...]:
    found = module.weights.get("weight") or module.weights.get(DIRECTION)
    if found is None:
        found = module.weights["parametrizations.weight.original"]
    return found


def _with_norm(case: Case, axes: Axes) -> dict[str, Axes]:
    """Return the axes of a weight, and of the direction and magnitude that stand for it in weight_norm."""
    found: dict[str, Axes] = {"weight": axes}
    given = [options.get("weight_norm") for options in case.options()]
    dims = [one.get("dim", 0) if isinstance(one, Mapping) else 0 for one in given]
    if all(given) and dims == [0, 0]:  # a zero beside a direction does not change its length
        found |= {DIRECTION: axes, MAGNITUDE: {k: v for k, v in axes.items() if k == 0}}
    return found


def _both(case: Case) -> str:
    return f"{case.new.place} changed on two axes"


def _conv(case: Case, modules: tuple[Module, Module]) -> Weighed:
    (old, new), (groups, new_groups) = map(_matrix, modules), (_groups(m) for m in modules)
    inputs, new_inputs = old[1] * groups, new[1] * new_groups
    if groups == new_groups == 1:
        rows = _rows(old[0], new[0])
        columns = _columns(case, "input", 1, inputs, new_inputs)
        axes = _with_norm(case, _along(_0=rows, _1=_zero(columns)))
        why = _both(case) if _is_twice(case, 1, rows) else ""
    elif (groups, new_groups) == (inputs, new_inputs) and old[0] * new[1] * new_groups == new[
        0
    ] * inputs:
        columns = _columns(case, "input", 1, inputs, new_inputs)
        rows = None if columns is None else scaled(columns, old[0] // inputs)
        axes, why = _with_norm(case, _along(_0=rows)), ""
    else:
        return Weighed(moved={"": _result(case, 1, _rows(old[0], new[0]))}, why=_grouped(case))
    return Weighed({**axes, "bias": _along(_0=rows)}, {"": _result(case, 1, rows)}, why)


def _groups(module: Module) -> int:
    found = module.argument("groups")
    return found if isinstance(found, int) else 1


def _grouped(case: Case) -> str:
    """Return why a layer with groups is not followed, if something moved in it."""
    moved = any(lanes.moved is not None for lanes in case.lanes.values())
    changed = case.old.key != case.new.key
    return f"{case.new.place} has groups of channels" if moved or changed else ""


def _conv_transpose(case: Case, modules: tuple[Module, Module]) -> Weighed:
    old, new = map(_matrix, modules)
    if any(_groups(module) != 1 for module in modules):
        count = old[1] * _groups(modules[0]), new[1] * _groups(modules[1])
        return Weighed(moved={"": _result(case, 1, _rows(*count))}, why=_grouped(case))
    rows, columns = _rows(old[1], new[1]), _columns(case, "input", 1, old[0], new[0])
    axes = {"weight": _along(_0=_zero(columns), _1=rows), "bias": _along(_0=rows)}
    why = _both(case) if _is_twice(case, 1, rows) else ""
    return Weighed(axes, {"": _result(case, 1, rows)}, why)


def _bilinear(case: Case, modules: tuple[Module, Module]) -> Weighed:
    old, new = (module.weights["weight"] for module in modules)
    rows = _rows(old[0], new[0])
    keys = list(case.new.operands) or ["", ""]
    inputs = [_columns(case, key, -1, old[i], new[i]) for i, key in enumerate(keys, 1)]
    axes = {"weight": _along(_0=rows, _1=_zero(inputs[0]), _2=_zero(inputs[1]))}
    moved = Moved(_last(case, keys[0]), rows) if rows is not None else None
    return Weighed({**axes, "bias": _along(_0=rows)}, {"": moved})


# --- norms -------------------------------------------------------------------------------------


def _norm_of_channels(case: Case, modules: tuple[Module, Module]) -> Weighed:
    """Carry each channel with its own statistics, which other channels do not change."""
    sizes = [_channels(module) for module in modules]
    positions = None if 0 in sizes else _columns(case, "input", 1, *sizes)
    names = ("weight", "bias", "running_mean", "running_var")
    passed = case.first.moved if case.lanes else None
    return Weighed({name: _along(_0=positions) for name in names}, {"": passed})


def _channels(module: Module) -> int:
    tensors = {**module.weights, **module.buffers}
    return next((shape[0] for shape in tensors.values() if shape), 0)


def _norm_of_all(case: Case, modules: tuple[Module, Module]) -> Weighed:
    """Carry the weights of all positions; new positions change the mean of all, and so the result."""
    shapes = [module.weights.get("weight", ()) for module in modules]
    axis = 1 if case.new.op == "GroupNorm" else -1
    moved = case.first.moved if case.lanes else None
    axes: dict[str, Axes] = {}
    if all(len(shape) == 1 for shape in shapes):
        positions = _columns(case, "input", axis, shapes[0][0], shapes[1][0])
        axes = {name: _along(_0=positions) for name in ("weight", "bias")}
    rank, normalized = _last(case) + 1, max(map(len, shapes)) or 1
    first = 1 if case.new.op == "GroupNorm" else rank - normalized
    why = f"{case.new.place} normalizes the new positions too"
    return Weighed(axes, {"": moved}, why if moved is not None and moved.axis >= first else "")


def _prelu(case: Case, modules: tuple[Module, Module]) -> Weighed:
    old, new = (module.weights["weight"][0] for module in modules)
    moved = case.first.moved if case.lanes else None
    if old == new == 1:
        return Weighed(moved={"": moved})
    axes = {"weight": _along(_0=_columns(case, "input", 1, old, new))}
    return Weighed(axes, {"": moved})


# --- sequences ---------------------------------------------------------------------------------


def _embedding(case: Case, modules: tuple[Module, Module]) -> Weighed:
    (rows, width), (new_rows, new_width) = (module.weights["weight"] for module in modules)
    columns = _rows(width, new_width)
    axes = {"weight": _along(_0=_rows(rows, new_rows), _1=columns)}
    shape = case.result_shapes(case.new.default or "")[1]
    moved = None if columns is None else Moved(len(shape) - 1, columns)
    limits = columns is not None and case.options()[1].get("max_norm") is not None
    why = f"{case.new.place} limits the norm of longer rows" if limits else ""
    return Weighed(axes, {case.new.default or "": moved}, why)


def _recurrent(case: Case, modules: tuple[Module, Module]) -> Weighed:
    """Lengthen each of the stacked gates by itself; old units do not read new ones."""
    (hidden, out, sides, layers), (new_hidden, new_out, _, _) = map(_run, modules)
    if [_run(module)[2:] for module in modules] != [(sides, layers)] * 2:
        return Weighed(why=f"{case.new.place} has other layers or directions")
    gates = GATES[case.new.op]
    units, outputs = _rows(hidden, new_hidden), _rows(out, new_out)
    rows = None if units is None else repeated(units, gates, hidden)
    both = None if outputs is None else repeated(outputs, sides, out)
    old, new = (module.weights["weight_ih_l0"][1] for module in modules)
    axes: dict[str, Axes] = {}
    for layer in range(layers):
        columns = _columns(case, "input", -1, old, new) if layer == 0 else both
        for side in ("", "_reverse")[:sides]:
            end = f"l{layer}{side}"
            axes |= {
                f"weight_ih_{end}": _along(_0=rows, _1=_zero(columns)),
                f"weight_hh_{end}": _along(_0=rows, _1=_zero(outputs)),
                f"weight_hr_{end}": _along(_0=outputs, _1=_zero(units)),
                f"bias_ih_{end}": _along(_0=rows),
                f"bias_hh_{end}": _along(_0=rows),
            }
    moved = {
        "output": _result(case, 2, both),
        "last": None if both is None else Moved(1, both),
        "hidden": None if outputs is None else Moved(2, outputs),
        "cell": None if units is None else Moved(2, units),
    }
    if hidden == out and new_hidden == new_out:
        moved["state"] = moved["hidden"]
    why = _state_fault(case, ("state", "hidden", "cell"), moved["hidden"])
    return Weighed(axes, moved, why)


def _run(module: Module) -> tuple[int, int, int, int]:
    """Return the sizes of the state and of the output, the number of directions and that of layers."""
    first = module.weights["weight_hh_l0"]
    hidden, out = int(module.arguments["hidden_size"]), first[1]
    sides = 2 if "weight_hh_l0_reverse" in module.weights else 1
    layers = sum(1 for name in module.weights if name.startswith("weight_hh") and "rev" not in name)
    return hidden, out, sides, layers


def _state_fault(case: Case, names: Iterable[str], moved: Moved | None) -> str:
    """Return why a given state does not fit, if its positions did not move as the units did."""
    for name in names:
        if name in case.lanes and case.lanes[name].moved != moved:
            return f"the {name} of {case.new.place} has other positions"
    return ""


def _cell(case: Case, modules: tuple[Module, Module]) -> Weighed:
    (_, inputs), (_, new_inputs) = (module.weights["weight_ih"] for module in modules)
    hidden, new_hidden = (module.weights["weight_hh"][1] for module in modules)
    units = _rows(hidden, new_hidden)
    rows = (
        None if units is None else repeated(units, GATES[case.new.op.removesuffix("Cell")], hidden)
    )
    axes = {
        "weight_ih": _along(_0=rows, _1=_zero(_columns(case, "input", -1, inputs, new_inputs))),
        "weight_hh": _along(_0=rows, _1=_zero(units)),
        "bias_ih": _along(_0=rows),
        "bias_hh": _along(_0=rows),
    }
    moved = None if units is None else Moved(1, units)
    why = _state_fault(case, ("hidden", "cell"), moved)
    return Weighed(axes, dict.fromkeys(("", "hidden", "cell"), moved), why)


def _attention(case: Case, modules: tuple[Module, Module]) -> Weighed:
    """Add heads of the same size, whose results count nothing; heads of another size start anew."""
    sizes = [(int(m.arguments["embed_dim"]), int(m.arguments["num_heads"])) for m in modules]
    (width, heads), (new_width, new_heads) = sizes
    joined = "in_proj_weight" in modules[1].weights
    keys = [key for key in ("query", "key", "value") if key in case.new.operands] or [""]
    moved = [_columns(case, key, -1, width, new_width) for key in keys]
    if width * new_heads != new_width * heads or (joined and len(set(moved)) > 1):
        return Weighed(why=f"the heads of {case.new.place} have another size")
    rows = _rows(width, new_width)
    thrice = None if rows is None else repeated(rows, 3, width)
    axes: dict[str, Axes] = {
        "in_proj_weight": _along(_0=thrice, _1=_zero(moved[0])),
        "in_proj_bias": _along(_0=thrice),
        "out_proj.weight": _along(_0=moved[0], _1=_zero(rows)),
        "out_proj.bias": _along(_0=moved[0]),
        **{f"{name}_proj_weight": one for name, one in _apart(case, modules, keys, rows)},
    }
    for name in ("bias_k", "bias_v"):
        axes[name] = _along(_2=rows)
    result = None if moved[0] is None else Moved(_last(case, keys[0]), moved[0])
    return Weighed(axes, {"output": result})


def _apart(
    case: Case, modules: tuple[Module, Module], keys: list[str], rows: Positions | None
) -> Iterator[tuple[str, Axes]]:
    """Yield the axes of the three projections, which are apart if their inputs differ in size."""
    for letter, key in zip("qkv", (keys * 3)[:3] if len(keys) < 3 else keys, strict=True):
        shapes = [module.weights.get(f"{letter}_proj_weight") for module in modules]
        if shapes[0] is not None and shapes[1] is not None:
            columns = _columns(case, key, -1, shapes[0][1], shapes[1][1])
            yield letter, _along(_0=rows, _1=_zero(columns))


def _transformer(case: Case, modules: tuple[Module, Module]) -> Weighed:
    """Cut or lengthen the hidden layer of each feed-forward network, whose units are independent."""
    axes: dict[str, Axes] = {}
    for name, shape in modules[1].weights.items():
        before = modules[0].weights.get(name)
        if before is None:
            continue
        if name.endswith(("linear1.weight", "linear1.bias")) and before[1:] == shape[1:]:
            axes[name] = _along(_0=_rows(before[0], shape[0]))
        elif name.endswith("linear2.weight") and before[0] == shape[0]:
            axes[name] = _along(_1=_zero(_rows(before[1], shape[1])))
    moved = [lanes.moved for lanes in case.lanes.values() if lanes.moved is not None]
    return Weighed(axes, why=f"{case.new.place} has another width" if moved else "")


def _tensor(case: Case, modules: tuple[Module, Module]) -> Weighed:
    """Cut or lengthen a learned tensor of the model itself on one axis."""
    old, new = (module.weights.get("") for module in modules)
    if old is None or new is None or (moved := by_shape(old, new)) is None:
        return Weighed()
    before, after = case.result_shapes("")
    return Weighed({"": {moved.axis: Along(moved.positions)}}, {"": by_shape(before, after)})


Rule = Callable[[Case, tuple[Module, Module]], Weighed]
_RULES: dict[str, Rule] = {
    "Linear": _linear,
    **dict.fromkeys(("Conv1d", "Conv2d", "Conv3d"), _conv),
    **dict.fromkeys(("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"), _conv_transpose),
    "Bilinear": _bilinear,
    **dict.fromkeys(("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"), _norm_of_channels),
    **dict.fromkeys(("SyncBatchNorm", "FrozenBatchNorm2d"), _norm_of_channels),
    **dict.fromkeys(("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"), _norm_of_channels),
    **dict.fromkeys(("LayerNorm", "RMSNorm", "GroupNorm"), _norm_of_all),
    "PReLU": _prelu,
    **dict.fromkeys(("Embedding", "EmbeddingBag"), _embedding),
    **dict.fromkeys(GATES, _recurrent),
    **dict.fromkeys(("LSTMCell", "GRUCell", "RNNCell"), _cell),
    "MultiheadAttention": _attention,
    "TransformerEncoderLayer": _transformer,
    "TransformerEncoder": _transformer,
    "TransformerDecoderLayer": _transformer,
    "TransformerDecoder": _transformer,
    "Transformer": _transformer,
    "parameter": _tensor,
}


def without_sizes(case: Case) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Return the options of both layers that decide how they compute, without sizes and what acts in training
    alone."""
    left_out = _SIZES | {"shape", "init"} if case.new.op == "parameter" else _SIZES
    first, second = (
        {name: value for name, value in options.items() if name not in left_out}
        for options in case.options()
    )
    return first, second


# options that are sizes, which tensors and results show
_SIZES = frozenset(
    (
        *("in_features", "in1_features", "in2_features", "out_features", "in_channels"),
        *("out_channels", "num_features", "groups", "num_embeddings", "embedding_dim"),
        *("input_size", "hidden_size", "proj_size", "embed_dim", "num_heads", "kdim", "vdim"),
        *("dim_feedforward", "d_model", "normalized_shape", "num_channels", "num_parameters"),
        # and those that act in training alone
        *("inplace", "momentum", "dropout", "sparse", "scale_grad_by_freq"),
    )
)
