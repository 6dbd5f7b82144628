"""
Runs a generator in the program that it is from: a request comes in as JSON, the images go out.
Called by `npm run import -- FILE --check PYTHON`.
"""

import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np


def feeds(inputs: list, latents: np.ndarray) -> list:
    """The inputs of the original, out of latents that say the class in their last components."""
    given, at = [None] * len(inputs), 0
    for i in sorted(range(len(inputs)), key=lambda i: inputs[i]["kind"] != "latent"):
        shape = inputs[i]["shape"]
        size = inputs[i].get("classes") or int(np.prod(shape))
        part = latents[:, at : at + size]
        at += size
        if inputs[i]["kind"] == "index":
            part = part.argmax(axis=1)
        elif inputs[i]["kind"] == "oneHot":
            part = (part + 1) / 2
        given[i] = part.reshape([len(latents), *shape])
    return given


def run_keras(request: dict, latents: np.ndarray) -> tuple:
    import keras

    path = request["path"]
    if request.get("config"):
        with open(request["config"], encoding="utf8") as file:
            model = keras.models.model_from_json(file.read())
        model.load_weights(path)
    else:
        model = keras.models.load_model(path, compile=False)
    if request.get("part"):
        parts = [layer for layer in model.layers if isinstance(layer, keras.Model)]
        named = [part for part in parts if part.name == request["part"]]
        model = (named or parts)[0]
    given = feeds(request["inputs"], latents)
    made = model.predict(given if len(given) > 1 else given[0], verbose=0)
    if isinstance(made, (list, tuple)):
        names = [tensor._keras_history[0].name for tensor in model.outputs]
        made = made[names.index(request["output"])]
    return f"Keras {keras.__version__}", made


def run_onnx(request: dict, latents: np.ndarray) -> tuple:
    import onnxruntime

    session = onnxruntime.InferenceSession(request["path"])
    types = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int32)": np.int32}
    rows = []
    for row in latents:
        given = feeds(request["inputs"], row[None])
        named = {
            meta.name: value.astype(types.get(meta.type, np.float32))
            for meta, value in zip(session.get_inputs(), given)
        }
        (made,) = session.run([request["output"]], named)
        rows.append(np.moveaxis(made, 1, -1) if made.ndim == 4 else made)
    return f"onnxruntime {onnxruntime.__version__}", np.concatenate(rows)


def main() -> None:
    request = json.load(sys.stdin)
    latents = np.array(request["latents"], np.float32)
    run = run_onnx if request["path"].endswith(".onnx") else run_keras
    version, made = run(request, latents)
    rows = np.asarray(made).reshape(len(latents), -1).astype(float)
    json.dump({"version": version, "values": rows.tolist()}, sys.stdout)


if __name__ == "__main__":
    main()
