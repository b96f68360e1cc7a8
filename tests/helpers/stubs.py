"""Write the type stubs of the layers and merges, which editors and type checkers read."""

from __future__ import annotations

import subprocess
import textwrap
from inspect import Signature
from pathlib import Path

import mimgraph
from mimgraph.ops import registry
from mimgraph.ops.op import Op
from mimgraph.ops.python_text import on_sources, with_options
from mimgraph.ops.registry import LIBRARIES
from tests.emit.test_golden import RUFF

FILES = {kind: Path(mimgraph.__file__).with_name(f"{kind}s.pyi") for kind in ("layer", "merge")}

_HEAD = '''\
"""Written from the registry by `pytest tests/test_stubs.py --rewrite`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, overload

from mimgraph.builder.tensor import Tensor
from mimgraph.ir.dim import Size
from mimgraph.ops.layer_call import Activation, LayerCall, MergeCall
from mimgraph.ops.registry import Library
'''


def stub(kind: str) -> str:
    """Return the stub file of the layers or merges."""
    definitions = [_definition(op) for _, op in sorted(registry.ops(kind).items())]
    models = [f"{library}: Library" for library in LIBRARIES if kind == "layer"]
    unformatted = "\n".join([_HEAD, *models, *definitions])
    with_used_imports = _ruff(unformatted, "check", "--fix", "--select", "F401", "--quiet")
    return _ruff(with_used_imports, "format", "--line-length", "100")


def _ruff(text: str, *command: str) -> str:
    arguments = [str(RUFF), *command, "--isolated", "--stdin-filename", "stub.pyi", "-"]
    done = subprocess.run(arguments, input=text, capture_output=True, text=True, check=True)
    return done.stdout


def _definition(op: Op) -> str:
    if op.kind == "layer":
        return _function(op, with_options(op), _docstring(op))
    applied = _function(op, on_sources(op), _docstring(op))
    unapplied = _function(op, with_options(op), "...")
    if op.inputs.kind == "named":  # any keyword may be a source, so the call without one is first
        unapplied = unapplied.replace("(", "(  # type: ignore[overload-overlap]\n", 1)
        return f"@overload\n{unapplied}\n@overload\n{applied}"
    return f"@overload\n{applied}\n@overload\n{unapplied}"


def _function(op: Op, signature: Signature, body: str) -> str:
    return f"def {op.name}{signature}:\n    {body}\n"


def _docstring(op: Op) -> str:
    text = textwrap.indent(op.__doc__ or "", "    ").strip()
    return f'"""{text}\n    """' if "\n" in text else f'"""{text}"""'
