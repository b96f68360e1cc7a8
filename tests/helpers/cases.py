"""Many cases in one test, which tells all that fail: a table in Python, or texts in a file of Markdown."""

from __future__ import annotations

import difflib
import inspect
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import EACH_SPEC, ROOT, SPECS, TEN

_CASE = re.compile(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_TEXT = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# for `parametrize`: what takes seconds for each spec; the ten in CI, the others at night
SLOW_FOR_EACH_SPEC = [
    pytest.param(
        path, id=path.stem, marks=getattr(pytest.mark, "slow" if path.stem in TEN else "nightly")
    )
    for path in SPECS
]
# for `parametrize`: the specs of the gallery and their parts
EACH_SPEC_AND_PART = [
    *EACH_SPEC,
    *(
        pytest.param(path, id=path.stem)
        for path in sorted((ROOT / "specs" / "parts").rglob("*.yaml"))
    ),
]

Test = Callable[..., None]


def each(names: str, cases: Mapping[str, Any] | Iterable[Any]) -> Callable[[Test], Test]:
    """Run a test once for each case, as `parametrize` does, but as one test; it fails with the faults of
    all. Of a mapping, the keys name the cases. The cases share the fixtures."""
    params = names.replace(",", " ").split()

    def decorate(test: Test) -> Test:
        @wraps(test)
        def run(**fixtures: Any) -> None:
            __tracebackhide__ = True

            def check(case: Any) -> None:
                given = cases[case] if isinstance(cases, Mapping) else case
                values = given if len(params) > 1 else (given,)
                test(**dict(zip(params, values, strict=True)), **fixtures)

            check_each(cases, check)

        signature = inspect.signature(test)
        others = [one for name, one in signature.parameters.items() if name not in params]
        run.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
        return run

    return decorate


def check_each(cases: Iterable[Any], check: Callable[[Any], None]) -> None:
    """Check every case, and fail with the faults of all."""
    __tracebackhide__ = True
    tried = [*cases]
    assert tried, "there is no case"
    faults = []
    for case in tried:
        try:
            check(case)
        except (Exception, pytest.fail.Exception) as fault:  # noqa: BLE001 - the others go on
            faults.append((case, fault))
    if faults:
        lines = [f"{str(case)[:200]!r}: {_told(fault)}" for case, fault in faults]
        heading = f"{len(faults)} of {len(tried)} cases"
        raise AssertionError("\n\n".join([heading, *lines])) from faults[0][1]


def _told(fault: BaseException) -> str:
    """Return the type, message and notes of an exception."""
    return "".join(traceback.format_exception_only(fault)).rstrip()


def texts(path: Path) -> dict[str, list[str]]:
    """Return the texts in fences below each heading of a file."""
    return {name: _TEXT.findall(body) for name, body in _CASE.findall(path.read_text())}


def check_texts(path: Path, last: Callable[..., str], rewrite: bool) -> None:
    """Check that the last text of each case is what `last` returns for those before it, or, if it is
    alone, for itself. If so told, rewrite it."""
    whole, faults, changes = path.read_text(), [], []
    for name, before in texts(path).items():
        try:
            found = last(*(before[:-1] or before))
        except (Exception, pytest.fail.Exception) as fault:  # noqa: BLE001 - the others go on
            faults.append(f"{name}: {_told(fault)}")
            continue
        if found != before[-1]:
            lines = difflib.ndiff(before[-1].splitlines(), found.splitlines())
            changes.append("\n".join([f"{name}:", *lines]))
            head, heading, rest = whole.partition(f"\n## {name}\n")
            old = [*_TEXT.finditer(rest)][len(before) - 1]
            whole = head + heading + rest[: old.start(1)] + found + rest[old.end(1) :]
    if rewrite:
        path.write_text(whole)
    wrong = faults if rewrite else [*faults, *changes]
    assert not wrong, "\n\n".join(wrong)
