"""Fixtures of the importer's tests: the layers that an import registers are gone after a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mimgraph.importer.python_layers.layer import PythonOp
from mimgraph.ops import registry


@pytest.fixture(autouse=True)
def registered_layers() -> Iterator[None]:
    """Remove the layers that a test registered, so that their names do not depend on other tests."""
    yield
    layers = registry._OPS["layer"]
    for name in [name for name, op in layers.items() if isinstance(op, PythonOp)]:
        del layers[name]
