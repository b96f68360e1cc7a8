"""Tell the table of agreement whether to be rewritten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gallery import agreement


@pytest.fixture(autouse=True)
def _rewriting(rewrite: bool) -> Iterator[None]:
    agreement.REWRITE.append(rewrite)
    yield
    agreement.REWRITE.pop()
