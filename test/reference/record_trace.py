"""
Trains the article's DCGAN in Keras for a few iterations on given batches, latents and dropout
masks, and records every number that another trainer must reproduce. The format: README.md.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # its kernels differ from one CPU to another

import argparse
import json
import math
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

import article
import shake


class Trainer:
    """The article's training step, on real Keras layers, losses and optimizers."""

    def __init__(self, args: argparse.Namespace, initial: dict, dtype: str = "float32"):
        keras.config.set_floatx(dtype)
        self.dtype = dtype
        self.rate = args.dropout
        self.generator = article.generator(args.latent_size, args.image_size, args.width)
        self.discriminator = article.discriminator(args.image_size, args.width, args.dropout)
        self.networks = {"generator": self.generator, "discriminator": self.discriminator}
        self.optimizers = {}
        self.loss = keras.losses.BinaryCrossentropy()
        for name, network in self.networks.items():
            for weight, variable in article.variables(network).items():
                variable.assign(initial[name][weight].astype(dtype))
            self.optimizers[name] = article.optimizer()
            self.optimizers[name].build(network.trainable_variables)

    def generate(self, latents: np.ndarray) -> np.ndarray:
        """`generator.predict`: batch normalisation on its moving statistics."""
        return forward(self.generator, latents, training=False).numpy()

    def train(self, given: dict) -> dict:
        """One iteration of the article, with the state after each of its three steps."""
        keras.config.set_floatx(self.dtype)
        masks = given["masks"]
        fake = self.generate(given["discriminatorLatents"])
        real_loss, real_accuracy = self.train_discriminator(given["realImages"], 1, masks["real"])
        after_real = self.state("discriminator")
        fake_loss, fake_accuracy = self.train_discriminator(fake, 0, masks["fake"])
        after_fake = self.state("discriminator")
        generator_loss = self.train_generator(given["generatorLatents"], masks["generator"])
        kept = self.state("discriminator")["weights"]
        keras.config.set_floatx("float32")
        return {
            "fakeImages": fake,
            "numbers": {
                "realLoss": real_loss,
                "realAccuracy": real_accuracy,
                "fakeLoss": fake_loss,
                "fakeAccuracy": fake_accuracy,
                "generatorLoss": generator_loss,
            },
            "after": {
                "real": {"discriminator": after_real},
                "fake": {"discriminator": after_fake},
                "generator": {
                    "generator": self.state("generator"),
                    "discriminator": {
                        "weights": {name: w for name, w in kept.items() if is_moving(name)}
                    },
                },
            },
        }

    def train_discriminator(self, images, label: float, masks) -> tuple[float, float]:
        """`discriminator.train_on_batch` on images that are all real (1) or all fake (0)."""
        labels = np.full((len(images), 1), label, keras.config.floatx())
        with tf.GradientTape() as tape:
            validity = forward(self.discriminator, images, True, masks, self.rate)
            loss = self.loss(labels, validity)
        self.update("discriminator", tape, loss)
        accuracy = keras.ops.mean(keras.metrics.binary_accuracy(labels, validity))
        return float(loss), float(accuracy)

    def train_generator(self, latents, masks) -> float:
        """
        `combined.train_on_batch`: all labels 1, through a frozen discriminator that (as in the
        Keras of the article) normalises with batch statistics and keeps its moving ones.
        """
        labels = np.ones((len(latents), 1), keras.config.floatx())
        kept = {name: w.numpy() for name, w in article.variables(self.discriminator).items()}
        with tf.GradientTape() as tape:
            images = forward(self.generator, latents, training=True)
            loss = self.loss(labels, forward(self.discriminator, images, True, masks, self.rate))
        self.update("generator", tape, loss)
        for name, variable in article.variables(self.discriminator).items():
            if is_moving(name):
                variable.assign(kept[name])
            elif not np.array_equal(variable.numpy(), kept[name]):
                raise AssertionError(f"the frozen discriminator's {name} has changed")
        return float(loss)

    def update(self, name: str, tape: tf.GradientTape, loss: tf.Tensor) -> None:
        weights = self.networks[name].trainable_variables
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        self.optimizers[name].apply(gradients, weights)

    def state(self, name: str) -> dict[str, dict[str, np.ndarray]]:
        """Weights and Adam's two moments of a network, by weight name."""
        network, adam = self.networks[name], self.optimizers[name]
        names = {id(weight): key for key, weight in article.variables(network).items()}
        trained = [names[id(weight)] for weight in network.trainable_variables]
        return {
            "weights": {key: w.numpy() for key, w in article.variables(network).items()},
            "m": {key: m.numpy() for key, m in zip(trained, adam._momentums, strict=True)},
            "v": {key: v.numpy() for key, v in zip(trained, adam._velocities, strict=True)},
        }


def forward(network, inputs, training: bool, masks=None, rate: float = 0.0):
    """The network layer by layer, with the dropout masks given instead of drawn."""
    values = tf.cast(inputs, keras.config.floatx())
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dropout):
            if training and rate > 0:
                values = values * tf.constant(masks[layer.name] / (1 - rate), values.dtype)
        elif isinstance(layer, keras.layers.BatchNormalization):
            values = layer(values, training=training)
        else:
            values = layer(values)
    return values


def is_moving(name: str) -> bool:
    return name.split("/")[1].startswith("moving_")


class TraceWriter:
    """trace.bin, and references into it for trace.json."""

    def __init__(self):
        self.blocks: list[bytes] = []
        self.size = 0

    def floats(self, values: np.ndarray) -> dict:
        return self.store("float32", values.shape, values.astype("<f4").tobytes())

    def bits(self, mask: np.ndarray) -> dict:
        packed = np.packbits(mask.ravel().astype(np.uint8), bitorder="little").tobytes()
        return self.store("bits", mask.shape, packed + bytes(-len(packed) % 4))

    def store(self, encoding: str, shape, block: bytes) -> dict:
        ref = {"encoding": encoding, "offset": self.size, "shape": list(shape)}
        self.blocks.append(block)
        self.size += len(block)
        return ref


def single(value) -> float:
    """The shortest decimal that is this float32 number."""
    return float(str(np.float32(value)))


def sample(values: np.ndarray) -> dict:
    exact = values.astype(np.float64)
    return {
        "sum": single(exact.sum()),
        "sumOfSquares": single(np.square(exact).sum()),
        "first": [single(value) for value in values.ravel()[:4]],
    }


def samples(state: dict) -> dict:
    return {
        part: {name: sample(values) for name, values in tensors.items()}
        for part, tensors in state.items()
    }


def pictures(folder: Path, size: int) -> np.ndarray:
    """The images of a folder (and its class folders), scaled as the article does."""
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in {".png", ".jpg", ".jpeg"})
    if not files:
        raise SystemExit(f"no .png or .jpg in {folder}")
    opened = [Image.open(file).convert("RGB").resize((size, size)) for file in files]
    return (np.stack(opened).astype(np.float32) - np.float32(127.5)) / np.float32(127.5)


def draw_masks(key: str, network: keras.Sequential, batch: int, rate: float) -> dict:
    shapes = {
        layer.name: (batch, *layer.output.shape[1:])
        for layer in network.layers
        if isinstance(layer, keras.layers.Dropout)
    }
    return {
        name: shake.mask(f"{key}/{name}", math.prod(shape), rate).reshape(shape)
        for name, shape in shapes.items()
    }


class Inputs:
    """What is given to each iteration: as arrays, and as the trace refers to them."""

    def __init__(self, args: argparse.Namespace, writer: TraceWriter):
        self.args, self.writer = args, writer
        self.key = f"trace/{args.seed}"
        self.discriminator = article.discriminator(args.image_size, args.width, args.dropout)
        self.images = args.images and pictures(args.images, args.image_size)

    def iteration(self, index: int) -> tuple[dict, dict]:
        args, half, key = self.args, self.args.batch // 2, f"{self.key}/{index}"
        refs = {
            "realImages": self.real_images(f"{key}/realImages", half),
            "discriminatorLatents": article.recipe(
                f"{key}/discriminatorLatents", (half, args.latent_size)
            ),
            "generatorLatents": article.recipe(
                f"{key}/generatorLatents", (args.batch, args.latent_size)
            ),
        }
        arrays = {name: self.array(ref) for name, ref in refs.items()}
        arrays["masks"] = {"real": None, "fake": None, "generator": None}
        if args.dropout > 0:
            arrays["masks"] = {
                step: draw_masks(f"{key}/dropout/{step}", self.discriminator, batch, args.dropout)
                for step, batch in {"real": half, "fake": half, "generator": args.batch}.items()
            }
            refs["dropoutMasks"] = {
                step: {layer: self.writer.bits(mask) for layer, mask in masks.items()}
                for step, masks in arrays["masks"].items()
            }
        return refs, arrays

    def real_images(self, key: str, half: int) -> dict:
        size = self.args.image_size
        if self.images is None:
            return article.recipe(key, (half, size, size, 3))
        drawn = shake.words(key, half) % len(self.images)
        self.chosen = self.images[drawn]
        return self.writer.floats(self.chosen)

    def array(self, ref: dict) -> np.ndarray:
        return self.chosen if ref["encoding"] == "float32" else article.draw(ref)


def record(args: argparse.Namespace) -> None:
    writer = TraceWriter()
    inputs = Inputs(args, writer)
    recipes = recipes_of(args)
    trainer = Trainer(args, drawn(recipes))
    rivals = other_roundings(args, drawn(recipes))
    iterations = []
    for index in range(args.iterations):
        refs, given = inputs.iteration(index)
        done = trainer.train(given)
        numbers = {name: single(value) for name, value in done["numbers"].items()}
        if not all(math.isfinite(value) for value in numbers.values()):
            raise SystemExit(f"iteration {index}: {numbers}")
        entry = refs | numbers
        if index == 0:
            entry["fakeImages"] = writer.floats(done["fakeImages"])
        entry["rounding"] = rounding(done, [rival.train(given) for rival in rivals])
        entry["after"] = {
            step: {network: samples(state) for network, state in states.items()}
            for step, states in done["after"].items()
        }
        iterations.append(entry)
        log(index, done["numbers"])
        print("  rounding:", entry["rounding"])
    trace = {
        "format": "killme-trace",
        "version": 1,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "latentSize": args.latent_size,
        "imageSize": args.image_size,
        "width": args.width,
        "batchSize": args.batch,
        "dropoutRate": args.dropout,
        "adam": article.ADAM,
        "initial": recipes,
        "iterations": iterations,
    }
    if args.final:
        trace["final"] = {
            name: {
                part: {key: writer.floats(values) for key, values in tensors.items()}
                for part, tensors in trainer.state(name).items()
            }
            for name in trainer.networks
        }
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "trace.json").write_text(pretty(trace) + "\n")
    (args.out / "trace.bin").write_bytes(b"".join(writer.blocks))
    for file in ("trace.json", "trace.bin"):
        print(f"{args.out / file}: {(args.out / file).stat().st_size:,} bytes")


def other_roundings(args: argparse.Namespace, initial: dict) -> list[Trainer]:
    """
    The same run rounded otherwise: once in float64, and some times in float32 from weights that
    are off by one unit in the last place. What moves these runs apart is no error of a trainer.
    """
    trainers = [Trainer(args, initial, "float64")]
    for index in range(args.nudged):
        nudged = {
            network: {
                name: nudge(f"nudge/{index}/{network}/{name}", values)
                for name, values in tensors.items()
            }
            for network, tensors in initial.items()
        }
        trainers.append(Trainer(args, nudged))
    return trainers


def nudge(key: str, values: np.ndarray) -> np.ndarray:
    noise = shake.uniform(key, values.size).reshape(values.shape)
    return values * (1 + noise * np.float32(2**-23))


def rounding(done: dict, others: list[dict]) -> dict:
    """
    The largest differences between an iteration and the same one rounded otherwise, by step:
    `weights`, `accuracy` and `fakeImages` absolute, `loss` relative, `m` and `v` relative to the
    largest number of their tensor; and of the samples `sum` relative to sqrt(count * sumOfSquares)
    (what it can be at most), `sumOfSquares` relative.
    """
    images = Difference()
    steps = {step: Difference() for step in done["after"]}
    for other in others:
        images.note("fakeImages", done["fakeImages"], other["fakeImages"])
        for step, difference in steps.items():
            for name in ("loss", "accuracy"):
                number = step + name.capitalize()
                if number in done["numbers"]:
                    pair = done["numbers"][number], other["numbers"][number]
                    difference.note(name, *pair, relative=name == "loss")
            for network, state in done["after"][step].items():
                difference.states(state, other["after"][step][network])
                difference.samples(state, other["after"][step][network])
    by_step = {step: difference.rounded() for step, difference in steps.items()}
    return images.rounded() | by_step


def recipes_of(args: argparse.Namespace) -> dict:
    networks = (
        article.generator(args.latent_size, args.image_size, args.width),
        article.discriminator(args.image_size, args.width, args.dropout),
    )
    return {n.name: article.start(f"trace/{args.seed}/{n.name}", n) for n in networks}


def drawn(recipes: dict) -> dict:
    return {
        network: {name: article.draw(ref) for name, ref in tensors.items()}
        for network, tensors in recipes.items()
    }


def log(index: int, numbers: dict) -> None:
    loss = (numbers["realLoss"] + numbers["fakeLoss"]) / 2
    accuracy = (numbers["realAccuracy"] + numbers["fakeAccuracy"]) / 2
    print(
        "%d [D loss: %f, acc.: %.2f%%] [G loss: %f]"
        % (index, loss, 100 * accuracy, numbers["generatorLoss"])
    )


def pretty(value, indent: str = "") -> str:
    """JSON with one line for each tensor."""
    if not isinstance(value, (dict, list)) or is_leaf(value):
        return json.dumps(value)
    inner = indent + " "
    if isinstance(value, list):
        lines = [pretty(item, inner) for item in value]
        opening, closing = "[]"
    else:
        lines = [f"{json.dumps(key)}: {pretty(item, inner)}" for key, item in value.items()]
        opening, closing = "{}"
    return f"{opening}\n{inner}" + f",\n{inner}".join(lines) + f"\n{indent}{closing}"


def is_leaf(value) -> bool:
    items = value.values() if isinstance(value, dict) else value
    return all(
        not isinstance(item, (dict, list)) or (isinstance(item, list) and is_leaf(item))
        for item in items
    )


class Difference:
    """The largest differences met, by what was compared."""

    def __init__(self):
        self.largest: dict[str, float] = {}

    def note(self, what: str, expected, actual, relative: bool = False) -> None:
        gap = np.abs(np.asarray(expected, np.float64) - np.asarray(actual, np.float64))
        gap = gap / np.abs(expected) if relative else gap
        self.largest[what] = max(self.largest.get(what, 0.0), float(np.max(gap)))

    def rounded(self) -> dict[str, float]:
        return {what: float(f"{gap:.2g}") for what, gap in self.largest.items()}

    def states(self, expected: dict, actual: dict) -> None:
        """Moments are compared relative to the largest number of their tensor."""
        for part, tensors in expected.items():
            for name, values in tensors.items():
                scale = 1.0 if part == "weights" else max(float(np.abs(values).max()), 1e-30)
                self.note(part, values / scale, actual[part][name] / scale)

    def samples(self, expected: dict, actual: dict) -> None:
        for part, tensors in expected.items():
            for name, values in tensors.items():
                one, two = sample(values), sample(actual[part][name])
                square = one["sumOfSquares"] or 1e-30
                most = math.sqrt(values.size * square)
                self.note("sum", one["sum"] / most, two["sum"] / most)
                ratio = two["sumOfSquares"] / square
                self.note("sumOfSquares", one["sumOfSquares"] / square, ratio)

    def report(self, bounds: dict[str, float]) -> None:
        failed = []
        for what, gap in self.largest.items():
            print(f"  {what}: {gap:.3g} (bound {bounds[what]:.0e})")
            failed += [what] if not gap <= bounds[what] else []
        if failed:
            raise SystemExit(f"beyond its bound: {', '.join(failed)}")


def check_compiled(args: argparse.Namespace) -> None:
    """
    The steps above against `compile` and `train_on_batch` of Keras itself, dropout rate 0.
    `combined` has all its layers trainable here, as Keras 3 would put a frozen batch normalisation
    into inference mode. Adam treats each weight by itself, so the generator's are what they would
    be; the discriminator's are put back after each step.
    """
    args.dropout = 0.0
    initial = drawn(recipes_of(args))
    ours = Trainer(args, initial)
    theirs = Trainer(args, initial)
    theirs.discriminator.compile(
        loss="binary_crossentropy",
        optimizer=theirs.optimizers["discriminator"],
        metrics=["accuracy"],
    )
    latents = keras.Input((args.latent_size,))
    combined = keras.Model(latents, theirs.discriminator(theirs.generator(latents)))
    combined.compile(loss="binary_crossentropy", optimizer=article.optimizer())
    inputs = Inputs(args, TraceWriter())
    difference = Difference()
    for index in range(args.iterations):
        given = inputs.iteration(index)[1]
        done = ours.train(given)
        log(index, done["numbers"])
        half = len(given["realImages"])
        fake = theirs.generator.predict(given["discriminatorLatents"], verbose=0)
        difference.note("fakeImages", done["fakeImages"], fake)
        for step, images, label in (("real", given["realImages"], 1), ("fake", fake, 0)):
            labels = np.full((half, 1), label, np.float32)
            loss, accuracy = theirs.discriminator.train_on_batch(images, labels)
            difference.note("loss", done["numbers"][f"{step}Loss"], loss, relative=True)
            difference.note("accuracy", done["numbers"][f"{step}Accuracy"], accuracy)
            expected = done["after"][step]["discriminator"]
            difference.states(expected, theirs.state("discriminator"))
        kept = theirs.discriminator.get_weights()
        loss = combined.train_on_batch(
            given["generatorLatents"], np.ones((args.batch, 1), np.float32)
        )
        theirs.discriminator.set_weights(kept)
        difference.note("loss", done["numbers"]["generatorLoss"], loss, relative=True)
        difference.states(
            {"weights": done["after"]["generator"]["generator"]["weights"]},
            theirs.state("generator"),
        )
    print(f"our loop against compile + train_on_batch, {args.iterations} iterations:")
    difference.report(
        {"fakeImages": 1e-4, "loss": 1e-4, "accuracy": 0, "weights": 1e-4, "m": 1e-3, "v": 1e-3}
    )
    check_extreme_logits(ours, args)


def check_extreme_logits(trainer: Trainer, args: argparse.Namespace) -> None:
    """
    A logit of 40 with label 0 costs 40 when the loss is computed from logits, and 15.9 when from a
    probability clipped at 1e-7: what does compiled Keras give, and what do we?
    """
    network = trainer.discriminator
    article.variables(network)["dense/kernel"].assign(np.zeros(network.layers[-1].kernel.shape))
    article.variables(network)["dense/bias"].assign([40.0])
    images = np.zeros((2, args.image_size, args.image_size, 3), np.float32)
    labels = np.zeros((2, 1), np.float32)
    ours = float(trainer.loss(labels, forward(network, images, True)))
    network.compile(loss="binary_crossentropy", optimizer=article.optimizer())
    compiled = network.train_on_batch(images, labels)
    print(f"loss at logit 40, label 0: compiled {float(compiled):g}, ours {ours:g}")
    if abs(ours - float(compiled)) > 1e-4:
        raise SystemExit("the loss of compiled Keras is another one")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder that the trace is written to")
    parser.add_argument("--width", type=float, default=0.0625, help="of all channel counts")
    parser.add_argument("--image-size", type=int, default=32, help="a multiple of 4")
    parser.add_argument("--latent-size", type=int, default=100)
    parser.add_argument("--batch", type=int, default=4, help="even; the half goes to each D step")
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--dropout", type=float, default=0.25)
    parser.add_argument("--seed", default="0", help="any text; names every drawn number")
    parser.add_argument("--images", type=Path, help="folder of real images (default: noise)")
    parser.add_argument(
        "--final",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="store all weights and moments of the end",
    )
    parser.add_argument("--nudged", type=int, default=3, help=other_roundings.__doc__)
    parser.add_argument("--check-compiled", action="store_true", help=check_compiled.__doc__)
    args = parser.parse_args()
    if args.batch % 2 or args.batch < 2:
        parser.error(f"--batch must be even, not {args.batch}")
    if args.image_size % 4:
        parser.error(f"--image-size must be a multiple of 4, not {args.image_size}")
    if not 0 <= args.dropout < 1:
        parser.error(f"--dropout must be at least 0 and below 1, not {args.dropout}")
    if not (args.out or args.check_compiled):
        parser.error("--out is missing")
    return args


def main() -> None:
    args = arguments()
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)  # Keras wants one; every number that matters is given
    if args.out:
        record(args)
    if args.check_compiled:
        check_compiled(args)


if __name__ == "__main__":
    main()
