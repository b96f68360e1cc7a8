"""The fields of records, and their methods, each of which is written when it is first called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar, cast

T = TypeVar("T")

_NONE: Any = object()  # no default
_WRITE = "_mimgraph_write"  # marks a method that is not written yet


class _Factory:
    """Stands in a signature for a default that is made for each record."""

    def __repr__(self) -> str:
        return "<factory>"


_FACTORY = _Factory()


class Field:
    """How a field is made, shown and compared: the options of `dataclasses.field`."""

    __slots__ = ("annotation", "compare", "default", "default_factory", "init", "repr")

    def __init__(
        self,
        *,
        default: Any = _NONE,
        default_factory: Callable[[], Any] = _NONE,
        init: bool = True,
        repr: bool = True,
        compare: bool = True,
    ) -> None:
        self.default, self.default_factory = default, default_factory
        self.init, self.repr, self.compare = init, repr, compare
        self.annotation: Any = None


def replace(record: Any, /, **changes: Any) -> Any:
    """Return a record with some fields changed."""
    kind = type(record)
    for name in kind.__match_args__:
        if name not in changes:
            changes[name] = getattr(record, name)
    return kind(**changes)


def field_names(record: Any) -> tuple[str, ...]:
    """Return the names of the fields of a record."""
    return tuple(record.__record_fields__)


def made_record(cls: type[T], eq: bool, slots: bool, locked: bool = False) -> type[T]:
    """Return a class as a record, with the annotated names in it and in its bases as fields.

    A field of a `locked` one can be neither assigned nor deleted.
    """
    own = {name: _declared(cls, name, given) for name, given in cls.__annotations__.items()}
    fields: dict[str, Field] = {}
    for base in cls.__mro__[:0:-1]:
        fields |= base.__dict__.get("__record_fields__", {})
    fields |= own
    made: Any = _with_slots(cls, own) if slots else _with_defaults(cls, own)
    made.__record_fields__, made.__is_locked__ = fields, locked
    positional = tuple([name for name, one in fields.items() if one.init])
    setattr(made, "__match_args__", positional)  # noqa: B010 - mypy refuses to assign it
    made.__dataclass_fields__ = _DataclassFields()
    if locked:
        made.__setattr__ = made.__delattr__ = _refuse
    if locked and slots:
        made.__getstate__, made.__setstate__ = _state, _restore
    for name in ("__init__", "__repr__", *(("__eq__", "__hash__") if eq else ())):
        if name == "__hash__" or name not in made.__dict__:
            _write_later(made, name)
    return cast("type[T]", made)


def _declared(cls: type, name: str, annotation: Any) -> Field:
    given = cls.__dict__.get(name, _NONE)
    one = given if isinstance(given, Field) else Field(default=given)
    one.annotation = annotation
    return one


def _with_slots(cls: type, own: Mapping[str, Field]) -> type:
    """Return the class with a slot for each of its own fields, and without their defaults."""
    members = {name: value for name, value in cls.__dict__.items() if name not in own}
    del members["__dict__"], members["__weakref__"]
    made = type(cls)(cls.__name__, cls.__bases__, {**members, "__slots__": tuple(own)})
    made.__qualname__ = cls.__qualname__
    return made


def _with_defaults(cls: type, own: Mapping[str, Field]) -> type:
    """Return the class, in which a default is an attribute, as in any class."""
    for name in [name for name in own if isinstance(cls.__dict__.get(name), Field)]:
        if own[name].default is _NONE:
            delattr(cls, name)
        else:
            setattr(cls, name, own[name].default)
    return cls


def _refuse(self: object, name: str, *value: object) -> None:
    """Refuse to change a field, as a frozen dataclass does."""
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot {'assign to' if value else 'delete'} field {name!r}")


def _state(self: Any) -> list[Any]:
    """Return the values to pickle and to copy."""
    return [getattr(self, name) for name in field_names(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(field_names(self), state, strict=True):
        object.__setattr__(self, name, value)


def _write_later(cls: type, name: str) -> None:
    """Give a class a method that takes a written one's place when it is first called."""

    def first(self: Any, *args: Any, **named: Any) -> Any:
        method = _WRITERS[name](cls)
        setattr(cls, name, method)
        return method(self, *args, **named)

    first.__dict__[_WRITE] = partial(_WRITERS[name], cls)
    setattr(cls, name, first)


def written(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of a class: that of a record is written, as a decorator will keep it."""
    write = method.__dict__.get(_WRITE)
    return write() if write else method


def _init(cls: Any) -> Any:
    """Return a method that takes the fields by position or name."""
    known: dict[str, Any] = {"_FACTORY": _FACTORY, "_set": object.__setattr__}
    parameters, lines, annotations = [], [], {}
    for name, one in cls.__record_fields__.items():
        parameter, value, default = name, name, f"_default_{name}"
        if one.default is not _NONE:
            known[default] = one.default
            parameter, value = f"{name}={default}", name if one.init else default
        elif one.default_factory is not _NONE:
            known[default] = one.default_factory
            made = f"{default}()"
            parameter = f"{name}=_FACTORY"
            value = f"{made} if {name} is _FACTORY else {name}" if one.init else made
        if one.init:
            parameters.append(parameter)
            annotations[name] = one.annotation
        lines.append(
            f"_set(self, {name!r}, {value})" if cls.__is_locked__ else f"self.{name} = {value}"
        )
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    method = _written(cls, "__init__", ", ".join(["self", *parameters]), lines, known)
    method.__annotations__ = {**annotations, "return": None}
    return method


def _eq(cls: Any) -> Any:
    mine, theirs = (_tuple(cls, of) for of in ("self", "other"))
    lines = [
        f"if other.__class__ is self.__class__: return {mine} == {theirs}",
        "return NotImplemented",
    ]
    return _written(cls, "__eq__", "self, other", lines)


def _hash(cls: Any) -> Any:
    return _written(cls, "__hash__", "self", [f"return hash({_tuple(cls, 'self')})"])


def _tuple(cls: Any, of: str) -> str:
    """Return code for a tuple of the fields that are compared."""
    compared = [name for name, one in cls.__record_fields__.items() if one.compare]
    return f"({''.join(f'{of}.{name}, ' for name in compared)})"


def _repr(cls: Any) -> Any:
    """Return a method that shows the record as the call that makes it."""
    from reprlib import recursive_repr

    shown = [name for name, one in cls.__record_fields__.items() if one.repr]
    text = ", ".join(f"{name}={{self.{name}!r}}" for name in shown)
    line = f"return f'{{self.__class__.__qualname__}}({text})'"
    return recursive_repr()(_written(cls, "__repr__", "self", [line]))


def _written(
    cls: type, name: str, parameters: str, lines: list[str], known: dict[str, Any] | None = None
) -> Any:
    """Return a method with this body."""
    body = "\n  ".join(lines or ["pass"])
    # by the name of the module, a traceback tells that the method is not the user's
    scope = {"__name__": cls.__module__, **(known or {})}
    exec(f"def {name}({parameters}):\n  {body}", scope)  # noqa: S102 - our own text
    scope[name].__qualname__ = f"{cls.__qualname__}.{name}"
    return scope[name]


_WRITERS = {"__init__": _init, "__repr__": _repr, "__eq__": _eq, "__hash__": _hash}


class _DataclassFields:
    """The fields as `dataclasses` knows them, for its `fields`, `replace` and `is_dataclass`."""

    def __get__(self, record: object, cls: Any) -> Any:
        from dataclasses import MISSING, field, make_dataclass

        def known(value: Any) -> Any:
            return MISSING if value is _NONE else value

        fields = [
            (
                name,
                one.annotation,
                field(
                    default=known(one.default),
                    default_factory=known(one.default_factory),
                    init=one.init,
                    repr=one.repr,
                    compare=one.compare,
                ),
            )
            for name, one in cls.__record_fields__.items()
        ]
        twin: Any = make_dataclass(cls.__name__, fields)
        cls.__dataclass_fields__ = twin.__dataclass_fields__  # made once
        return twin.__dataclass_fields__
