"""Tell whether `register` was called as a decorator, `@mg.register`, or as a function.

The two return different things: a decorator leaves the class as it is, so that `Gate(64)` stays a
module that other classes can inherit from or contain, while `Gate = mg.register(Gate)` returns the
layer, to be called on handles. To Python both are the call `register(Gate)`: no argument tells them
apart, and no object can be a layer and a class of modules at once. So this reads the byte-code of the
caller. `@mg.register(name=...)`, which has no class as its argument, does not need it.
"""

from __future__ import annotations

import dis
from types import FrameType


def is_decorator_call(caller: FrameType) -> bool:
    """Return whether the running call in this frame applies a decorator.

    Python compiles that to a call without arguments, as the class is on the stack already.
    """
    code, at = caller.f_code.co_code, caller.f_lasti
    while code[at] == dis.opmap["CACHE"]:
        at -= 2
    return code[at] == dis.opmap["CALL"] and code[at + 1] == 0
