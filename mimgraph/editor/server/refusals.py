"""Name the code of an answer that says why a request, such as a rename, is refused."""

from __future__ import annotations

from lsprotocol.types import LSPErrorCodes

REQUEST_FAILED = LSPErrorCodes.RequestFailed.value
