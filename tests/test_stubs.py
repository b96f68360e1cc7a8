"""The stubs of the layers and merges match the registry."""

from __future__ import annotations

import pytest

from tests.helpers.stubs import FILES, stub

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", FILES)
def test_stubs_match_the_registry(kind: str, rewrite: bool) -> None:
    if rewrite:
        FILES[kind].write_text(stub(kind))
    assert FILES[kind].read_text() == stub(kind)
