"""
Writes keras/: the article's generator, narrow, as real Keras saves it (`.h5`, `.weights.h5`,
`.keras`), and what Keras predicts with it.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

from pathlib import Path

import keras

import article
import fixture
import shake

LATENT_SIZE, IMAGE_SIZE, WIDTH, COUNT = 100, 32, 0.0625, 3


def main() -> None:
    folder = Path(__file__).parent / "keras"
    folder.mkdir(exist_ok=True)
    sequential = article.generator(LATENT_SIZE, IMAGE_SIZE, WIDTH)
    for name, recipe in article.start("keras", sequential).items():
        article.variables(sequential)[name].assign(article.draw(recipe))
    noise = keras.Input((LATENT_SIZE,))
    model = keras.Model(noise, sequential(noise))  # as the article returns it
    latents = shake.uniform("keras/latents", COUNT * LATENT_SIZE).reshape(COUNT, LATENT_SIZE)
    images = model.predict(latents, verbose=0)
    model.save(folder / "generator.h5")
    model.save_weights(folder / "generator.weights.h5")
    model.save(folder / "generator.keras")
    expected = {
        "keras": keras.__version__,
        "latentSize": LATENT_SIZE,
        "imageSize": IMAGE_SIZE,
        "width": WIDTH,
        "latents": [[float(value) for value in row] for row in latents],
        "shape": list(images.shape),
        "images": [float(str(value)) for value in images.ravel()],
    }
    fixture.write(folder / "generator.json", expected)


if __name__ == "__main__":
    main()
