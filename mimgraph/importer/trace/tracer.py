"""Run a model once and record the modules and functions that it calls."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.nn.utils.rnn import PackedSequence
from torch.overrides import TorchFunctionMode

from mimgraph.importer.device import device_of, making_on
from mimgraph.importer.inputs.examples import keeping_attributes
from mimgraph.importer.inputs.model import Arguments
from mimgraph.importer.trace.aten import as_function
from mimgraph.importer.trace.leaves import is_leaf
from mimgraph.importer.trace.places import user_place
from mimgraph.importer.trace.records import (
    Call,
    Escape,
    Kind,
    Note,
    Packed,
    Step,
    Trace,
    Value,
    values,
)

# functions that return a Python number, bool or array, on which code can branch
ESCAPES = frozenset(
    [
        "item",
        "__bool__",
        "__int__",
        "__float__",
        "__index__",
        "__complex__",
        "tolist",
        "numpy",
        "__contains__",
        "equal",
        "allclose",
        "is_nonzero",
        "__format__",
        "__array__",
    ]
)
# what reads a fact about a tensor and makes none
FACTS = frozenset(
    [
        "get_shape",
        "get_device",
        "get_dtype",
        "size",
        "dim",
        "get_ndim",
        "get_is_cuda",
        "numel",
        "nelement",
        "get_requires_grad",
        "get_layout",
        "is_floating_point",
        "is_complex",
        "is_signed",
        "get_is_meta",
        "get_names",
        "stride",
        "is_contiguous",
        "data_ptr",
        "get_is_nested",
        "get_is_quantized",
        "get_grad_fn",
        "storage_offset",
        "untyped_storage",
        "get_is_cpu",
        "get_is_mps",
        "get_is_xpu",
        "get_is_sparse",
        "get_itemsize",
        "get_nbytes",
        "element_size",
        "__len__",
        "__hash__",
        "get_grad",
        "__repr__",
        "__str__",
        "is_pinned",
        "is_inference",
        "get_is_leaf",
        "get_retains_grad",
        "get_is_sparse_csr",
        "get_is_mkldnn",
        "get_is_vulkan",
        "get_is_ipu",
        "get_is_xla",
        "get_is_ort",
        "get_is_mtia",
        "get_is_maia",
        "ndimension",
        "get__version",
        "is_autocast_enabled",
        "requires_grad_",
        "is_conj",
        "is_neg",
        "has_names",
    ]
)
IN_PLACE = frozenset(
    [
        "__iadd__",
        "__isub__",
        "__imul__",
        "__itruediv__",
        "__ifloordiv__",
        "__imod__",
        "__ipow__",
        "__iand__",
        "__ior__",
        "__ixor__",
        "__setitem__",
    ]
)
RANDOM = ("rand", "dropout", "bernoulli", "normal", "multinomial", "exponential_", "uniform_")
# what reads the sizes of its first argument, and no value
SIZES_ALONE = frozenset(
    [
        "zeros_like",
        "ones_like",
        "full_like",
        "empty_like",
        "new_zeros",
        "new_ones",
        "new_full",
        "new_empty",
        "new_tensor",
    ]
)


def run(
    model: nn.Module,
    arguments: Arguments,
    inputs: Mapping[str, Tensor],
    opaque: Mapping[str, str],
    seed: int = 0,
) -> Trace:
    """Run the model without gradients and return what it did.

    `inputs` are the tensors among the arguments, by the names that they get; `opaque` has for each path
    of a module that is not to be looked into the reason.
    """
    tracer = Tracer(model, inputs, opaque)
    torch.manual_seed(seed)
    random.seed(seed)
    device = device_of(model)
    with (
        keeping_attributes(model),
        torch.no_grad(),
        making_on(device),
        tracer.modules_watched(),
        tracer,
    ):
        model(*arguments.args, **arguments.kwargs)
    assert tracer.root is not None
    return Trace(tracer.root, tracer.inputs, tracer.escapes, tracer.notes, tracer.weights)


class Tracer(TorchFunctionMode):
    """Records functions of torch as steps, and, while modules are watched, calls of modules."""

    def __init__(
        self, model: nn.Module, inputs: Mapping[str, Tensor], opaque: Mapping[str, str]
    ) -> None:
        super().__init__()
        self.opaque = opaque
        self.root: Call | None = None
        self.open: list[Call] = []
        self.escapes: list[Escape] = []
        self.notes: list[Note] = []
        self._hidden = 0  # inside of what is recorded already
        self._count = 0
        self._by_id: dict[int, Value] = {}
        self._kept: list[Tensor] = []  # so that no id is used twice
        self._stale: dict[int, str] = {}  # values that an operation on another view changed
        self._by_storage: dict[int, list[tuple[Tensor, Value]]] = {}
        self._paths = {id(module): path for path, module in model.named_modules()}
        self.weights = {
            path: self._bind(parameter, "parameter", path)
            for path, parameter in model.named_parameters()
        }
        persistent = model.state_dict(keep_vars=True).keys()
        for path, buffer in model.named_buffers():
            self._bind(buffer, "buffer", path, fixed=path not in persistent)
        for path, one in _attributes(model):
            if id(one) not in self._by_id:
                self._bind(one, "constant", path, fixed=True)
        self.inputs = {name: self._bind(given, "input", name) for name, given in inputs.items()}

    # functions

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        name, args_, kwargs_ = _name(func), args, kwargs
        if isinstance(func, OpOverload):
            name, args_, kwargs_ = as_function(func, args, kwargs)
        if self._hidden or name in FACTS or not self.open:
            return func(*args, **kwargs)
        given, named = self._record(args_), self._record(kwargs_)
        with self.hidden():
            result = func(*args, **kwargs)
        place = user_place()
        if name in ESCAPES:
            depends = any(not value.fixed for value in values((given, named)))
            self.escapes.append(Escape(name, repr(result)[:60], place, depends, self._here))
            return result
        if name == "contiguous":  # a copy or not, which may differ in training: the same value
            self._by_id[id(result)] = given[0]
            self._kept.append(result)
            return result
        in_place = name in IN_PLACE or kwargs.get("inplace") is True
        in_place = in_place or (name.endswith("_") and not name.endswith("__"))
        out = kwargs.get("out")
        target = args[0] if name == "__setitem__" else result if out is None else out
        if not _holds_tensor(target):
            return result
        step = Step(name, given, named, place, in_place, callee=func)
        if in_place and isinstance(target, Tensor):
            self._written(target, step)
        elif isinstance(result, Tensor) and id(result) in self._by_id:
            if "dropout" not in name:
                return result  # the very same tensor
            target = result = self._twin(result)  # what does nothing in eval is a step all the same
        read = step.arguments[name in SIZES_ALONE :]
        fixed = not name.startswith(RANDOM) and all(value.fixed for value in read)
        step.result = self._bind_all(target, step, fixed)
        self.open[-1].items.append(step)
        return result

    def _written(self, target: Tensor, step: Step) -> None:
        """Note what an operation in place changes beside its target."""
        old = self._by_id.get(id(target))
        path = self.open[-1].path
        for tensor, other in self._by_storage.get(_storage(target), ()):
            if other is not old and self._by_id[id(tensor)] is other:
                self._stale[id(other)] = step.function
        if old is not None and old.is_weight:
            message = f"{step.function} writes into {old.path}"
            self.notes.append(Note("state", message, step.place, path))

    # modules

    @contextmanager
    def modules_watched(self) -> Iterator[None]:
        """Record every call of a module while this is open."""
        original = nn.Module.__call__

        def watched(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            return self._call(original, module, args, kwargs)

        nn.Module.__call__ = watched  # type: ignore[method-assign]
        try:
            yield
        finally:
            nn.Module.__call__ = original  # type: ignore[method-assign]

    def _call(self, original: Callable[..., Any], module: nn.Module, args: Any, kwargs: Any) -> Any:
        if self._hidden:
            return original(module, *args, **kwargs)
        path = self._paths.get(id(module), f"?{type(module).__name__}")
        place = user_place()
        call = Call(path, module, self._record(args), self._record(kwargs), place)
        call.is_leaf, call.opaque = is_leaf(module), self.opaque.get(path, "")
        if self.open:
            self.open[-1].items.append(call)
        else:
            self.root = call
        if call.is_closed:
            with self.hidden():
                result = original(module, *args, **kwargs)
            if isinstance(result, Tensor) and id(result) in self._by_id:
                in_place = getattr(module, "inplace", False)
                result = result if in_place else self._twin(result)
            call.result = self._bind_all(_as_data(result), call, fixed=False)
            call.returns = type(result)
            return result
        self.open.append(call)
        try:
            result = original(module, *args, **kwargs)
        finally:
            self.open.pop()
        call.result, call.returns = self._record(result), type(result)
        return result

    # values

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Record nothing while this is open."""
        self._hidden += 1
        try:
            yield
        finally:
            self._hidden -= 1

    def _record(self, given: Any) -> Any:
        """Return a structure with values in place of its tensors."""
        if isinstance(given, Tensor):
            value = self._by_id.get(id(given))
            if value is None:
                value = self._bind(given, "constant", fixed=True)
            if id(value) in self._stale:
                message = f"a view is read after {self._stale[id(value)]} changed what it shares"
                self.notes.append(Note("aliasing", message, user_place(), self._here))
            return value
        return _mapped(given, self._record)

    @property
    def _here(self) -> str:
        return self.open[-1].path if self.open else ""

    def _bind_all(self, result: Any, maker: Step | Call, fixed: bool) -> Any:
        """Return a structure with new values in place of its tensors."""
        if isinstance(result, Tensor):
            return self._bind(result, "result", "", maker, fixed)
        return _mapped(result, lambda part: self._bind_all(part, maker, fixed))

    def _bind(
        self,
        tensor: Tensor,
        kind: Kind,
        path: str = "",
        maker: Step | Call | None = None,
        fixed: bool = False,
    ) -> Value:
        """Return a new value for a tensor, which stands for it from now on."""
        self._count += 1
        kept = tensor.detach() if fixed else None
        if fixed and kept is not None and kind == "result":
            with self.hidden():
                kept = kept.clone()  # an operation in place may change it later
        value = Value(
            self._count, kind, tuple(tensor.shape), tensor.dtype, path, maker, fixed, kept
        )
        self._by_id[id(tensor)] = value
        self._kept.append(tensor)
        self._by_storage.setdefault(_storage(tensor), []).append((tensor, value))
        return value

    def _twin(self, tensor: Tensor) -> Tensor:
        """Return another tensor of the same data, so that two values can be told apart."""
        with self.hidden():
            return tensor.view(tensor.shape)


def _attributes(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors that are plain attributes of modules, by their paths."""
    for path, module in model.named_modules():
        for name, one in vars(module).items():
            if isinstance(one, Tensor):
                yield f"{path}.{name}".lstrip("."), one


def _name(func: Any) -> str:
    """Return the name of a function; of a property `get_shape`, `set_data`."""
    name = getattr(func, "__name__", str(func))
    if name in ("__get__", "__set__"):
        return f"{name[2:5]}_{getattr(func.__self__, '__name__', '')}"
    return name


def _storage(tensor: Tensor) -> int:
    try:
        storage = tensor.untyped_storage()
        return storage._cdata if tensor.is_meta else storage.data_ptr()
    except (RuntimeError, NotImplementedError):  # a tensor without storage
        return 0


def _as_data(result: Any) -> Any:
    """Return the fields of a dataclass, such as the outputs of transformers, as a dict."""
    if dataclasses.is_dataclass(result) and isinstance(result, Mapping):
        return {**result}
    return result


def _mapped(given: Any, change: Callable[[Any], Any]) -> Any:
    """Return nested tuples, lists, dicts, dataclasses and slices with every part changed."""
    if isinstance(given, PackedSequence):
        return Packed(*map(change, given))
    if isinstance(given, tuple) and hasattr(given, "_fields"):
        return {field: change(part) for field, part in zip(given._fields, given, strict=True)}
    if isinstance(given, torch.Size):
        return tuple(map(int, given))
    if isinstance(given, tuple):
        return tuple(map(change, given))
    if isinstance(given, list):
        return [*map(change, given)]
    if hasattr(given, "items") and hasattr(given, "keys"):
        return {key: change(part) for key, part in given.items()}
    if dataclasses.is_dataclass(given) and not isinstance(given, type):
        fields = ((one.name, getattr(given, one.name)) for one in dataclasses.fields(given))
        return {name: change(part) for name, part in fields if part is not None}
    if isinstance(given, slice):
        return slice(change(given.start), change(given.stop), change(given.step))
    return given


def _holds_tensor(given: Any) -> bool:
    if isinstance(given, Tensor | PackedSequence):
        return True
    parts: Collection[Any] = given.values() if isinstance(given, Mapping) else ()
    parts = given if isinstance(given, list | tuple) else parts
    return any(map(_holds_tensor, parts))
