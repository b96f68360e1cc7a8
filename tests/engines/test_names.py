"""Every engine takes a model whose nodes, inputs or params have names that torch, Python or the source uses.

`ROLES` lists the uses of a name. CI tries a model with eleven such names, and a few names alone; the
nightly run tries all, a hundred at once and each alone, to find the one that fails.
"""

from __future__ import annotations

import builtins
import copy
import keyword
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, fx, nn
from torch.export.unflatten import InterpreterModule, UnflattenedModule

import mimgraph as mg
from mimgraph.emit.attributes import TAKEN
from mimgraph.ir.names import EMITTED, name_fault
from mimgraph.runtime.runner import seeded_inputs
from tests.engines.models import assert_close, nightly
from tests.helpers.reserved_names import KEYS, RESERVED, ROLES, check_keys, columns

pytestmark = [
    pytest.mark.filterwarnings("ignore:The tensor attributes"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.*:FutureWarning"),
]


def _names() -> Iterator[str]:
    """Return the names of attributes of modules, also after torch.fx and torch.export, and of Python."""
    module = nn.Linear(2, 2)
    for one in (module, fx.symbolic_trace(module), nn.ModuleDict(), nn.ParameterDict()):
        yield from (*dir(one), *vars(one))
    yield from (*dir(UnflattenedModule), *dir(InterpreterModule))
    yield from (*TAKEN, *EMITTED, *dir(builtins), *keyword.softkwlist)
    yield from ("none", "false_", "_3x3")  # their classes would be called None, False and 3x3
    yield from ("x", "y", "args", "kwargs", "layer", "block", "l", "I", "O", "half_", "F_")


# Other names in the specs below; and `fx_pytree`, which torch cannot export as an argument.
OTHERS = {"source", "result", "inside", "each", "total", "fx_pytree"}
NAMES = sorted({name for name in _names() if name_fault(name) is None} - OTHERS)


def check(model: nn.Module, graph: mg.Graph, strict: bool | None = None) -> None:
    """Check that every engine takes the model; it is exported strictly and not, each with a None."""
    given: Mapping[str, Tensor] = seeded_inputs(graph.typed, 3, 0, {})
    expected = model(**given)
    assert graph.compile().load_state_dict(model.state_dict()).missing_keys == []
    for same in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_close(same(**given), expected)
    for same in (model.half().float(), model.type(torch.float64).float(), model.train().eval()):
        assert same is model
        assert {p.dtype for p in model.parameters()} <= {torch.float32}
    expected = model(**given)
    for one in (False, True) if strict is None else (strict,):
        program = torch.export.export(model, (), dict(given), strict=one)
        assert_close(program.module()(**given), expected)
        assert_close(torch.export.unflatten(program)(**given), expected)
    assert_close(fx.symbolic_trace(model)(**given), expected)
    weights = dict(model.named_parameters())
    assert_close(torch.func.functional_call(model, weights, (), dict(given)), expected)
    torch._dynamo.reset()
    assert_close(torch.compile(model, backend="eager", fullgraph=True)(**given), expected)


HUNDREDS = [NAMES[start : start + 100] for start in range(0, len(NAMES), 100)]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "names",
    [
        pytest.param([*RESERVED], id="those of the issue"),
        *(nightly(some, name=f"from {some[0]}") for some in HUNDREDS),
    ],
)
def test_a_model_with_all_reserved_names(names: list[str], role: str) -> None:
    graph = mg.loads(ROLES[role](names))
    model = graph.compile()
    if role in KEYS:
        check_keys(model, names, KEYS[role])
    check(model, graph)


@pytest.mark.parametrize(
    "name", [nightly(name, unless=index % 50 == 0) for index, name in enumerate(NAMES)]
)
def test_a_model_with_one_reserved_name(name: str) -> None:
    names = [name, "beside", "more"]  # a role that cannot have the name still has two
    for role, spec in ROLES.items():
        graph = mg.loads(spec(names))
        model = graph.compile()
        if role in KEYS:
            check_keys(model, names, KEYS[role])
        check(model, graph, strict=False)


def test_an_emitted_file_is_imported_and_pickled(tmp_path: Path) -> None:
    """The file works alone, without mimgraph."""
    (tmp_path / "named.py").write_text(mg.loads(columns(["half", "items", "fc"])).source())
    script = (
        "import copy, pickle, sys, torch, named\n"
        "model = pickle.loads(pickle.dumps(copy.deepcopy(named.Model())))\n"
        "assert list(model.state_dict()) == [f'each.{n}.{p}' for n in ('half', 'items', 'fc')"
        " for p in ('weight', 'bias')]\n"
        "model.load_state_dict(named.Model().state_dict())\n"
        "assert model(source=torch.zeros(3, 2)).shape == (3, 2)\n"
        "assert 'mimgraph' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
