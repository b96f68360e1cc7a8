"""Declare the model in Keras 3, on torch."""

from __future__ import annotations

import os
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"
import keras
from keras import layers


# begin model
def model() -> keras.Model:
    image = keras.Input((3, 32, 32), name="image")
    numbers = keras.Input((5,), name="numbers")
    x = layers.Conv2D(16, 3, activation="relu", data_format="channels_first")(image)
    x = layers.MaxPooling2D(2, data_format="channels_first")(x)
    image_vec = layers.Flatten()(x)
    numbers_vec = layers.Dense(64, activation="relu")(numbers)
    fused = layers.Concatenate()([image_vec, numbers_vec])
    score = layers.Dense(1, name="score")(fused)
    return keras.Model([image, numbers], score)


# end model


# begin gated
def gated() -> keras.Model:
    image = keras.Input((3, 32, 32), name="image")
    numbers = keras.Input((5,), name="numbers")
    x = layers.Conv2D(16, 3, activation="relu", data_format="channels_first")(image)
    x = layers.MaxPooling2D(2, data_format="channels_first")(x)
    image_vec = layers.Flatten()(x)
    numbers_vec = layers.Dense(64, activation="relu")(numbers)
    z = layers.Dense(64, activation="sigmoid")(layers.Concatenate()([image_vec, numbers_vec]))
    a = layers.Dense(64, activation="tanh")(image_vec)
    b = layers.Dense(64, activation="tanh")(numbers_vec)
    fused = z * a + (1 - z) * b
    score = layers.Dense(1, name="score")(fused)
    return keras.Model([image, numbers], score)


# end gated

build = model


def unflattened() -> keras.Model:
    image = keras.Input((3, 32, 32), name="image")
    numbers = keras.Input((5,), name="numbers")
    x = layers.Conv2D(16, 3, activation="relu", data_format="channels_first")(image)
    x = layers.MaxPooling2D(2, data_format="channels_first")(x)
    numbers_vec = layers.Dense(64, activation="relu")(numbers)
    return keras.Model([image, numbers], layers.Concatenate()([x, numbers_vec]))


def misspelt() -> Any:
    return layers.Conv2D(16, 3, stirde=2)


def call(model: keras.Model, image: Any, numbers: Any) -> Any:
    return model([image, numbers])
