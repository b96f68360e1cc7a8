"""Choose the attribute for a node in the emitted class: its name, unless torch uses that itself.

`nn.Module` has a method `half`, and what `torch.export` makes has a `code`: such a node becomes the
attribute `half_`, while its keys in the `state_dict` keep the name.
"""

from __future__ import annotations

from collections.abc import Collection

from mimgraph.ir.code import Attribute, Code
from mimgraph.ir.typed_operations import TypedOperation

MODULE = frozenset(  # what every nn.Module has, beside dunders
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
EXPORTED = frozenset(  # what the modules have that torch.fx and torch.export make of one
    [
        *("self", "Self", "add_submodule", "adapted", "arg_names", "check_input_constraints"),
        *("code", "delete_all_unused_submodules", "delete_submodule", "equality_constraints"),
        *("finalize", "flat_args_adapter", "graph", "graph_module", "graph_signature"),
        *("input_placeholders", "ivals", "meta", "module_call_graph", "print_readable"),
        *("process_forward_inputs", "range_constraints", "recompile", "shape_env", "to_folder"),
        *("type_name", "validate_inputs", "_adapt_flat_args", "_boxed_call", "_code"),
        *("_create_node_hooks", "_deepcopy_hooks", "_deepcopy_init", "_dispatch_modules"),
        *("_erase_node_hooks", "_graph", "_guards_fn", "_in_spec", "_lineno_map", "_out_spec"),
        *("_print_graph", "_prologue_start", "_recompile_submodules", "_register_create_node_hook"),
        *("_register_deepcopy_hook", "_register_erase_node_hook", "_register_replace_node_hook"),
        *("_replace_hooks", "_run_with_interpreter", "_set_replace_hook", "_tracer_cls"),
        *("_tracer_extras", "_ty", "_unregister_create_node_hook", "_unregister_deepcopy_hook"),
        *("_unregister_erase_node_hook", "_unregister_replace_node_hook", "_wrapped_call"),
    ]
)
# `_attributes` is where a `_Keyed` of the emitted file keeps the names
TAKEN = MODULE | EXPORTED | {"_attributes"}


def attribute(name: str, names: Collection[str]) -> str:
    """Return the attribute of the node called `name`, one of the `names` of its class."""
    found = name
    while found in TAKEN or (found != name and found in names):
        found += "_"
    return found


def renamed(names: Collection[str]) -> dict[str, str]:
    """Return the attributes of the nodes that cannot be called by their names, by these names."""
    return {name: attribute(name, names) for name in names if name in TAKEN}


def part_code(module: Code, operation: TypedOperation, key: str) -> Code:
    """Return the code that reads what the module of an operation keeps under a key.

    Such as `chain[0]`, `dict["city"]` and `block.conv`; under "" a block's module keeps itself.
    """
    if not key:
        return module
    is_in_chain = operation.bodies and key.isdecimal() and not operation.key(0)
    if operation.is_list or is_in_chain:
        return module.at(int(key))
    if operation.bodies and not operation.key(0):
        return Attribute(module, attribute(key, operation.bodies[0].by_name))
    return module.at(key)


def tensor(code: Code, path: str) -> Code:
    """Return a tensor of a module by its dotted name: `self.encoder.layers[0].norm1.weight`."""
    for part in path.split("."):
        code = code.at(int(part)) if part.isdecimal() else Attribute(code, part)
    return code
