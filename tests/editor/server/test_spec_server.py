"""The log of the server has what went wrong, and no answer that only refuses."""

from __future__ import annotations

import logging

import pytest
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from mimgraph.editor.server.handlers.navigation import REQUEST_FAILED
from mimgraph.editor.server.spec_server import SpecServer
from tests.helpers.cases import each


@each(
    "error, is_logged",
    [
        (JsonRpcException("y is a node already", REQUEST_FAILED), False),
        (JsonRpcInvalidParams(), False),
        (ValueError("odd"), True),
    ],
)
def test_what_is_logged(
    caplog: pytest.LogCaptureFixture, error: Exception, is_logged: bool
) -> None:
    SpecServer().report_server_error(error, type(error))
    assert bool(caplog.records) == is_logged
    caplog.clear()
    logging.getLogger("pygls.protocol.json_rpc").error("failed", exc_info=error)
    assert bool(caplog.records) == is_logged
