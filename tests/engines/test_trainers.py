"""Training libraries train a compiled model unchanged: a batch is a dict, `model(**batch)`. The tests show
how labels and losses are passed to each library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, Dataset

import mimgraph as mg
from tests.conftest import needed
from tests.engines.models import MODELS, Model, assert_close, nightly

SAMPLES, BATCH, EPOCHS, RATE = 16, 8, 20, 3e-3

small, *larger = MODELS[:3]
seeds = pytest.mark.parametrize("model", [small, *map(nightly, larger)], ids=str)


class Samples(Dataset[dict[str, Tensor]]):
    """Random inputs of a model by name, and random numbers as `labels`."""

    def __init__(self, model: Model) -> None:
        self.inputs = model.inputs(SAMPLES)
        (output,) = model.graph.outputs.values()
        shape = (SAMPLES, *(int(size) for size in output.dims))
        self.labels = torch.randn(shape, generator=torch.Generator().manual_seed(0))

    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {name: x[index] for name, x in self.inputs.items()} | {"labels": self.labels[index]}

    def loss(self, model: nn.Module) -> float:
        with torch.no_grad():
            return float(mse_loss(model.eval()(**self.inputs), self.labels))


def assert_learned(samples: Samples, model: nn.Module, trained: nn.Module) -> None:
    """Check that the module itself has learned, and still has its class."""
    assert samples.loss(trained) < 0.7 * samples.loss(model)
    assert type(trained) is type(model)


@seeds
def test_accelerate(model: Model) -> None:
    accelerate = needed("accelerate")
    samples, module = Samples(model), model.compile().train()
    accelerator = accelerate.Accelerator(cpu=True)
    wrapped, optimizer, loader = accelerator.prepare(
        module,
        torch.optim.Adam(module.parameters(), RATE),
        DataLoader(samples, BATCH, shuffle=True),
    )
    for _ in range(EPOCHS):
        for batch in loader:
            labels = batch.pop("labels")
            optimizer.zero_grad()
            accelerator.backward(mse_loss(wrapped(**batch), labels))
            optimizer.step()
    assert_learned(samples, model.compile(), accelerator.unwrap_model(wrapped))


@seeds
def test_lightning(model: Model, tmp_path: Path) -> None:
    lightning = needed("lightning")

    class Regression(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self, module: nn.Module) -> None:
            super().__init__()
            self.module = module

        def training_step(self, batch: dict[str, Tensor], _: int) -> Tensor:
            labels = batch.pop("labels")
            return mse_loss(self.module(**batch), labels)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), RATE)

    samples, module = Samples(model), model.compile()
    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        default_root_dir=tmp_path,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Regression(module.train()), DataLoader(samples, BATCH, shuffle=True))
    assert_learned(samples, model.compile(), module)
    (checkpoint,) = tmp_path.glob("checkpoints/*.ckpt")
    restored = Regression.load_from_checkpoint(checkpoint, module=model.compile())
    assert samples.loss(restored.module) == samples.loss(module)


@pytest.fixture
def arguments(tmp_path: Path) -> Any:
    """Return Hugging Face's arguments; `label_names` keeps the labels, as no input has that name."""
    needed("accelerate")  # of the trainer
    transformers = needed("transformers")
    return transformers.TrainingArguments(
        tmp_path,
        num_train_epochs=EPOCHS,
        per_device_train_batch_size=BATCH,
        learning_rate=RATE,
        lr_scheduler_type="constant",
        label_names=["labels"],
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
        save_strategy="no",
    )


@seeds
def test_hugging_face_with_a_loss_function(model: Model, arguments: Any) -> None:
    from transformers import Trainer

    def loss(output: Tensor, labels: Tensor, num_items_in_batch: Any = None) -> Tensor:
        return mse_loss(output, labels)

    samples, module = Samples(model), model.compile()
    Trainer(module, arguments, train_dataset=samples, compute_loss_func=loss).train()
    assert_learned(samples, model.compile(), module)


@seeds
def test_hugging_face_with_a_subclass(model: Model, arguments: Any) -> None:
    from transformers import Trainer

    class Regression(Trainer):
        """Return outputs by name, as the trainer would leave out the first row of a lone tensor."""

        def compute_loss(  # type: ignore[override]
            self, model: nn.Module, inputs: Any, return_outputs: bool = False, **_: Any
        ) -> Any:
            labels = inputs.pop("labels")
            output = model(**inputs)
            loss = mse_loss(output, labels)
            return (loss, {"output": output}) if return_outputs else loss

    samples, module = Samples(model), model.compile()
    trainer = Regression(module, arguments, train_dataset=samples, eval_dataset=samples)
    trainer.train()
    assert_learned(samples, model.compile(), module)
    predicted = torch.from_numpy(trainer.predict(samples).predictions)
    assert_close(predicted, module(**samples.inputs))
    assert trainer.evaluate()["eval_loss"] == pytest.approx(samples.loss(module), rel=1e-3)


def arrays(samples: Samples) -> dict[str, Any]:
    return {name: x.numpy() for name, x in samples.inputs.items()}


@seeds
def test_skorch(model: Model) -> None:
    skorch = needed("skorch")
    samples = Samples(model)
    net = skorch.NeuralNetRegressor(
        model.compile(),
        optimizer=torch.optim.Adam,
        lr=RATE,
        batch_size=BATCH,
        max_epochs=EPOCHS,
        train_split=None,
        verbose=0,
    )
    net.fit(arrays(samples), samples.labels.numpy())
    assert_learned(samples, model.compile(), net.module_)
    assert_close(torch.from_numpy(net.predict(arrays(samples))), net.module_(**samples.inputs))


TWO_PARTS = """
inputs: {size: [2], weight: [3]}
params: {hidden: 8}
nodes:
  both: {merge: concat, from: [size, weight]}
  hidden: {layer: Linear, from: both, out_features: $hidden, activation: ReLU}
  score: {layer: Linear, from: hidden, out_features: 1}
outputs: score
"""


def by_name(table: Any) -> dict[str, Any]:
    """Return the inputs of the model, from the columns of a table."""
    return {"size": table[:, :2], "weight": table[:, 2:]}


def two_parts(hidden: int = 8) -> nn.Module:
    """skorch makes the model by a function, so that its params can be searched."""
    return mg.loads(TWO_PARTS, {"hidden": hidden}).compile()


def test_scikit_learn_pipeline_with_a_search_of_params() -> None:
    skorch = needed("skorch")
    needed("sklearn")
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    torch.manual_seed(0)
    table = torch.randn(64, 5) * 10 + 100
    target = (table.sum(1, keepdim=True) - 500) / 20
    net = skorch.NeuralNetRegressor(
        two_parts,
        optimizer=torch.optim.Adam,
        lr=3e-2,
        max_epochs=40,
        batch_size=16,
        train_split=None,
        verbose=0,
    )
    steps = make_pipeline(StandardScaler(), FunctionTransformer(by_name), net)
    search = GridSearchCV(steps, {"neuralnetregressor__module__hidden": [1, 16]}, cv=2)
    search.fit(table.numpy(), target.numpy())
    assert search.best_score_ > 0.8
    assert search.best_params_ == {"neuralnetregressor__module__hidden": 16}
