"""Run every test of this folder with both YAML parsers."""

from __future__ import annotations

import pytest
import yaml

from mimgraph.language import yaml_reader

PARSERS = [
    pytest.param(yaml.BaseLoader, id="pure"),
    pytest.param(
        getattr(yaml, "CBaseLoader", None),
        id="libyaml",
        marks=pytest.mark.skipif(not yaml.__with_libyaml__, reason="libyaml is absent"),
    ),
]


@pytest.fixture(params=PARSERS, autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_reader, "PARSER", request.param)
