"""Declare modules and functions that stay Python as registered layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.trace.records import Call, Step

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


def declare_module(body: BodyLifter, call: Call) -> None:
    """Add a registered layer that is the module itself."""
    raise CannotLift("module", f"{call.path} cannot be declared", body.call, call.place)


def declare_function(body: BodyLifter, step: Step, error: CannotLift) -> bool:
    """Add a registered layer that calls the function of a step; return whether that is possible."""
    return False
