"""Write the type stubs of the layers and merges, which editors and type checkers read."""

from __future__ import annotations

import subprocess
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import mimgraph
from mimgraph.ir.declared.operations import BESIDE_FROM
from mimgraph.ir.dims.dim import Dim
from mimgraph.ops import registry
from mimgraph.ops.op import Op
from mimgraph.ops.signature import REQUIRED, OptionSpec
from tests.emit.test_golden import RUFF

FILES = {kind: Path(mimgraph.__file__).with_name(f"{kind}s.pyi") for kind in ("layer", "merge")}

_HEAD = '''\
"""Written from the registry by `pytest tests/test_stubs.py --rewrite`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, overload

from mimgraph.builder import Tensor
from mimgraph.ir.dims.dim import Size
from mimgraph.ops.layer_call import LayerCall

_Activation: TypeAlias = str | Mapping[str, object] | LayerCall | Callable[..., LayerCall]
'''


def stub(kind: str) -> str:
    """Return the stub file of the layers or merges."""
    definitions = [_definition(op) for _, op in sorted(registry.ops(kind).items())]
    unformatted = "\n".join([_HEAD, *definitions])
    with_used_imports = _ruff(unformatted, "check", "--fix", "--select", "F401", "--quiet")
    return _ruff(with_used_imports, "format", "--line-length", "100")


def _ruff(text: str, *command: str) -> str:
    arguments = [str(RUFF), *command, "--isolated", "--stdin-filename", "stub.pyi", "-"]
    done = subprocess.run(arguments, input=text, capture_output=True, text=True, check=True)
    return done.stdout


def _definition(op: Op) -> str:
    if op.kind == "layer":
        return _function(op, _layer(op), "LayerCall")
    overloads = [
        f"@overload\n{_function(op, _applied(op), 'Tensor')}",
        f"@overload\n{_head(op, _unapplied(op), 'LayerCall')} ...\n",
    ]
    if op.inputs.kind == "named":  # any keyword may be a source, so the call without one is first
        unapplied = overloads[1].replace("(\n", "(  # type: ignore[overload-overlap]\n", 1)
        overloads = [unapplied, overloads[0]]
    return "\n".join(overloads)


def _head(op: Op, parameters: list[str], result: str) -> str:
    lines = "".join(f"    {parameter},\n" for parameter in parameters)
    return f"def {op.name}(\n{lines}) -> {result}:"


def _function(op: Op, parameters: list[str], result: str) -> str:
    doc = op.doc.replace("\n", "\n    ").replace("\n    \n", "\n\n")
    closing = "\n    " if "\n" in doc else ""
    return f'{_head(op, parameters, result)}\n    """{doc}{closing}"""\n'


def _layer(op: Op) -> list[str]:
    """Return positional options, then keyword-only options, then the options that every node has."""
    positional = [_parameter(o) for o in op.options.values() if o.takes_lone]
    named = [_parameter(o) for o in op.options.values() if not o.takes_lone]
    beside = [f"{key}: Tensor = ..."] if (key := BESIDE_FROM.get(op.name)) else []
    return [*positional, "*", *named, *beside, *_words(op), "take: str | int = ..."]


def _applied(op: Op) -> list[str]:
    """Return the sources, as the merge takes them, then its options."""
    options = [_parameter(option) for option in op.options.values()]
    words = [*_words(op), "name: str | None = ..."]
    if op.inputs.kind == "many":
        return ["first: Tensor", "/", "*sources: Tensor", *options, *words]
    if op.inputs.kind == "named":
        first, rest = options[0], options[1:]
        return [
            first,
            "sources: Mapping[str, Tensor] = ...",
            "*",
            *rest,
            *words,
            "**named: Tensor | Size | float | None",
        ]
    sources = [
        f"{name}: Tensor" + (" | None = ..." if name in op.inputs.optional else "")
        for name in op.inputs.names
    ]
    return [*sources, "*", *options, *words]


def _unapplied(op: Op) -> list[str]:
    """Return the options of a merge that is called on its sources later."""
    options = [_parameter(option) for option in op.options.values()]
    if op.inputs.kind == "named":
        first, *rest = options
        return [first, "*", *rest, *_words(op), "take: str | int = ...", "**numbers: Size | float"]
    return ["*", *options, *_words(op), "take: str | int = ..."]


def _words(op: Op) -> list[str]:
    activation = [] if "activation" in op.options else ["activation: _Activation = ..."]
    return [*activation, "over: int = ...", "freeze: bool = ..."]


def _parameter(option: OptionSpec) -> str:
    required = option.default is REQUIRED and not option.inferred
    return f"{option.name}: {_type(option.annotation)}" + ("" if required else " = ...")


def _type(annotation: Any) -> str:
    """Return the annotation for a stub: without bounds, and with a sequence of any kind for a tuple."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return f"Literal[{', '.join(repr(a).replace(chr(39), chr(34)) for a in arguments)}]"
    if origin in (Union, types.UnionType):
        plain = [
            _type(a) for a in arguments if a is not Dim and not (Dim in arguments and a is int)
        ]
        if "float" in plain:  # an int is one to a type checker
            plain = [name for name in plain if name != "int"]
        return " | ".join(dict.fromkeys([*(["Size"] if Dim in arguments else []), *plain]))
    if origin is tuple:
        return f"Sequence[{_type(arguments[0])}]"
    if origin is dict:
        return f"Mapping[str, {_type(arguments[1])}]"
    if annotation is Any:
        return "Any"
    return "None" if annotation is type(None) else str(annotation.__name__)
