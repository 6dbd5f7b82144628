"""
Writes family/: small generators of other DCGANs, as real Keras saves them, and what Keras predicts;
and models that are not accepted.

- `transposed`: Dense without bias, LeakyReLU before the reshape, transposed convolutions without
  bias: the shape of TensorFlow's DCGAN tutorial, in colour.
- `sigmoid`: no normalization, an activation inside the last convolution, images in [0, 1]: the shape
  of Keras's DCGAN example.
- `upsampling`: a Model without a Sequential, size 4 upsampling, ReLU layers, dropout, normalization
  without scale or centre: what else people write.
- `unknown`: layers that are not accepted.
- `discriminator`, `two-inputs`: models that are no generators of images.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

from pathlib import Path

import keras
from keras import layers

import article
import fixture
import shake

LATENT_SIZE, COUNT = 12, 2
FOLDER = Path(__file__).parent / "family"


def transposed() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((LATENT_SIZE,)),
            layers.Dense(4 * 4 * 6, use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.Reshape((4, 4, 6)),
            layers.Conv2DTranspose(5, 5, strides=1, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.Conv2DTranspose(4, 5, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.Conv2DTranspose(
                3, 5, strides=2, padding="same", use_bias=False, activation="tanh"
            ),
        ]
    )


def sigmoid() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((LATENT_SIZE,)),
            layers.Dense(4 * 4 * 6),
            layers.Reshape((4, 4, 6)),
            layers.Conv2DTranspose(6, kernel_size=4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2DTranspose(8, kernel_size=4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(3, kernel_size=5, padding="same", activation="sigmoid"),
        ]
    )


def upsampling() -> keras.Model:
    noise = keras.Input((LATENT_SIZE,))
    x = layers.Dense(4 * 4 * 6, activation="relu")(noise)
    x = layers.Reshape((4, -1, 6))(x)
    x = layers.BatchNormalization(scale=False, epsilon=1e-5)(x)
    x = layers.UpSampling2D(size=4)(x)
    x = layers.Conv2D(6, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(center=False)(x)
    x = layers.ReLU()(x)
    x = layers.Dropout(0.3)(x)
    x = layers.Conv2D(6, 3, padding="same", activation="leaky_relu")(x)
    x = layers.Conv2D(3, 1, activation="tanh")(x)
    return keras.Model(noise, x)


def unknown() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((LATENT_SIZE,)),
            layers.Dense(4 * 4 * 6, activation="log_softmax"),
            layers.Reshape((2, 2, 4, 6)),
            layers.Conv3D(2, 1),
            layers.GlobalMaxPooling3D(),
        ]
    )


def discriminator() -> keras.Model:
    return article.discriminator(16, 0.0625, 0.25)


def two_inputs() -> keras.Model:
    noise, label = keras.Input((LATENT_SIZE,), name="noise"), keras.Input((2,), name="label")
    x = layers.Concatenate()([noise, label])
    return keras.Model([noise, label], layers.Dense(3)(x))


def set_weights(model: keras.Model, key: str) -> None:
    drawn = article.start(key, model)
    for name, weight in article.variables(model).items():
        weight.assign(article.draw(drawn[name]))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    latents = shake.uniform("family/latents", COUNT * LATENT_SIZE).reshape(COUNT, LATENT_SIZE)
    expected = {"latents": [[float(value) for value in row] for row in latents], "models": {}}
    for build in (transposed, sigmoid, upsampling):
        keras.utils.clear_session()
        model = build()
        set_weights(model, f"family/{build.__name__}")
        images = model.predict(latents, verbose=0)
        expected["models"][build.__name__] = {
            "shape": list(images.shape),
            "images": [float(str(value)) for value in images.ravel()],
        }
        model.save(FOLDER / f"{build.__name__}.h5")
        model.save(FOLDER / f"{build.__name__}.keras")
    fixture.write(FOLDER / "family.json", expected)
    for build in (unknown, discriminator, two_inputs):
        keras.utils.clear_session()
        build().save(FOLDER / f"{build.__name__.replace('_', '-')}.h5")


if __name__ == "__main__":
    main()
