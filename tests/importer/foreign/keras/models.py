"""Models of Keras that the importer must turn into equal ones; `small` ones are stored as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import Input, Model, Sequential, ops
from keras import layers as L

MODELS: dict[str, Callable[[], Any]] = {}
SMALL: list[str] = []


def model(function: Callable[[], Any]) -> Callable[[], Any]:
    """Keep the function that makes a model."""
    MODELS[function.__name__] = function
    return function


def small(function: Callable[[], Any]) -> Callable[[], Any]:
    """Keep the function that makes a model which is stored as a file too."""
    SMALL.append(function.__name__)
    return model(function)


@small
def text_numbers() -> Any:
    text, numbers = Input((None,), dtype="int32", name="text"), Input((5,), name="numbers")
    x = L.LSTM(6)(L.Embedding(20, 4)(text))
    x = L.concatenate([x, L.Dense(4, activation="relu")(numbers)])
    return Model({"text": text, "numbers": numbers}, {"score": L.Dense(1)(x)}, name="text_numbers")


@small
def image_numbers() -> Any:
    image, numbers = Input((10, 12, 3), name="image"), Input((5,), name="numbers")
    x = L.Conv2D(4, 3, padding="same", activation="relu")(image)
    x = L.MaxPooling2D()(x)
    x = L.Conv2D(6, 3, strides=2, padding="same")(x)
    x = L.ReLU()(L.BatchNormalization()(x))
    x = L.Dropout(0.1)(L.concatenate([L.Flatten()(x), numbers]))
    return Model([image, numbers], L.Dense(2)(x))


@model
def masked_chain() -> Any:
    layers = [L.Masking(), L.LSTM(4, return_sequences=True), L.Dropout(0.2), L.LSTM(3)]
    return Sequential([Input((7, 3)), *layers])


@small
def both_directions() -> Any:
    x = given = Input((6, 3))
    x = L.Bidirectional(L.GRU(2, return_sequences=True))(x)
    x = L.Bidirectional(L.LSTM(2), merge_mode="sum")(x)
    return Model(given, L.Dense(2)(x))


@model
def states() -> Any:
    given = Input((None, 6))
    y, h = L.SimpleRNN(5, return_state=True, return_sequences=True)(given)
    z, h2, c2 = L.LSTM(5, return_state=True)(y)
    w = L.LSTM(5, go_backwards=True, return_sequences=True)(y, initial_state=[h2, c2])
    return Model(given, [y, h, z, c2, w])


@model
def translator() -> Any:
    source = Input((None,), dtype="int64", name="source")
    target = Input((None,), dtype="int64", name="target")
    _, h, c = L.LSTM(8, return_state=True)(L.Embedding(20, 6)(source))
    x = L.LSTM(8, return_sequences=True)(L.Embedding(25, 6)(target), initial_state=[h, c])
    return Model([source, target], L.TimeDistributed(L.Dense(25, activation="softmax"))(x))


@model
def masks() -> Any:
    text = Input((7,), dtype="int32", name="text")
    x = L.Embedding(20, 6, mask_zero=True)(text)
    attended = L.GlobalAveragePooling1D()(L.MultiHeadAttention(2, 3)(x, x))
    results = [L.LSTM(5)(x), L.GlobalAveragePooling1D()(x), L.Bidirectional(L.GRU(3))(x), attended]
    return Model(text, results)


@small
def transformer() -> Any:
    text = Input((5,), dtype="int32")
    x = L.Embedding(20, 8)(text)
    a = L.MultiHeadAttention(4, 2)(x, x)
    x = L.LayerNormalization(epsilon=1e-6)(L.Add()([x, L.Dropout(0.1)(a)]))
    x = L.LayerNormalization()(x + L.Dense(8)(L.Dense(12, activation="relu")(x)))
    x = L.Add()([x, L.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)])
    return Model(text, L.Dense(2)(L.GlobalAveragePooling1D()(x)))


@model
def cross_attention() -> Any:
    query, key = Input((4, 8)), Input((6, 12))
    a, s = L.MultiHeadAttention(2, 4, value_dim=3)(query, key, return_attention_scores=True)
    b = L.MultiHeadAttention(2, 4)(query, key)
    c = L.Attention()([query, L.Dense(8)(key)])
    return Model([query, key], [a, s, b, c])


@model
def shared_layers() -> Any:
    left, right = Input((16, 16, 3), name="left"), Input((16, 16, 3), name="right")
    convolution, dense = L.Conv2D(4, 3, activation="relu"), L.Dense(6)
    towers = [dense(L.Flatten()(convolution(one))) for one in (left, right)]
    return Model([left, right], L.Dense(1)(L.Dot(1, normalize=True)(towers)))


@small
def shared_model() -> Any:
    given = Input((8, 8, 3))
    x = L.GlobalMaxPooling2D()(L.Conv2D(4, 3)(given))
    encoder = Model(given, L.Dense(3, activation="tanh")(x), name="encoder")
    a, b = Input((8, 8, 3), name="a"), Input((8, 8, 3), name="b")
    return Model([a, b], L.Dense(2)(L.Subtract()([encoder(a), encoder(b)])))


@model
def shared_model_of_several_results() -> Any:
    given = Input((12, 12, 3))
    x = L.Conv2D(4, 3)(given)
    both = Model(given, [x, L.GlobalAveragePooling2D()(x)], name="both")
    image = Input((12, 12, 3))
    (u, v), (u2, v2) = both(image), both(image)
    return Model(image, [L.Flatten()(L.Conv2D(2, 3)(u)), L.Add()([v, v2]), u2])


@model
def model_called_by_names() -> Any:
    p, q = Input((4,), name="p"), Input((3,), name="q")
    inner = Model({"q": q, "p": p}, L.Dense(2)(L.concatenate([L.Dense(3)(p), q])))
    a, b = Input((4,), name="a"), Input((3,), name="b")
    return Model([a, b], inner({"p": a, "q": b}))


@model
def decoder() -> Any:
    code = Input((6,))
    x = L.Reshape((7, 7, 4))(L.Dense(7 * 7 * 4, activation="relu")(code))
    x = L.LeakyReLU()(L.BatchNormalization()(L.Conv2DTranspose(3, 3, strides=2, padding="same")(x)))
    return Model(code, L.Conv2DTranspose(1, 5, strides=2, padding="same", activation="tanh")(x))


@model
def steps() -> Any:
    given = Input((20, 4))
    x = L.ReLU()(L.BatchNormalization()(L.Conv1D(6, 3, padding="same")(given)))
    x = L.ZeroPadding1D(2)(L.Cropping1D((1, 2))(L.UpSampling1D(2)(x)))
    joined = L.Concatenate(axis=1)([x, L.Conv1D(6, 1)(given)])
    found = [L.LSTM(3)(x), L.SeparableConv1D(5, 3)(given), L.Flatten()(x), L.Permute((2, 1))(x)]
    return Model(given, [*found, L.AveragePooling1D(2, padding="same")(joined)])


@model
def broadcast() -> Any:
    a, b, c = Input((6, 8, 3)), Input((1, 1, 3)), Input((6, 8, 1))
    x = L.Conv2D(3, 1)(a)
    found = [L.Add()([x, b]), L.Multiply()([x, c]), L.Maximum()([x, b]), L.Average()([x, a, x])]
    return Model([a, b, c], [*found, L.Concatenate(axis=1)([x, a])])


@model
def products() -> Any:
    a, b = Input((5, 8)), Input((6, 8))
    found = [L.Dot((2, 2))([a, b]), L.Dot(2, normalize=True)([a, b]), L.Attention()([a, b])]
    return Model([a, b], found)


@model
def operators_of_images() -> Any:
    a, image = Input((4, 6)), Input((6, 6, 3))
    c = L.Conv2D(5, 3)(image)
    found = [ops.sum(c, axis=(1, 2)), ops.mean(c, axis=-1), ops.mean(c, axis=[1, 2], keepdims=True)]
    found += [c / 2, ops.softmax(c, axis=-1), c + image[:, 1:5, 1:5, 0:1], image[:, 0, :, ::2]]
    found += [ops.stack([a, a], axis=1), ops.squeeze(ops.expand_dims(a, 1), 1), ops.clip(a, -1, 1)]
    return Model([a, image], [*found, ops.gelu(a), ops.maximum(a, 0.5), a[:, :, 2:], a[:, -2:]])


@model
def transposed() -> Any:
    image, steps = Input((5, 7, 2)), Input((6, 3))
    found = [L.Conv2DTranspose(3, 2, strides=3)(image), L.Conv2DTranspose(3, 5, strides=3)(image)]
    found.append(L.Conv2DTranspose(3, 2, strides=3, padding="same")(image))
    found.append(L.Conv2DTranspose(3, 3, padding="same", dilation_rate=2)(image))
    found.append(L.Conv1DTranspose(3, 5, strides=2, padding="same")(steps))
    return Model([image, steps], [L.Flatten()(one) for one in found])


@model
def windows() -> Any:
    image = Input((11, 14, 2))
    found = [L.Conv2D(3, (3, 2), strides=s, padding="same")(image) for s in (1, 2, 3)]
    found += [L.MaxPooling2D(p, s, padding="same")(image) for p in (2, 3) for s in (1, 2, 4)]
    # not (3, 2) and (3, 4), where Keras on torch repeats the border instead of leaving it out
    found += [L.AveragePooling2D(2, s, padding="same")(image) for s in (1, 2, 4)]
    found.append(L.AveragePooling2D(3, 1, padding="same")(image))
    found += [L.AveragePooling2D(3, 2)(image), L.Conv2D(4, 3, groups=2, dilation_rate=2)(image)]
    return Model(image, [L.Flatten()(one) for one in found])


@model
def video() -> Any:
    x = given = Input((4, 12, 12, 3))
    for layer in (L.Conv2D(5, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(6)):
        x = L.TimeDistributed(layer)(x)
    return Model(given, L.LSTM(3)(x))


@model
def separable() -> Any:
    x = given = Input((17, 19, 4))
    x = L.SeparableConv2D(6, 3, depth_multiplier=2, activation="silu")(x)
    x = L.DepthwiseConv2D(3, strides=2, padding="same")(x)
    x = L.LayerNormalization()(L.GroupNormalization(3)(x))
    x = L.ZeroPadding2D(((1, 0), (2, 1)))(L.PReLU(shared_axes=[1, 2])(x))
    return Model(given, L.Flatten()(L.Cropping2D(1)(x)))


@small
def operators() -> Any:
    a, b = Input((5, 4), name="a"), Input((5, 4), name="b")
    x = (a * 2 + 1 - b) / (ops.abs(b) + 0.5)
    x = ops.relu(ops.mean(x, axis=1) + ops.max(a, axis=1)) ** 2
    products = ops.matmul(a, ops.transpose(b, (0, 2, 1)))
    cut = ops.concatenate([a, b], axis=-1)[:, 1:3, :]
    last, flat = a[:, -1, :], ops.softmax(ops.reshape(b, (-1, 20)))
    fixed = ops.exp(-a) + ops.arange(4.0)
    return Model([a, b], [x, products, cut, last, flat, fixed, ops.expand_dims(last, 1), 1 - a])


@model
def volume() -> Any:
    given = Input((8, 8, 8, 2))
    x = L.MaxPooling3D()(L.Conv3D(4, 3, activation="elu")(given))
    x = L.Flatten()(L.AveragePooling3D(2, padding="same")(x))
    return Model(given, L.Dense(3)(x))


@model
def channels_first() -> Any:
    given, first = Input((3, 16, 16)), {"data_format": "channels_first"}
    x = L.Conv2D(4, 3, padding="same", **first)(given)
    x = L.AveragePooling2D(2, **first)(L.BatchNormalization(axis=1)(x))
    return Model(given, L.Dense(3)(L.GlobalAveragePooling2D(**first)(x)))


@small
def scaled() -> Any:
    image, numbers = Input((4, 6, 3), name="image"), Input((4,), name="numbers")
    x = L.Rescaling(1 / 127.5, offset=-1)(image)
    x = L.Rescaling([0.5, 1.0, 2.0], offset=[1.0, 2.0, 3.0])(x)
    x = L.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0])(x)
    x = L.Resizing(5, 7)(L.Conv2D(4, 3)(L.RandomFlip()(x)))
    learned = L.Normalization()
    learned.adapt(np.random.default_rng(0).normal(1, 3, (50, 4)))
    return Model([image, numbers], [L.Flatten()(x), learned(numbers)])


@model
def reordered() -> Any:
    given = Input((6, 8, 4))
    x = L.Conv2D(5, 3, padding="same")(given)
    flat = L.BatchNormalization()(L.Flatten()(x))
    found = [L.Permute((3, 1, 2))(x), L.Reshape((24, 10))(x), L.Reshape((16, 15))(flat), flat]
    mixed = L.Concatenate()([L.Flatten()(x), L.Flatten()(given)])
    return Model(given, [*found, L.Flatten()(L.Permute((2, 1, 3))(x)), L.Softmax()(mixed)])


ACTIVATIONS = (
    "relu relu6 sigmoid tanh softplus softsign elu selu gelu silu mish hard_sigmoid hard_silu leaky_relu "
    "exponential log_softmax celu log_sigmoid hard_tanh soft_shrink hard_shrink tanh_shrink squareplus"
)


@model
def activations() -> Any:
    given = Input((6,))
    found = [L.Activation(name)(given) for name in ACTIVATIONS.split()]
    layers = [L.LeakyReLU(), L.ELU(0.5), L.ReLU(max_value=3.0), L.ReLU(6.0), L.Softmax(), L.PReLU()]
    return Model(given, found + [layer(given) for layer in layers])


@model
def norms() -> Any:
    given = Input((6,))
    layers = [
        L.UnitNormalization(),
        L.RMSNormalization(),
        L.LayerNormalization(center=False),
        L.LayerNormalization(scale=False),
        L.BatchNormalization(scale=False, momentum=0.9),
        L.BatchNormalization(center=False, scale=False),
        L.GroupNormalization(2),
        L.RepeatVector(3),
        L.Dense(4, use_bias=False),
        L.EinsumDense("ab,bc->ac", output_shape=3, bias_axes="c"),
    ]
    return Model(given, [layer(given) for layer in layers])


def _application(name: str, size: int) -> None:
    def make() -> Any:
        import keras

        return getattr(keras.applications, name)(
            weights=None, input_shape=(size, size, 3), classes=10
        )

    MODELS[name] = make


for _name in (
    *("MobileNetV2", "MobileNetV3Small", "ResNet50", "EfficientNetB0", "EfficientNetV2B0"),
    *("DenseNet121", "ConvNeXtTiny", "VGG16"),
):
    _application(_name, 32)
_application("InceptionV3", 75)
_application("Xception", 71)
