"""Leave functions out of torch.compile, without importing torch._dynamo."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from torch._C._dynamo import eval_frame
from torch._C._dynamo.eval_frame import _FrameAction, _FrameExecStrategy

Function = TypeVar("Function", bound=Callable[..., object])


def uncompiled(function: Function) -> Function:
    """Let torch.compile run a function in Python, and compile the functions that it calls.

    `torch._dynamo.eval_frame.skip_code` does the same, but takes as long to import as torch.
    """
    strategy = _FrameExecStrategy(_FrameAction.SKIP, _FrameAction.DEFAULT)
    eval_frame.set_code_exec_strategy(function.__code__, strategy)
    return function
