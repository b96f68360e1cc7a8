"""Parse the arguments of one command with argparse, whose errors become messages in our form."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from mimgraph.cli.errors import CallError
from mimgraph.diagnostics.nearest import nearest

_MISSING = "the following arguments are required: "
_TOO_MANY = "unrecognized arguments: "


class ArgumentParser(argparse.ArgumentParser):
    """A parser whose errors are `CallError`s; `cli/help.py` prints its help."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(
            prog=prog,
            description=description,
            add_help=False,
            exit_on_error=False,
            # argparse makes one for each argument; without a width it imports `shutil` to ask for it
            formatter_class=partial(argparse.HelpFormatter, width=80),
        )
        self._positionals.title = "Arguments"

    def parse(self, words: Sequence[str], namespace: argparse.Namespace) -> argparse.Namespace:
        """Return the arguments in a namespace."""
        self.refuse_unknown_options(words)
        try:
            return self.parse_args(words, namespace)
        except argparse.ArgumentError as error:
            raise self._call_error(error.argument_name, error.message) from None

    def refuse_unknown_options(self, words: Sequence[str]) -> None:
        """Raise an error for the first word that looks like an option and is none, before an argument is
        missed that it may have replaced."""
        known = self._option_string_actions
        for word in words:
            if word == "--":
                return
            name = word.partition("=")[0] if word.startswith("--") else word[:2]
            if not name.startswith("-") or name == "-" or name[1].isdecimal() or " " in word:
                continue
            if not any(option.startswith(name) for option in known):
                near = nearest(name.lstrip("-"), (option[2:] for option in known if option[2:]))
                help = f"did you mean --{near}?" if near and len(name) > 2 else self._usage()
                raise CallError(f"no option is called {name!r}", help)

    def error(self, message: str) -> NoReturn:
        """Raise the error of argparse that newer releases of Python raise themselves."""
        raise argparse.ArgumentError(None, message)

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Raise an error for a value that is none of the choices."""
        if action.choices is None or value in action.choices:
            return
        choices = [str(choice) for choice in action.choices]
        near = nearest(str(value), choices)
        name = action.option_strings[-1] if action.option_strings else action.metavar
        either = f"{', '.join(choices[:-1])} or {choices[-1]}"
        help = f"did you mean {near}?" if near else ""
        raise CallError(f"{name}: expected {either}, not {value!r}", help)

    def _call_error(self, name: str | None, message: str) -> CallError:
        """Return the error for a message of argparse about an argument."""
        if message.startswith(_MISSING):
            names = [one.rpartition("/")[2] for one in message.removeprefix(_MISSING).split(", ")]
            are = "are" if len(names) > 1 else "is"
            return CallError(f"{' and '.join(names)} {are} missing", self._usage())
        if message.startswith(_TOO_MANY):
            many = message.removeprefix(_TOO_MANY)
            return CallError(f"there are more arguments than expected: {many}", self._usage())
        if message == "expected one argument":
            message = "a value is missing"
        return CallError(f"{name.rpartition('/')[2]}: {message}" if name else message)

    def _usage(self) -> str:
        from mimgraph.cli.help import synopsis  # an error may take longer than a check

        return synopsis(self)
