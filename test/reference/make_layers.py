"""
Writes layers/: small generators with the layers that strangers use, as real Keras saves them, and what
Keras predicts. docs/import.md lists which model has which layer.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
from keras import layers

import article
import fixture
import shake

LATENT_SIZE, CLASSES, COUNT = 12, 3, 2
FOLDER = Path(__file__).parent / "layers"


def head(units: int, *shape: int) -> tuple:
    z = keras.Input((LATENT_SIZE,), name="noise")
    return z, layers.Reshape(shape)(layers.Dense(units)(z))


def image(x, channels: int = 3, activation: str | None = "tanh"):
    return layers.Conv2D(channels, 3, padding="same", activation=activation)(x)


def mlp() -> keras.Model:
    """Several Dense layers, BatchNormalization on flat numbers, grey."""
    return keras.Sequential(
        [
            keras.Input((LATENT_SIZE,)),
            layers.Dense(16, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(24),
            layers.LeakyReLU(negative_slope=0.2),
            layers.BatchNormalization(),
            layers.Dense(8 * 10, activation="tanh"),
            layers.Reshape((8, 10, 1)),
        ]
    )


def decoder() -> keras.Model:
    """A VAE's decoder: two Dense layers, transposed convolutions, RGBA of [0, 1]."""
    z, x = head(20, 20)
    x = layers.Dense(4 * 4 * 5, activation="relu")(x)
    x = layers.Reshape((4, 4, 5))(x)
    x = layers.Conv2DTranspose(6, 3, strides=2, padding="same", activation="relu")(x)
    return keras.Model(z, layers.Conv2DTranspose(4, 3, padding="same", activation="sigmoid")(x))


def normalization_before_reshape() -> keras.Model:
    """Dense, LeakyReLU, BatchNormalization, Reshape."""
    return keras.Sequential(
        [
            keras.Input((LATENT_SIZE,)),
            layers.Dense(4 * 3 * 5),
            layers.LeakyReLU(),
            layers.BatchNormalization(),
            layers.Reshape((4, 3, 5)),
            layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh"),
        ]
    )


def strides() -> keras.Model:
    """Transposed convolutions of strides 3 and 4, kernels smaller than strides and not square."""
    z, x = head(3 * 2 * 4, 3, 2, 4)
    x = layers.Conv2DTranspose(5, 4, strides=4, padding="same")(x)
    x = layers.Conv2DTranspose(4, 2, strides=3, padding="same", activation="relu")(x)
    x = layers.Conv2D(4, (3, 5), strides=(3, 2), padding="same")(x)
    x = layers.Conv2DTranspose(3, (5, 2), strides=(1, 2), padding="same", activation="tanh")(x)
    return keras.Model(z, x)


def valid() -> keras.Model:
    """`valid` padding, of both kinds of convolution; dilation; groups; ELU."""
    z, x = head(4 * 4 * 4, 4, 4, 4)
    x = layers.Conv2DTranspose(4, 5, padding="valid", activation="elu")(x)
    x = layers.Conv2DTranspose(6, 3, strides=2, padding="valid")(x)
    x = layers.ELU(alpha=0.7)(x)
    x = layers.Conv2DTranspose(6, 2, strides=3, padding="valid")(x)
    x = layers.Conv2D(6, 3, strides=2, padding="valid", activation="elu")(x)
    x = layers.Conv2D(6, 3, padding="valid", dilation_rate=2)(x)
    x = layers.Conv2D(4, 3, padding="same", groups=2)(x)
    return keras.Model(z, layers.Conv2D(3, 3, padding="valid", activation="tanh")(x))


def output_padding() -> keras.Model:
    """`output_padding`, ZeroPadding2D and Cropping2D."""
    z, x = head(3 * 3 * 4, 3, 3, 4)
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1)(x)
    x = layers.Conv2DTranspose(4, 4, strides=2, padding="valid", output_padding=1)(x)
    x = layers.ZeroPadding2D(((1, 0), (2, 1)))(x)
    x = layers.Cropping2D(((0, 2), (1, 1)))(x)
    return keras.Model(z, image(x))


def activations() -> keras.Model:
    """Every activation, by name and as a layer."""
    z, x = head(4 * 4 * 4, 4, 4, 4)
    names = ["selu", "silu", "swish", "gelu", "softplus", "softsign", "mish", "relu6"]
    names += ["hard_sigmoid", "hard_silu", "hard_tanh", "exponential", "leaky_relu"]
    for name in names:
        x = layers.Conv2D(4, 1, activation=name)(x)
    x = layers.PReLU(shared_axes=[1, 2])(x)
    x = layers.PReLU()(x)
    x = layers.ReLU(max_value=2.0)(x)
    x = layers.ReLU(negative_slope=0.1)(x)
    return keras.Model(z, image(x, activation=None))


def resizing() -> keras.Model:
    """Bilinear and nearest upsampling by any factor, Resizing, Rescaling to 0 … 255."""
    z, x = head(3 * 4 * 4, 3, 4, 4)
    x = layers.UpSampling2D((2, 3), interpolation="bilinear")(x)
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    x = layers.UpSampling2D((3, 1))(x)
    x = layers.Resizing(13, 17)(x)
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    x = layers.Resizing(16, 20, interpolation="nearest")(x)
    return keras.Model(z, layers.Rescaling(127.5, 127.5)(image(x)))


def normalizations() -> keras.Model:
    """LayerNormalization and GroupNormalization, and a frozen BatchNormalization."""
    z, x = head(4 * 4 * 6, 4, 4, 6)
    x = layers.LayerNormalization()(x)
    x = layers.UpSampling2D()(x)
    x = layers.Conv2D(6, 3, padding="same")(x)
    x = layers.GroupNormalization(3)(x)
    x = layers.Activation("relu")(x)
    x = layers.Conv2D(6, 3, padding="same")(x)
    x = layers.GroupNormalization(-1)(x)
    return keras.Model(z, image(x))


def separable() -> keras.Model:
    """SeparableConv2D and DepthwiseConv2D, also with several outputs a channel."""
    z, x = head(6 * 6 * 4, 6, 6, 4)
    x = layers.SeparableConv2D(6, 3, padding="same", activation="relu")(x)
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", activation="relu")(x)
    x = layers.DepthwiseConv2D(3, padding="valid", depth_multiplier=2)(x)
    x = layers.UpSampling2D(4)(x)
    x = layers.SeparableConv2D(4, 5, padding="same", depth_multiplier=2, use_bias=False)(x)
    return keras.Model(z, image(x))


def one_pixel() -> keras.Model:
    """An input of [1, 1, 12], as PyTorch's tutorial has it."""
    z = keras.Input((1, 1, LATENT_SIZE))
    x = layers.Conv2DTranspose(6, 4, padding="valid", use_bias=False)(z)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(4, 4, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return keras.Model(z, image(x))


def skips() -> keras.Model:
    """Add, Subtract, Multiply, Average, Maximum, Minimum and Concatenate."""
    z, x = head(4 * 4 * 6, 4, 4, 6)
    x = layers.UpSampling2D()(x)
    y = layers.BatchNormalization()(x)
    y = layers.Conv2D(6, 3, padding="same", activation="relu")(y)
    y = layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same")(y))
    x = layers.Activation("relu")(layers.Add()([x, y]))
    x = layers.Subtract()([layers.Average()([x, y]), layers.Conv2D(6, 1)(x)])
    gate = layers.Reshape((1, 1, 6))(layers.Dense(6, activation="sigmoid")(z))
    x = layers.Multiply()([x, gate])
    x = layers.Maximum()([x, layers.Minimum()([x, y])])
    x = layers.Concatenate()([x, y, x])
    return keras.Model(z, image(x))


def outputs() -> keras.Model:
    """Images of two sizes."""
    z, x = head(4 * 4 * 6, 4, 4, 6)
    small = layers.Conv2D(3, 3, padding="same", activation="tanh", name="small")(x)
    x = layers.UpSampling2D()(x)
    large = layers.Conv2D(3, 3, padding="same", activation="tanh", name="large")(x)
    return keras.Model(z, [small, large])


def conditional_embedding() -> keras.Model:
    """A class by Embedding, its features beside the latent's (Concatenate)."""
    label = keras.Input((1,), dtype="int32", name="label")
    z, x = head(4 * 4 * 5, 4, 4, 5)
    y = layers.Dense(4 * 4)(layers.Embedding(CLASSES, 7)(label))
    x = layers.Concatenate()([x, layers.Reshape((4, 4, 1))(y)])
    x = layers.Conv2DTranspose(6, 4, strides=2, padding="same", activation="relu")(x)
    return keras.Model([z, label], image(x))


def conditional_product() -> keras.Model:
    """The latent multiplied by the Embedding of the class, as in Keras-GAN's ACGAN."""
    z = keras.Input((LATENT_SIZE,), name="noise")
    label = keras.Input((1,), dtype="int32", name="label")
    y = layers.Flatten()(layers.Embedding(CLASSES, LATENT_SIZE)(label))
    x = layers.Multiply()([z, y])
    x = layers.Reshape((4, 4, 4))(layers.Dense(4 * 4 * 4)(x))
    return keras.Model([label, z], image(layers.UpSampling2D()(x)))


def conditional_one_hot() -> keras.Model:
    """The class as a one-hot vector beside the latent."""
    z = keras.Input((LATENT_SIZE,), name="noise")
    label = keras.Input((CLASSES,), name="label")
    x = layers.Concatenate()([z, label])
    x = layers.Reshape((4, 4, 4))(layers.Dense(4 * 4 * 4)(x))
    return keras.Model([z, label], image(x))


def frozen() -> keras.Model:
    """A layer that is not trained, in a Sequential in a Sequential: Keras 2 stores it last."""
    inner = keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            layers.Conv2D(3, 3, padding="same"),
            layers.BatchNormalization(),
            layers.Conv2D(3, 3, padding="same"),
            layers.Conv2D(3, 3, padding="same", activation="tanh"),
        ]
    )
    inner.layers[2].trainable = False
    return keras.Sequential(
        [
            keras.Input((LATENT_SIZE,)),
            layers.Dense(4 * 4 * 3),
            layers.Reshape((4, 4, 3)),
            inner,
        ]
    )


def half(dtype: str) -> keras.Model:
    keras.config.set_dtype_policy(dtype)
    z, x = head(4 * 4 * 3, 4, 4, 3)
    model = keras.Model(z, image(x))
    keras.config.set_dtype_policy("float32")
    return model


def whole_gan() -> keras.Model:
    """A generator and a discriminator in one model."""
    z, x = head(4 * 4 * 3, 4, 4, 3)
    generator = keras.Model(z, image(x), name="the_generator")
    discriminator = keras.Sequential(
        [keras.Input((4, 4, 3)), layers.Flatten(), layers.Dense(1, activation="sigmoid")],
        name="the_discriminator",
    )
    return keras.Sequential([keras.Input((LATENT_SIZE,)), generator, discriminator])


# In both formats where their reading differs; in one elsewhere.
BOTH = ["h5", "keras"]
MODELS = {
    mlp: ["h5"],
    decoder: ["keras"],
    normalization_before_reshape: ["keras"],
    strides: ["keras"],
    valid: ["keras"],
    output_padding: ["keras"],
    activations: BOTH,
    resizing: ["keras"],
    normalizations: BOTH,
    separable: BOTH,
    one_pixel: ["keras"],
    skips: BOTH,
    outputs: ["keras"],
    conditional_embedding: BOTH,
    conditional_product: ["h5"],
    conditional_one_hot: ["keras"],
    frozen: BOTH,
    whole_gan: BOTH,
}


def set_weights(model: keras.Model, key: str) -> None:
    """Far from where Keras starts, so that no weight can be taken for another."""
    for i, weight in enumerate(model.weights):
        shape = weight.shape
        values = shake.uniform(f"{key}/{i}", int(np.prod(shape))).reshape(shape)
        fan = np.prod(shape[:-1]) if len(shape) > 1 else 4
        positive = "variance" in weight.path or "gamma" in weight.path
        weight.assign(1 + 0.5 * values if positive else 1.5 * values / np.sqrt(fan))


def feeds(model: keras.Model, latents: np.ndarray) -> list:
    def one(tensor):
        if "label" not in tensor.name:
            return latents.reshape(COUNT, *tensor.shape[1:])
        label = np.arange(COUNT) % CLASSES
        return np.eye(CLASSES)[label] if tensor.shape[1] == CLASSES else label[:, None]

    return [one(tensor) for tensor in model.inputs]


def images_of(model: keras.Model, latents: np.ndarray) -> np.ndarray:
    given = feeds(model, latents)
    made = model.predict(given if len(given) > 1 else given[0], verbose=0)
    return made[-1] if isinstance(made, list) else made


def as_keras_2_13(path: Path, target: Path) -> None:
    """The same archive with its weights where Keras 2.13 kept them."""
    import io

    import h5py

    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    buffer = io.BytesIO(members["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        file.move("layers", "_layer_checkpoint_dependencies")
    members["model.weights.h5"] = buffer.getvalue()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    latents = shake.uniform("layers/latents", COUNT * LATENT_SIZE).reshape(COUNT, LATENT_SIZE)
    models = {}

    def add(name: str, model: keras.Model, taken: keras.Model | None = None) -> None:
        images = images_of(taken or model, latents)
        models[name] = {
            "shape": list(images.shape[1:]),
            "images": [float(f"{value:.7g}") for value in images.ravel()],
        }

    for build, endings in MODELS.items():
        keras.utils.clear_session()
        model = build()
        name = build.__name__
        set_weights(model, f"layers/{name}")
        add(name, model, model.layers[0] if name == "whole_gan" else None)
        if name == "frozen":
            model.layers[0].name = "デンス"  # which TensorFlow takes in a file, but does not run
        for ending in endings:
            model.save(FOLDER / f"{name}.{ending}")
        if name == "mlp":
            (FOLDER / "mlp.json").write_text(model.to_json(), encoding="utf8")
            model.save_weights(FOLDER / "mlp.weights.h5")
        if name == "decoder":
            as_keras_2_13(FOLDER / "decoder.keras", FOLDER / "decoder-2.13.keras")
    for dtype in ("float16", "bfloat16"):
        keras.utils.clear_session()
        model = half(dtype)
        set_weights(model, f"layers/{dtype}")
        model.save(FOLDER / f"{dtype}.keras")
        model.save(FOLDER / f"{dtype}.h5")
        twin = half("float32")
        twin.set_weights([np.array(w, np.float32) for w in model.get_weights()])
        add(dtype, twin)
    classes = [[1.0 if c == i % CLASSES else -1.0 for c in range(CLASSES)] for i in range(COUNT)]
    rows = [[float(value) for value in row] for row in latents]
    fixture.write(FOLDER / "layers.json", {"latents": rows, "classes": classes, "models": models})


if __name__ == "__main__":
    sys.exit(main())
