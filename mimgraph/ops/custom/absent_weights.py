"""Make modules that load weights from files of torch.hub, without the files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

import torch
import torch.hub
from torch import nn

_absent = ContextVar("absent", default=False)


@contextmanager
def absent_weights() -> Iterator[None]:
    """Let torch.hub download nothing, and files that are not there hold no tensors: so a module is made
    with the weights that it has before it loads others, whose shapes are the same."""
    load, load_state_dict = torch.load, nn.Module.load_state_dict
    download = torch.hub.download_url_to_file

    def no_download(*args: Any, **keywords: Any) -> None:
        if not _absent.get():  # another thread's
            download(*args, **keywords)

    def load_what_is_there(file: Any, *args: Any, **keywords: Any) -> Any:
        is_path = isinstance(file, str | os.PathLike)
        if _absent.get() and is_path and not os.path.exists(file):
            return {}
        return load(file, *args, **keywords)

    def keep(self: nn.Module, state: Any, *args: Any, **keywords: Any) -> Any:
        if _absent.get() and not state:
            return load_state_dict(self, self.state_dict(), assign=True)
        return load_state_dict(self, state, *args, **keywords)

    token = _absent.set(True)
    try:
        with (
            patch.object(torch.hub, "download_url_to_file", no_download),
            patch.object(torch, "load", load_what_is_there),
            patch.object(nn.Module, "load_state_dict", keep),
        ):
            yield
    finally:
        _absent.reset(token)
