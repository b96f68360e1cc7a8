"""Trains a model on the icons: the objective of `mimgraph search`, and a script for accelerate.

    mimgraph search icons.yaml --objective train.py:objective --workers 2 --trials 20
    accelerate launch --cpu --num_processes 2 train.py best.yaml

A trial is the accuracy on icons set aside. The script trains one spec, the best one, on all but the last
icons, in as many processes as accelerate starts, and tests it on those.
"""

from __future__ import annotations

import sys

import optuna
import torch
from accelerate import Accelerator
from icons import Icons, icons
from torch import nn
from torch.utils.data import DataLoader, StackDataset

import mimgraph as mg

EPOCHS, BATCH, RATE = 8, 32, 3e-3


def objective(trial: optuna.Trial) -> float:
    """Return the accuracy of one point of the search, after telling it epoch by epoch."""
    ours, aside, _ = icons()
    graph = mg.sample(trial)
    torch.manual_seed(0)
    accelerator = Accelerator(cpu=True)
    found = 0.0
    for epoch, model in enumerate(epochs(graph, graph.compile(), ours, accelerator)):
        found = accuracy(model, aside, accelerator)
        trial.report(found, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return found


def epochs(graph: mg.Graph, model: nn.Module, data: Icons, accelerator: Accelerator):
    """Train the model, and yield it after each epoch."""
    optimizer = torch.optim.AdamW(graph.parameter_groups(model), lr=RATE, weight_decay=0.01)
    loader = DataLoader(samples(data), BATCH, shuffle=True)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    for _ in range(EPOCHS):
        model.train()
        for inputs, labels in loader:
            loss = nn.functional.cross_entropy(model(**inputs), labels)
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
        yield model


def samples(data: Icons) -> StackDataset:
    """Return the icons as a data set of inputs by name, and labels."""
    return StackDataset(StackDataset(**data.inputs), data.labels)


def accuracy(model: nn.Module, data: Icons, accelerator: Accelerator) -> float:
    """Return the share of icons whose category is found, each process looking at its own."""
    model.eval()
    right = []
    loader = accelerator.prepare(DataLoader(samples(data), BATCH))
    with torch.inference_mode():
        for inputs, labels in loader:
            right.append(accelerator.gather_for_metrics(model(**inputs).argmax(1) == labels))
    return torch.cat(right).float().mean().item()


if __name__ == "__main__":
    graph = mg.load(sys.argv[1])
    first, second, test = icons()
    whole = Icons(
        {name: torch.cat((t, second.inputs[name])) for name, t in first.inputs.items()},
        torch.cat((first.labels, second.labels)),
    )
    accelerator = Accelerator(cpu=True)
    torch.manual_seed(0)
    for epoch, model in enumerate(epochs(graph, graph.compile(), whole, accelerator), 1):
        found = accuracy(model, test, accelerator)
        accelerator.print(f"epoch {epoch}: {found:.3f} on {len(test.labels)} new icons")
