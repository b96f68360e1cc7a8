"""Make the page of each command from its parser, with an example that is run for the page."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from extension.page import Page
from mimgraph.cli.help import Entry, entry_of, synopsis
from mimgraph.cli.parser import COMMANDS, GROUPS, command_parser, overview
from tests.docs.snippets import command

REPOSITORY = Path(__file__).parents[2]

# what each page shows: commands that run one after the other in a folder with `specs/` and FILES
FILES = {
    "loose.yaml": """\
inputs: {x: [16]}   # a row of the table
outputs: 'score'

nodes:
  score: {from: x,layer: Linear, out_features: 1}
""",
    "bad.yaml": """\
inputs: {image: [3, 32, 32], numeric: [5]}
nodes:
  features: {layer: Conv2d, from: image, out_channels: 8, kernel_size: 3}
  fused: {merge: concat, from: [features, numeric]}
outputs: fused
""",
    "model.yaml": """\
name: Tower
params: {hidden: 64}
inputs: {x: [16]}
nodes:
  body: {from: x, seq: [{Linear: $hidden}, ReLU, {Dropout: 0.1}]}
  score: {layer: Linear, from: body, out_features: 1}
outputs: score
""",
    "wide.yaml": """\
name: Tower
params: {hidden: 128}
inputs: {x: [16]}
nodes:
  body: {from: x, seq: [{Linear: $hidden}, GELU, {Dropout: 0.1}]}
  score: {layer: Linear, from: body, out_features: 1}
outputs: score
""",
    "searched.yaml": """\
params:
  hidden: {search: [63, 64, 128], default: 64}
  heads: {search: [1, 2, 4]}
  fusion: {search: [concat, gated, transformer]}
inputs: {image: [128], text: [64]}
nodes:
  left: {layer: Linear, from: image, out_features: $hidden}
  right: {layer: Linear, from: text, out_features: $hidden}
  fused: {merge: $fusion, from: [left, right], out_features: $hidden, num_heads: $heads}
outputs: fused
""",
    "tower.yaml": """\
name: Tower
params: {hidden: {search: [32, 64, 128]}, depth: {search: {int: [1, 4]}}}
inputs: {x: [16]}
blocks: {step: {seq: [{Linear: $hidden}, ReLU]}}
nodes:
  body: {block: step, from: x, repeat: $depth}
  score: {layer: Linear, from: body, out_features: 1}
outputs: score
""",
    "train.py": """\
import torch

import mimgraph as mg


def objective(trial):
    torch.manual_seed(0)
    model = mg.sample(trial).compile()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(30):
        x = torch.randn(64, 16)
        loss = (model(x=x) - x.sin().sum(1, keepdim=True)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()
""",
    "net.py": """\
from torch import nn


class Net(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, hidden), nn.ReLU())
        self.score = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.score(self.body(x))
""",
}
EXAMPLES = {
    "check": ["cat bad.yaml", "mimgraph check bad.yaml", "mimgraph check 'specs/two_*.yaml'"],
    "summary": ["cat model.yaml", "mimgraph summary model.yaml --set hidden=128"],
    "draw": ["mimgraph draw specs/image_numerical.yaml -o model.svg"],
    "diff": ["diff model.yaml wide.yaml", "mimgraph diff model.yaml wide.yaml"],
    "space": [
        "cat searched.yaml",
        "mimgraph space searched.yaml",
        "mimgraph space searched.yaml --prove 100",
    ],
    "new": ["mimgraph new my_model --like two_tower_retrieval", "ls my_model"],
    "emit": ["cat model.yaml", "mimgraph emit model.yaml"],
    "run": ["cat model.yaml", "mimgraph run model.yaml --batch 4"],
    "search": [
        "cat tower.yaml",
        "cat train.py",
        "mimgraph search tower.yaml --objective train.py:objective --trials 6 --seed 0",
    ],
    "import": ["cat net.py", "mimgraph import net.py:Net --arg hidden=32 --input x=16"],
    "rename": ["mimgraph rename model.yaml body trunk --diff"],
    "preview": [],
    "fmt": ["cat loose.yaml", "mimgraph fmt --diff loose.yaml", "mimgraph fmt loose.yaml"],
    "lsp": [],
    "mcp": [],
    "gallery": ["mimgraph gallery neumf"],
    "layers": ["mimgraph layers cat", "mimgraph layers --search attn"],
    "explain": ["mimgraph explain cycle"],
    "schema": ["mimgraph schema -o mimgraph.schema.json"],
    "completion": [],
}
STATUS = {
    "check": {
        0: "no spec has an error; there may be warnings",
        1: "a spec is wrong",
        2: "the command line is wrong, or a file cannot be read",
    },
    "diff": {
        0: "both specs are right; they may differ",
        1: "a spec is wrong, or, with `--exit-code`, the specs differ",
        2: "the command line is wrong, or a file cannot be read",
    },
    "fmt": {
        0: "all specs are in the style; with `--check`, they were before",
        1: "a spec cannot be read, or, with `--check`, is not in the style",
        2: "the command line is wrong, or a file cannot be read",
    },
    "import": {
        0: "the spec and the model compute the same",
        1: "the model cannot be imported or run, or it is not proven that both compute the same; with "
        "`--strict`, also if a part stays Python code, is fixed for these inputs, or is left out",
        2: "the command line is wrong, or a file cannot be read",
    },
    "search": {
        0: "the study has its trials, or its time was over",
        1: "the spec is wrong, or no trial was trained because each fails or is rejected",
        2: "the command line is wrong, or a file or the storage cannot be opened",
    },
}
NO_SPEC = {"gallery", "layers", "explain", "schema", "completion"}  # commands that read none


def pages() -> Iterator[Page]:
    """Yield the index and a page for each command."""
    yield Page.of("command-line/index.md", _index())
    with _folder() as folder:
        for name in COMMANDS:
            yield Page.of(f"command-line/{name}.md", _command(name, folder))


@contextmanager
def _folder() -> Iterator[Path]:
    """Yield a folder with the files of the examples, as the working directory."""
    before = os.getcwd()
    with TemporaryDirectory() as place, patch.dict(os.environ, {"COLUMNS": "88"}):
        folder = Path(place)
        shutil.copytree(REPOSITORY / "specs", folder / "specs")
        for file, text in FILES.items():
            (folder / file).write_text(text)
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(before)
            sys.modules.pop("net", None)


def _command(name: str, folder: Path) -> str:
    """Return the page of a command."""
    parser = command_parser(name)
    parts = [
        f"# mimgraph {name}",
        _marked(parser.description or ""),
        f"```text\n{synopsis(parser)}\n```",
        *_examples(name, folder),
        *_arguments(parser),
        _marked(parser.epilog or ""),
        "## Exit status",
        _statuses(name),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _examples(name: str, folder: Path) -> Iterator[str]:
    """Yield the examples of a command with what they print."""
    if EXAMPLES[name]:
        yield "## Example"
    for text in EXAMPLES[name]:
        _, printed = command(text, folder)
        if text.startswith("cat "):
            file = text.removeprefix("cat ")
            language = "python" if file.endswith(".py") else "yaml"
            yield f"`{file}`:\n\n```{language}\n{printed}```"
        else:
            yield f"```console\n$ {text}\n{printed.rstrip()}\n```"


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the arguments by their groups."""
    yield f"```{{program}} {parser.prog}\n```"
    for group in parser._action_groups:
        if group._group_actions:
            title = (group.title or "").rstrip(":")
            yield f"## {title[0].upper()}{title[1:]}"
            for action in group._group_actions:
                yield _argument(entry_of(action), bool(action.option_strings))


def _argument(entry: Entry, is_option: bool) -> str:
    """Return an argument: one that other pages can refer to, or a definition."""
    names = ", ".join(f"{name} {entry.value}".strip() for name in entry.name.strip().split(", "))
    text = _marked(entry.text)
    text = f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
    if is_option:
        return f"```{{option}} {names}\n\n{text}\n```"
    return f"`{names}`\n: {text}"


def _marked(text: str) -> str:
    """Return a text of the help as Markdown: what one types is code."""
    text = re.sub(r"(?<![\w`])(--?[a-z][\w-]*(?: [A-Z]+)?)(?![\w`])", r"`\1`", text)
    text = re.sub(r"(?<![\w`])((?:\.[a-z]{2,12})+)(?![\w`])", r"`\1`", text)
    text = re.sub(
        r"(?<![\w`])(\w+=[\w,:=]+\w|[\w.]+:\w+[A-Z]\w*|\w+\.py:\w+)(?![\w`])", r"`\1`", text
    )
    return text


def _statuses(name: str) -> str:
    """Return the table of exit statuses of a command."""
    wrong = {} if name in NO_SPEC else {1: "the spec is wrong"}
    usual = {0: "all is well", **wrong, 2: "the command line is wrong, or a file cannot be read"}
    rows = STATUS.get(name, usual).items()
    return "\n".join(
        ["| status | when |", "| --- | --- |", *(f"| {n} | {text} |" for n, text in rows)]
    )


def _index() -> str:
    """Return the page of all commands."""
    parts = [INTRODUCTION]
    for title, group in GROUPS.items():
        rows = "\n".join(
            f"| [`mimgraph {name}`]({name}.md) | {text} |" for name, text in group.items()
        )
        parts.append(f"## {title}\n\n| command | what it does |\n| --- | --- |\n{rows}")
    options = "\n\n".join(_argument(entry_of(action), True) for action in overview()._actions)
    parts.append(f"## Options of every command\n\n```{{program}} mimgraph\n```\n\n{options}")
    parts.append(REST)
    parts.append("```{toctree}\n:hidden:\n" + "\n".join(COMMANDS) + "\n```")
    return "\n\n".join(parts) + "\n"


INTRODUCTION = """\
# Command line

```text
mimgraph COMMAND [OPTIONS] ...
```

`mimgraph COMMAND --help` shows the arguments of a command. `python -m mimgraph` is the same program."""

REST = """\
## Exit status

| status | when |
| --- | --- |
| 0 | all is well |
| 1 | the spec is wrong, or an import is not proven |
| 2 | the command line is wrong, or a file cannot be read |
| 130 | Ctrl-C |

## Colour

`--color` decides about colour, then the variables `NO_COLOR`, `FORCE_COLOR` and `CLICOLOR`, then whether the output is
a terminal.

## What starts fast

Only `run`, `import`, a model in Python code and a spec with your own modules import torch. The other commands
start in a fraction of a second.

## In an editor

An editor with the YAML language server (VS Code, Neovim and others) completes layers and their options,
shows their documentation and underlines misspelt names. Write the schema beside your specs,

```console
$ mimgraph schema -o mimgraph.schema.json
```

and begin a spec with

```yaml
# yaml-language-server: $schema=mimgraph.schema.json
```"""
