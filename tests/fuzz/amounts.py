"""The number of examples: some by default, if any, more with `-m slow`, and with `-m nightly` new ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings


def amounts(some: int | None, more: int, most: int) -> pytest.MarkDecorator:
    """Parametrise a test by `amount`: Hypothesis settings with so many examples."""
    return pytest.mark.parametrize(
        "amount",
        [
            *([] if some is None else [pytest.param(_settings(some), id="some")]),
            pytest.param(_settings(more), id="more", marks=pytest.mark.slow),
            pytest.param(
                _settings(most, derandomize=False, print_blob=True),
                id="most",
                marks=pytest.mark.nightly,
            ),
        ],
    )


def _settings(examples: int, **others: Any) -> settings:
    return settings(max_examples=examples, suppress_health_check=list(HealthCheck), **others)
