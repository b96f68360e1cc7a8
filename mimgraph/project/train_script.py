"""Write `train.py` of a project."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from mimgraph.project.losses import Loss
from mimgraph.project.plan import Plan
from mimgraph.project.samples import Sample

HEAD = '''\
"""Train {name}: `python train.py` writes its weights."""

from __future__ import annotations

import argparse
{imports}from pathlib import Path

import mimgraph as mg
import torch
{functional}from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.utils.data import DataLoader, Dataset, random_split

HERE = Path(__file__).parent
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
BATCH = {batch}
'''

TYPES = """\

Tensors = dict[str, Tensor]
Sample = tuple[Tensors, Tensors]  # the inputs and the targets, by name


"""

DATA = '''\
class Data(Dataset[Sample]):
    """The data. REPLACE THIS: these numbers are made up."""

    def __len__(self) -> int:
        return {samples}

    def __getitem__(self, index: int) -> Sample:
        """Return the inputs and targets of a sample, without a batch."""
        rng = torch.Generator().manual_seed(index)
{inputs}
{targets}
        return inputs, targets


'''

DIAGONAL = '''\
def diagonal(scores: Tensor) -> Tensor:
    """Return the cross entropy of a table whose right columns are on the diagonal."""
    return F.cross_entropy(scores, torch.arange(len(scores), device=scores.device))


'''

CTC = '''\
def ctc(logs: Tensor, labels: Tensor) -> Tensor:
    """Return the CTC loss of texts that all have as many steps and labels."""
    steps = torch.full((len(labels),), len(logs))
    return F.ctc_loss(logs, labels, steps, torch.full_like(steps, labels.shape[1]))


'''

HELPERS = {"diagonal": DIAGONAL, "ctc": CTC}

RUN_ONE = '''\
def run(model: nn.Module, inputs: Tensors) -> Tensors:
    """Return the output of a batch by its name."""
    return {{"{output}": model(**inputs)}}


'''

RUN = '''\
def run(model: nn.Module, inputs: Tensors) -> Tensors:
    """Return the outputs of a batch by name."""
    outputs: Tensors = model(**inputs)
    return outputs


'''

LOOP = '''\
def on_device(tensors: Tensors) -> Tensors:
    """Return the tensors where the model is."""
    return {{name: tensor.to(DEVICE) for name, tensor in tensors.items()}}


def step(model: nn.Module, sample: Sample) -> Tensor:
    """Return the loss of the model on a batch."""
    inputs, targets = map(on_device, sample)
    return loss_of(run(model, inputs), targets)


def train(model: nn.Module, loader: DataLoader[Sample], optimizer: Optimizer) -> float:
    """Train on all batches, and return the mean of their losses."""
    model.train()
    losses = []
    for sample in loader:
        loss = step(model, sample)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def validate(model: nn.Module, loader: DataLoader[Sample]) -> float:
    """Return the mean loss of all batches."""
    model.eval()
    losses = [step(model, sample).item() for sample in loader]
    return sum(losses) / len(losses)


def main(epochs: int, seed: int) -> None:
    """Train the model, and write it with its spec; `mg.load_model` reads it."""
    torch.manual_seed(seed)
    graph = mg.load(HERE / "{module}.yaml")
    model = graph.compile().to(DEVICE)
    optimizer = AdamW(model.parameters(), lr=1e-3)
    training, validation = random_split(Data(), [0.8, 0.2])
    loader = DataLoader(training, BATCH, shuffle=True, drop_last=True)
    for epoch in range(1, epochs + 1):
        loss = train(model, loader, optimizer)
        checked = validate(model, DataLoader(validation, BATCH))
        print(f"epoch {{epoch}}: loss {{loss:.4f}}, validation {{checked:.4f}}")
    graph.save(model, HERE / "{module}.safetensors")
    print("wrote {module}.safetensors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    main(given.epochs, given.seed)
'''


def train_script(plan: Plan) -> str:
    """Return the text of the script."""
    losses = _losses(plan.losses)
    helpers = [text for name, text in HELPERS.items() if f"{name}(" in losses]
    computed = "".join([*helpers, losses])
    head = HEAD.format(
        name=plan.name,
        module=plan.module,
        imports="import importlib\nimport sys\n" if plan.modules else "",
        functional="import torch.nn.functional as F\n" if "F." in computed else "",
        batch=plan.batch,
    )
    parts = [
        head,
        *_constants(plan),
        *_layers(plan),
        TYPES,
        _data(plan),
        computed,
        RUN_ONE.format(output=plan.losses[0].output) if len(plan.losses) == 1 else RUN,
        LOOP.format(module=plan.module),
    ]
    return "".join(parts)


def _constants(plan: Plan) -> Iterator[str]:
    """Yield the sizes that the spec leaves open and samples have."""
    for name, users in plan.constants.items():
        of = f"{', '.join(users[:2])}{', ...' if len(users) > 2 else ''}"
        yield f"{name} = {plan.sizes[name]}  # of {of}: the spec leaves it open\n"


def _layers(plan: Plan) -> Iterator[str]:
    """Yield the lines that import the modules with layers of the spec."""
    folders = [*dict.fromkeys(plan.modules.values())]
    for at, folder in enumerate(folders):
        place = "HERE" if folder == "." else f"HERE / {json.dumps(folder)}"
        yield "\n" * (at == 0) + f"sys.path.insert(0, str({place}))\n"
    for module in plan.modules:
        yield f'importlib.import_module("{module}")  # registers layers of the spec\n'


def _data(plan: Plan) -> str:
    targets = [Sample(one.output, one.target) for one in plan.losses if one.target is not None]
    return DATA.format(
        samples=plan.samples,
        inputs="\n".join(_dict("inputs", plan.inputs)),
        targets="\n".join(_dict("targets", targets)),
    )


def _dict(name: str, samples: list[Sample]) -> Iterator[str]:
    """Yield a dict of samples, each with what it means beside or above it."""
    if not samples:
        yield f"        {name}: Tensors = {{}}  # the losses need none"
        return
    yield f"        {name} = {{"
    for sample in samples:
        doc = " ".join(sample.doc.split())
        lines = list(entry(f'"{sample.name}": ', sample.code, ",", 12))
        beside = f"{lines[0]}  # {doc}"
        if doc and len(lines) == 1 and len(beside) <= WIDTH:
            lines = [beside]
        elif doc:
            yield from comment(doc, 12)
        yield from lines
    yield "        }"


def _losses(losses: list[Loss]) -> str:
    """Return the function that computes the loss of a batch."""
    lines = [
        "def loss_of(outputs: Tensors, targets: Tensors) -> Tensor:",
        '    """Return the loss of a batch. CHECK IT: it was guessed from shapes."""',
    ]
    added = [one for one in losses if one.code is not None]
    if len(added) == 1 and not added[0].training_only:
        lines += [*_unlearned(losses), *_why(added[0], 4)]
        lines += entry("return ", str(added[0].code), "", 4)
    else:
        lines += _sum(added, losses)
    return "\n".join(lines) + "\n\n\n"


def _sum(added: list[Loss], losses: list[Loss]) -> Iterator[str]:
    """Yield the lines that add up several losses."""
    yield "    losses = ["
    for loss in added:
        if not loss.training_only:
            yield from _why(loss, 8)
            yield from entry("", str(loss.code), ",", 8)
    yield "    ]"
    for loss in added:
        if loss.training_only:
            yield f'    if "{loss.output}" in outputs:  # in training only'
            yield from _why(loss, 8)
            yield from entry("losses.append(", str(loss.code), ")", 8)
    yield from _unlearned(losses)
    yield "    return sum(losses, torch.zeros((), device=DEVICE))"


def _unlearned(losses: list[Loss]) -> Iterator[str]:
    """Yield a comment for each output that has no loss."""
    for loss in losses:
        if loss.code is None:
            yield from _why(loss, 4)


def _why(loss: Loss, indent: int) -> Iterator[str]:
    yield from comment(f"{loss.output} {loss.shape}: {loss.why}", indent)


WIDTH = 88  # characters of a line, as ruff and black have it by default


def comment(text: str, indent: int) -> Iterator[str]:
    """Yield a comment, in as many lines as it needs."""
    start = " " * indent + "# "
    yield from (
        start + line for line in textwrap.wrap(text, WIDTH - len(start), break_long_words=False)
    )


def entry(before: str, code: str, after: str, indent: int) -> Iterator[str]:
    """Yield `before`, an expression and `after`; a line that is too long is broken at its first bracket."""
    yield from _broken(f"{before}{code}{after}", indent)


def _broken(line: str, indent: int) -> Iterator[str]:
    room = " " * indent
    if len(room) + len(line) <= WIDTH or "(" not in line:
        yield room + line
        return
    start = line.index("(") + 1
    end = _matching(line, start)
    yield room + line[:start]
    if indent + 4 + end - start <= WIDTH:
        yield f"{room}    {line[start:end]}"
    else:
        parts = list(_arguments(line[start:end]))
        for part in parts:
            yield from _broken(part + "," * (len(parts) > 1), indent + 4)
    yield room + line[end:]


def _matching(code: str, start: int) -> int:
    """Return where the bracket closes that opens before `start`."""
    depth = 1
    for at in range(start, len(code)):
        depth += (code[at] in "([") - (code[at] in ")]")
        if not depth:
            return at
    return len(code)


def _arguments(code: str) -> Iterator[str]:
    """Yield the arguments of a call."""
    start = depth = 0
    for at, char in enumerate(code):
        depth += (char in "([") - (char in ")]")
        if char == "," and not depth:
            yield code[start:at].strip()
            start = at + 1
    if code[start:].strip():
        yield code[start:].strip()
