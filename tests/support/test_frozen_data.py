"""Records behave as dataclasses do, though their methods are written when they are first called."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
from collections.abc import Callable
from inspect import signature
from typing import Any

import pytest

from mimgraph.support.entry_point import entry_points
from mimgraph.support.frozen_data import (
    data,
    field,
    field_names,
    locked_data,
    mutable_data,
    replace,
)
from tests.conftest import ROOT


class Base:
    """A base without fields."""

    __slots__ = ()


@data
class Point(Base):
    """A record."""

    set: int
    name: str = "x"
    many: list[int] = field(default_factory=list)
    note: str = field(default="", compare=False, repr=False)
    total: int = field(default=7, init=False)
    seen: list[int] = field(default_factory=list, init=False, repr=False)


@data
class Farther(Point):
    """A record with the fields of another."""

    z: int = 0


@dataclasses.dataclass
class Known(Base):
    """The dataclass that `Point` should behave as."""

    set: int
    name: str = "x"
    many: list[int] = dataclasses.field(default_factory=list)
    note: str = dataclasses.field(default="", compare=False, repr=False)
    total: int = dataclasses.field(default=7, init=False)
    seen: list[int] = dataclasses.field(default_factory=list, init=False, repr=False)


@data(eq=False, slots=False)
class Plain:
    """A record that is compared by identity, and has a default as an attribute."""

    set: int = 3
    many: list[int] = field(default_factory=list)


@locked_data
class Locked:
    """A record that users hold."""

    x: int
    y: tuple[int, ...] = ()


@mutable_data
class Mutable:
    """A record that is filled."""

    x: int = 0

    def __post_init__(self) -> None:
        self.x += 1


@entry_points
@locked_data(slots=False)
class PublicLocked:
    """A record that users hold, and whose methods are entry points."""

    x: int


@entry_points
@data
class Public:
    """A record that users make."""

    handle: int
    name: str = ""


CALLS: tuple[tuple[tuple[Any, ...], dict[str, Any]], ...] = (
    ((1,), {}),
    ((1, "a", [2]), {"note": "n"}),
    ((), {"set": 3, "many": [4]}),
)


@pytest.mark.parametrize(("args", "named"), CALLS)
def test_as_a_dataclass(args: tuple[Any, ...], named: dict[str, Any]) -> None:
    ours, known = Point(*args, **named), Known(*args, **named)
    assert repr(ours) == repr(known).replace("Known", "Point")
    assert dataclasses.asdict(ours) == dataclasses.asdict(known)  # type: ignore[call-overload]
    assert ours == Point(*args, **named) and ours != Point(99)
    assert ours == replace(ours, note="another")
    assert (ours == known) is False
    assert [one.compare for one in dataclasses.fields(ours)] == [
        True,
        True,
        True,
        False,
        True,
        True,
    ]  # type: ignore[arg-type]
    assert Point.__match_args__ == Known.__match_args__
    assert str(signature(Point.__init__)) == str(signature(Known.__init__))
    assert not hasattr(ours, "__dict__")


@pytest.mark.parametrize("call", [Point, lambda: Point(1, b=2), lambda: Point(1, "a", [], "", 5)])
def test_wrong_calls(call: Callable[[], Point]) -> None:
    with pytest.raises(TypeError, match=r"Point\.__init__\(\)"):
        call()


def test_hashes() -> None:
    assert hash(Locked(1, (2,))) == hash(Locked(1, (2,)))
    assert {Locked(1): "a"}[Locked(1)] == "a"
    assert Plain() != Plain()


def test_defaults_are_made_for_each() -> None:
    assert Point(1).many is not Point(1).many
    assert Plain.set == 3 and not hasattr(Plain, "many")


def test_inherited_fields() -> None:
    assert Farther(1, z=2) == Farther(1, z=2) != Farther(1)
    assert field_names(Farther(1)) == ("set", "name", "many", "note", "total", "seen", "z")
    assert repr(Farther(1)) == "Farther(set=1, name='x', many=[], total=7, z=0)"


def test_recursive_repr() -> None:
    point = Point(1)
    point.many.append(point)  # type: ignore[arg-type]
    assert repr(point) == "Point(set=1, name='x', many=[...], total=7)"


@pytest.mark.parametrize("one", [Locked(1), PublicLocked(1)])
def test_locked(one: Locked | PublicLocked) -> None:
    assert one.x == 1
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        one.x = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del one.x


@pytest.mark.parametrize("one", [Locked(1, (2,)), Farther(1, z=2), Plain(4)])
def test_copies(one: Any) -> None:
    for copied in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert dataclasses.asdict(copied) == dataclasses.asdict(one)


def test_mutable() -> None:
    one = Mutable(1)
    assert one.x == 2
    one.x = 5
    assert one.x == 5 and one != Mutable(4)


def test_users_mistakes() -> None:
    """The traceback of a wrong call ends at the user's line, and the message has the likely name."""
    with pytest.raises(TypeError, match="Did you mean 'handle'") as caught:
        Public(handel=1)  # type: ignore[call-arg]
    assert len(caught.traceback) == 1
    assert str(signature(Public)) == "(handle: 'int', name: 'str' = '') -> None"


def test_our_modules_use_it() -> None:
    """A field of `dataclasses` in a record of ours would be its default, and its `replace` is slow."""
    wrong = [
        str(path.relative_to(ROOT))
        for path in ROOT.glob("mimgraph/**/*.py")
        if re.search(
            r"^from dataclasses import .*\b(field|replace)\b",
            text := path.read_text(),
            re.MULTILINE,
        )
        and "@dataclass" not in text
    ]
    assert not wrong
