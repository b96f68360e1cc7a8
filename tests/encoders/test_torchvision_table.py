"""The table of torchvision's classifiers says what torchvision says."""

from __future__ import annotations

import pytest
import torchvision

from mimgraph.encoders.torchvision import FILE, _table, models, release
from tests.helpers import torchvision_table

QUICK = ("alexnet", "squeezenet1_1")


def test_the_table_has_every_classifier() -> None:
    installed = tuple(map(int, torchvision.__version__.split(".")[:2]))
    known = torchvision_table.models()
    assert {*models()} <= {*known}
    assert installed != release() or models() == sorted(known)


def marked() -> list[object]:
    """Return all models: two are quick, CI takes one in ten, and a release all."""
    marks = {name: [pytest.mark.nightly] for name in models()}
    marks |= {name: [pytest.mark.slow] for name in models()[::10]} | {name: [] for name in QUICK}
    return [pytest.param(name, marks=found) for name, found in marks.items()]


@pytest.mark.parametrize("model", marked())
def test_every_entry_is_what_torchvision_gives(model: str) -> None:
    assert _table()["models"][model] == torchvision_table.entry(model)


def test_the_file_is_written_as_the_script_writes_it() -> None:
    assert FILE.read_text() == torchvision_table.written({**_table()})
