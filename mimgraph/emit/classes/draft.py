"""Draft a class as one use of a block needs it, and compare the drafts of several uses."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mimgraph.emit.classes.frozen_parts import FrozenParts
from mimgraph.emit.format.statements import Assign, For, If, Statement
from mimgraph.emit.tree import rebuild_statement
from mimgraph.ir.code import Code, Constant, rebuild


@dataclass(frozen=True, slots=True)
class Draft:
    """A class as one use needs it, every constant a literal.

    `inits` are attributes and their modules; in an `nn.Sequential` the attributes are "". `attributes`
    are nodes that have another attribute than their name, each with that attribute. `params` are the
    block's own, `spec_params` those of the spec, the same in every use. The caller `may_leave_out`
    optional inputs. The `frozen` modules stay in evaluation mode, and so do the
    parts of modules that are `partly_frozen`. The forward takes outer `modules`
    after its inputs.
    """

    base: str
    inits: tuple[tuple[str, Code], ...]
    inputs: tuple[str, ...]
    returns: str
    statements: tuple[Statement, ...]
    params: Mapping[str, Any]
    defaults: Mapping[str, Any]
    dims: Mapping[str, Any]
    spec_params: Mapping[str, Any] = field(default_factory=dict)
    keyword_only: bool = False
    may_leave_out: bool = False
    attributes: tuple[tuple[str, str], ...] = ()
    frozen: tuple[Code, ...] = ()
    partly_frozen: tuple[FrozenParts, ...] = ()
    doc: str = ""
    optional: frozenset[str] = frozenset()
    modules: tuple[str, ...] = ()


def skeleton(draft: Draft) -> Hashable:
    """Return what drafts of one class have in common: everything but constants and comments."""
    return (
        draft.base,
        draft.attributes,
        draft.partly_frozen,
        tuple((attribute, rebuild(code, _blank)) for attribute, code in draft.inits),
        draft.inputs,
        draft.modules,
        draft.optional,
        draft.returns,
        tuple(_uncommented(rebuild_statement(s, _blank)) for s in draft.statements),
    )


def _blank(part: Code) -> Code | None:
    return Constant(None, part.name) if isinstance(part, Constant) else None


def _uncommented(statement: Statement) -> Statement:
    if isinstance(statement, For):
        return replace(statement, body=tuple(map(_uncommented, statement.body)))
    if isinstance(statement, If):
        body, orelse = (tuple(map(_uncommented, s)) for s in (statement.body, statement.orelse))
        return replace(statement, body=body, orelse=orelse)
    return replace(statement, comment="") if isinstance(statement, Assign) else statement


def constants(draft: Draft) -> list[Constant]:
    """Return the constants of a draft, in the order in which rebuilding meets them."""
    found: list[Constant] = []

    def note(part: Code) -> Code | None:
        if isinstance(part, Constant):
            found.append(part)
            return part
        return None

    for _, code in draft.inits:
        rebuild(code, note)
    for statement in draft.statements:
        rebuild_statement(statement, note)
    return found


def agreed(drafts: list[Draft]) -> tuple[Statement, ...]:
    """Return the statements of the first draft, without comments on which the others disagree."""
    rows = zip(*(draft.statements for draft in drafts), strict=True)
    return tuple(
        row[0] if len(set(map(_comment, row))) == 1 else _uncommented(row[0]) for row in rows
    )


def _comment(statement: Statement) -> Hashable:
    if isinstance(statement, For):
        return tuple(map(_comment, statement.body))
    if isinstance(statement, If):
        return tuple(map(_comment, (*statement.body, *statement.orelse)))
    return statement.comment if isinstance(statement, Assign) else ""
