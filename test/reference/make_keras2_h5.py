"""
Writes keras2/: the article's generator, narrow, as Keras 2.2.4 saved it with `generator.save(...)`,
and what it predicts. Keras 2 needs a Python of its time, so its layout is rebuilt with h5py from its
source (keras-team/keras, tag 2.2.4: `engine/saving.py`, `engine/network.py`, the layers' get_config);
the predictions are those of Keras 3 with the same weights.

What differs from Keras 3: names count from 1 and go on behind the discriminator, which the article's
script builds first; a Sequential begins with no InputLayer but with a `batch_input_shape`; weights end
with `:0`; nodes are lists; the weights of all layers lie in one group, the trainable ones first.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import json
from pathlib import Path

import h5py
import numpy as np

import article
import fixture
import shake

LATENT_SIZE, IMAGE_SIZE, WIDTH, COUNT = 100, 32, 0.0625, 3
VERSION = b"2.2.4"

# How many of each kind the discriminator had taken when the generator was built.
TAKEN = {"dense": 1, "conv2d": 4, "batch_normalization": 2, "activation": 0}

GLOROT = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
}


def named(class_name: str, config: dict) -> dict:
    return {"class_name": class_name, "config": config}


ZEROS, ONES = named("Zeros", {}), named("Ones", {})
UNREGULATED = {
    f"{part}_{kind}": None
    for part in ("kernel", "bias", "activity")
    for kind in ("regularizer", "constraint")
    if (part, kind) != ("activity", "constraint")
}
WEIGHTED = {"use_bias": True, "kernel_initializer": GLOROT, "bias_initializer": ZEROS}


def layer_config(layer, name: str) -> dict:
    kind = type(layer).__name__
    base = {"name": name, "trainable": True}
    ours = layer.get_config()
    if kind == "Dense":
        extra = {"units": layer.units, "activation": "relu"} | WEIGHTED | UNREGULATED
        base |= {"batch_input_shape": [None, LATENT_SIZE], "dtype": "float32"}
    elif kind == "Conv2D":
        keys = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate")
        extra = {key: ours[key] for key in keys} | {"activation": "linear"} | WEIGHTED | UNREGULATED
    elif kind == "BatchNormalization":
        keys = ("axis", "momentum", "epsilon", "center", "scale")
        extra = {key: ours[key] for key in keys} | {
            "beta_initializer": ZEROS,
            "gamma_initializer": ONES,
            "moving_mean_initializer": ZEROS,
            "moving_variance_initializer": ONES,
            "beta_regularizer": None,
            "gamma_regularizer": None,
            "beta_constraint": None,
            "gamma_constraint": None,
        }
    elif kind == "UpSampling2D":
        extra = {"size": [2, 2], "data_format": "channels_last", "interpolation": "nearest"}
    elif kind == "Reshape":
        extra = {"target_shape": list(layer.target_shape)}
    elif kind == "Activation":
        extra = {"activation": ours["activation"]}
    else:
        raise SystemExit(f"{kind} is no layer of the article's generator")
    return named(kind, base | extra)


def old_name(name: str) -> str:
    kind, _, number = name.rpartition("_")
    if not number.isdigit():
        kind, number = name, "0"
    return f"{kind}_{TAKEN.get(kind, 0) + int(number) + 1}"


def model_config(network) -> dict:
    inside = [layer_config(layer, old_name(layer.name)) for layer in network.layers]
    sequential = {"name": "sequential_2", "layers": inside, "build_input_shape": [None, LATENT_SIZE]}
    noise = {"batch_input_shape": [None, LATENT_SIZE], "dtype": "float32", "sparse": False}
    layers = [
        named("InputLayer", noise | {"name": "input_2"}) | {"name": "input_2", "inbound_nodes": []},
        named("Sequential", sequential)
        | {"name": "sequential_2", "inbound_nodes": [[["input_2", 0, 0, {}]]]},
    ]
    return named(
        "Model",
        {
            "name": "model_2",
            "layers": layers,
            "input_layers": [["input_2", 0, 0]],
            "output_layers": [["sequential_2", 1, 0]],
        },
    )


def save(network, path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = VERSION
        file.attrs["backend"] = b"tensorflow"
        file.attrs["model_config"] = json.dumps(model_config(network)).encode()
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"input_2", b"sequential_2"]
        weights.attrs["backend"] = b"tensorflow"
        weights.attrs["keras_version"] = VERSION
        weights.create_group("input_2").attrs["weight_names"] = []
        group = weights.create_group("sequential_2")
        ordered = [
            (f"{old_name(layer.name)}/{weight.name}:0", weight)
            for trainable in (True, False)
            for layer in network.layers
            for weight in layer.weights
            if weight.trainable == trainable
        ]
        group.attrs["weight_names"] = [name.encode() for name, _ in ordered]
        for name, weight in ordered:
            group[name] = np.asarray(weight)
        # The article compiles its generator; what Adam keeps is in the file too.
        group = file.create_group("optimizer_weights")
        group.attrs["weight_names"] = [b"Adam/iterations:0"]
        group["Adam/iterations:0"] = np.int64(0)


def main() -> None:
    folder = Path(__file__).parent / "keras2"
    folder.mkdir(exist_ok=True)
    network = article.generator(LATENT_SIZE, IMAGE_SIZE, WIDTH)
    for name, recipe in article.start("keras2", network).items():
        article.variables(network)[name].assign(article.draw(recipe))
    latents = shake.uniform("keras2/latents", COUNT * LATENT_SIZE).reshape(COUNT, LATENT_SIZE)
    images = network.predict(latents, verbose=0)
    save(network, folder / "generator.h5")
    expected = {
        "latents": [[float(value) for value in row] for row in latents],
        "shape": list(images.shape),
        "images": [float(str(value)) for value in images.ravel()],
    }
    fixture.write(folder / "generator.json", expected)


if __name__ == "__main__":
    main()
