"""The keys of a spec, and the names that it may give: what can become an attribute of a module."""

from __future__ import annotations

import keyword
from functools import lru_cache

# the keys of the parts of a spec
TOP = ("mimgraph", "name", "doc", "params", "inputs", "blocks", "nodes", "outputs")
INPUT = ("shape", "dtype", "vocab", "doc", "optional")
BLOCK = ("params", "inputs", "nodes", "outputs", "seq", "doc")
ITEM = ("take", "activation", "freeze", "repeat")
REPEAT = ("times", "shared", "with")
OUTPUT = ("from", "only", "doc")  # of the graph
BLOCK_OUTPUT = ("from",)

# the keys of a node: no block may have such a param
OPS = ("layer", "merge", "seq", "block", "share", "parameter", "buffer", "arange")
NODE_WORDS = ("from", "each", "with", "take", "activation", "freeze", "repeat", *OPS)

# what the emitted file itself uses: a param may bear any other name, as an argument shadows nothing
EMITTED = frozenset(
    [
        *("self", "torch", "nn", "F", "Tensor", "Self", "range", "super"),
        *("_ModuleDict", "_ParameterDict", "_present", "_sinusoid"),
        *("_weighted_mean", "_weighted_sum"),
    ]
)

# what nn.Module's instances use, beside every dunder
RESERVED = frozenset(
    [
        *("forward", "training", "T_destination", "call_super_init", "dump_patches", "add_module"),
        *("apply", "bfloat16", "buffers", "children", "compile", "cpu", "cuda", "double", "eval"),
        *("extra_repr", "float", "get_buffer", "get_extra_state", "get_parameter", "get_submodule"),
        *("half", "ipu", "load_state_dict", "modules", "mtia", "named_buffers", "named_children"),
        *("named_modules", "named_parameters", "parameters", "register_backward_hook"),
        *("register_buffer", "register_forward_hook", "register_forward_pre_hook"),
        *("register_full_backward_hook", "register_full_backward_pre_hook"),
        *("register_load_state_dict_post_hook", "register_load_state_dict_pre_hook"),
        *("register_module", "register_parameter", "register_state_dict_post_hook"),
        *("register_state_dict_pre_hook", "requires_grad_", "set_extra_state", "set_submodule"),
        *("share_memory", "state_dict", "to", "to_empty", "train", "type", "xpu", "zero_grad"),
    ]
)
PRIVATE = frozenset(
    [
        *("_apply", "_buffers", "_parameters", "_modules", "_call_impl", "_compiled_call_impl"),
        *("_get_backward_hooks", "_get_backward_pre_hooks", "_get_name", "_backward_hooks"),
        *("_backward_pre_hooks", "_forward_hooks", "_forward_pre_hooks"),
        *("_forward_hooks_always_called", "_forward_hooks_with_kwargs"),
        *("_forward_pre_hooks_with_kwargs", "_is_full_backward_hook", "_load_from_state_dict"),
        *("_load_state_dict_post_hooks", "_load_state_dict_pre_hooks"),
        *("_maybe_warn_non_full_backward_hook", "_named_members", "_non_persistent_buffers_set"),
        *("_register_load_state_dict_pre_hook", "_register_state_dict_hook"),
        *("_replicate_for_data_parallel", "_save_to_state_dict", "_slow_forward"),
        *("_state_dict_hooks", "_state_dict_pre_hooks", "_version", "_wrapped_call_impl"),
    ]
)


@lru_cache(maxsize=4096)
def name_fault(name: str) -> str | None:
    """Why `name` cannot be the name of an input, node, block or size; None if it can."""
    if (reason := param_fault(name)) is not None:
        return reason
    if name in RESERVED:
        return "the emitted module already uses this name"
    if name in PRIVATE:
        return "nn.Module already uses this name"
    return None


def port_fault(name: str) -> str | None:
    """Why `name` cannot be one of the ports that an `each` names; None if it can.

    The parts of a `Split` are numbers, and so are the ports of an `each` of them.
    """
    if not (name.isascii() and (name.isidentifier() or name.isdecimal())):
        return "a name is letters, digits and underscores, and starts with no digit"
    return "names with two leading underscores are Python's" if name.startswith("__") else None


def param_fault(name: str) -> str | None:
    """Why `name` cannot be the name of a param; None if it can."""
    if not (name.isascii() and name.isidentifier()):
        return "a name is letters, digits and underscores, and starts with no digit"
    if keyword.iskeyword(name):
        return "a Python keyword"
    if name.startswith("__"):
        return "names with two leading underscores are Python's"
    return "the emitted file already uses this name" if name in EMITTED else None
