"""The article's two networks in Keras, narrow or at full size, and weights to start them from."""

import math

import keras
import numpy as np
from keras import layers

import shake

ADAM = {"learningRate": 2e-4, "beta1": 0.5, "beta2": 0.999, "epsilon": 1e-7}


def channels(base: int, width: float) -> int:
    count = base * width
    if count != int(count) or count < 1:
        raise SystemExit(f"width {width} makes {count} of {base} channels: not a whole number")
    return int(count)


def generator(latent_size: int, image_size: int, width: float) -> keras.Sequential:
    """`build_generator` of the article, without the Model that it wraps around."""
    keras.utils.clear_session()  # so that names count from the start: conv2d, conv2d_1, ...
    side, wide = image_size // 4, channels(128, width)
    return keras.Sequential(
        [
            keras.Input((latent_size,)),
            layers.Dense(side * side * wide, activation="relu"),
            layers.Reshape((side, side, wide)),
            layers.BatchNormalization(momentum=0.8),
            layers.UpSampling2D(),
            layers.Conv2D(wide, kernel_size=3, padding="same"),
            layers.Activation("relu"),
            layers.BatchNormalization(momentum=0.8),
            layers.UpSampling2D(),
            layers.Conv2D(channels(64, width), kernel_size=3, padding="same"),
            layers.Activation("relu"),
            layers.BatchNormalization(momentum=0.8),
            layers.Conv2D(3, kernel_size=3, padding="same"),
            layers.Activation("tanh"),
        ],
        name="generator",
    )


def discriminator(image_size: int, width: float, dropout_rate: float) -> keras.Sequential:
    """`build_discriminator` of the article, without the Model that it wraps around."""
    keras.utils.clear_session()
    return keras.Sequential(
        [
            keras.Input((image_size, image_size, 3)),
            layers.Conv2D(channels(32, width), kernel_size=3, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout_rate),
            layers.Conv2D(channels(64, width), kernel_size=3, strides=2, padding="same"),
            layers.ZeroPadding2D(padding=((0, 1), (0, 1))),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout_rate),
            layers.BatchNormalization(momentum=0.8),
            layers.Conv2D(channels(128, width), kernel_size=3, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout_rate),
            layers.BatchNormalization(momentum=0.8),
            layers.Conv2D(channels(256, width), kernel_size=3, strides=1, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout_rate),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="discriminator",
    )


def optimizer() -> keras.optimizers.Adam:
    return keras.optimizers.Adam(
        ADAM["learningRate"],
        beta_1=ADAM["beta1"],
        beta_2=ADAM["beta2"],
        epsilon=ADAM["epsilon"],
    )


def variables(network: keras.Sequential) -> dict[str, keras.Variable]:
    """Every weight by its name, e.g. `conv2d_1/kernel`."""
    return {
        f"{layer.name}/{weight.name}": weight
        for layer in network.layers
        for weight in layer.weights
    }


def start(key: str, network: keras.Sequential) -> dict[str, dict]:
    """
    Where each weight starts: uniform over shift ± scale, from the stream `<key>/<weight name>`.
    Kernels as glorot-uniform does; the others not at Keras's 0 and 1, so that every one matters.
    """
    spread = {
        "bias": (0.0, 0.1),
        "gamma": (1.0, 0.3),
        "beta": (0.0, 0.2),
        "moving_mean": (0.0, 0.3),
        "moving_variance": (1.0, 0.5),
    }
    recipes = {}
    for name, weight in variables(network).items():
        kind = name.split("/")[1]
        shift, scale = spread.get(kind, (0.0, 0.0))
        if kind == "kernel":
            *window, inputs, outputs = weight.shape
            scale = math.sqrt(6 / (math.prod(window) * (inputs + outputs)))
        recipes[name] = recipe(f"{key}/{name}", weight.shape, scale, shift)
    return recipes


def recipe(key: str, shape, scale: float = 1.0, shift: float = 0.0) -> dict:
    """A tensor that is not stored but drawn: see `draw` and README.md."""
    return {
        "encoding": "shake128",
        "key": key,
        "shape": [int(length) for length in shape],
        "scale": float(np.float32(scale)),
        "shift": float(np.float32(shift)),
    }


def draw(ref: dict) -> np.ndarray:
    """The tensor of a recipe: two float32 operations, each rounded once."""
    values = shake.uniform(ref["key"], math.prod(ref["shape"]))
    return (values * np.float32(ref["scale"]) + np.float32(ref["shift"])).reshape(ref["shape"])
