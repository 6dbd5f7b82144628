"""
Opens exported weights in real Keras and compares what it predicts with what is expected.

FILE is an `.h5`, `.keras` or `.weights.h5` file, or a folder whose files of these kinds are all
checked. The expectation is JSON: `latents` [n][latentSize], `shape`, and `images`, the flat
numbers of that shape. Files called `discriminator.*` are held against `probabilities` [n], what is
expected of those images; without them they are passed over. A `.weights.h5` holds no architecture: it is loaded into the article's
generator of the size that the expectation's latents and shape say (`--width` for its channels), as
the bare Sequential, or with `--nested` as the article's Model around it; or, with the whole model of
that name beside it in the folder, into that.

Float32 rounds each of the two once for every sum in them. Where that alone is more than the
tolerance, as behind a trained generator's normalisation, they are compared with the same weights in
float64: the expectation must be within the tolerance of that.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import argparse
import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import article

SUFFIXES = (".weights.h5", ".h5", ".keras")


def open_model(file: Path, args: argparse.Namespace, latent_size: int, image_size: int):
    if not file.name.endswith(".weights.h5"):
        return keras.saving.load_model(file, compile=False)
    whole = file.with_name(file.name.removesuffix(".weights.h5") + ".h5")
    if whole.exists() and not args.nested:
        model = keras.models.clone_model(keras.saving.load_model(whole, compile=False))
    else:
        model = article.generator(latent_size, image_size, args.width)
    if args.nested:
        noise = keras.Input((latent_size,))
        model = keras.Model(noise, model(noise))
    model.load_weights(file)
    return model


def in_float64(model: keras.Model, given: np.ndarray) -> np.ndarray:
    exact = keras.models.model_from_json(model.to_json().replace('"float32"', '"float64"'))
    exact.set_weights(model.get_weights())
    return exact.predict(given.astype(np.float64), verbose=0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path, metavar="FILE")
    parser.add_argument("--expect", type=Path, required=True, metavar="JSON")
    parser.add_argument("--tolerance", type=float, default=1e-5)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--nested", action="store_true")
    args = parser.parse_args()
    expected = json.loads(args.expect.read_text())
    latents = np.array(expected["latents"], np.float32)
    images = np.array(expected["images"], np.float32).reshape(expected["shape"])
    probabilities = np.array(expected.get("probabilities", []), np.float32).reshape(-1, 1)
    files = sorted(args.path.iterdir()) if args.path.is_dir() else [args.path]
    files = [file for file in files if file.name.endswith(SUFFIXES)]
    if not files:
        sys.exit(f"{args.path}: no {', '.join(SUFFIXES)} file")
    print(f"Keras {keras.__version__}, TensorFlow {tf.__version__}")
    failed = False
    for file in files:
        given, wanted = latents, images
        if file.name.startswith("discriminator."):
            given, wanted = images, probabilities
            if not len(wanted):
                continue
        model = open_model(file, args, latents.shape[1], images.shape[1])
        predicted = model.predict(given, verbose=0)
        if predicted.shape != wanted.shape:
            print(f"{file.name}: predicts {predicted.shape}, not {wanted.shape}")
            failed = True
            continue
        gap = float(np.abs(predicted - wanted).max())
        line = f"max difference {gap:.3g}"
        if gap > args.tolerance:
            exact = in_float64(model, given)
            gap, rounding = (float(np.abs(x - exact).max()) for x in (wanted, predicted))
            line += f"; from float64 {gap:.3g}, Keras's own float32 {rounding:.3g}"
        good = gap <= args.tolerance
        failed |= not good
        print(f"{file.name}: {'ok' if good else 'NOT EQUAL'}, {line}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
