"""
Trains the article's DCGAN in Keras as the article's script does: compile, freeze, then predict and
train_on_batch. For each line on stdin one iteration, and a line of JSON on stdout: the seconds that
it took, those of the CPU, and the most memory that the process has held. `npm run bench:train` asks it; by hand:

    yes | head -n 5 | python test/reference/bench_keras.py --batch 32

The script was written for Keras 2.2. In Keras 3 a frozen batch normalisation uses its moving
statistics, which is a little less work than the batch's.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import argparse
import importlib
import json
import resource
import sys
import time

import keras
import numpy as np

import article

LATENT_SIZE = 100


class Dcgan:
    def __init__(self, batch: int):
        self.half, self.batch = batch // 2, batch
        self.images = np.random.uniform(-1, 1, (64, 128, 128, 3)).astype(np.float32)
        self.generator = article.generator(LATENT_SIZE, 128, 1)
        self.discriminator = article.discriminator(128, 1, 0.25)
        self.discriminator.compile(
            loss="binary_crossentropy", optimizer=article.optimizer(), metrics=["accuracy"]
        )
        # Keras 2 took the list of trainable weights when compiling, Keras 3 takes it at the first
        # batch: one has to come before the freezing, or D never trains.
        self.discriminator.train_on_batch(self.images[: self.half], np.ones((self.half, 1)))
        self.discriminator.trainable = False
        z = keras.Input((LATENT_SIZE,))
        self.combined = keras.Model(z, self.discriminator(self.generator(z)))
        self.combined.compile(loss="binary_crossentropy", optimizer=article.optimizer())

    def iterate(self) -> None:
        images = self.images[np.random.randint(0, len(self.images), self.half)]
        noise = np.random.uniform(-1, 1, (self.half, LATENT_SIZE))
        fake = self.generator.predict(noise, verbose=0)
        self.discriminator.train_on_batch(images, np.ones((self.half, 1)))
        self.discriminator.train_on_batch(fake, np.zeros((self.half, 1)))
        noise = np.random.uniform(-1, 1, (self.batch, LATENT_SIZE))
        self.combined.train_on_batch(noise, np.ones((self.batch, 1)))


def description() -> str:
    backend = keras.backend.backend()
    version = importlib.import_module(backend).__version__
    where = "GPU" if has_gpu(backend) else f"CPU, {len(os.sched_getaffinity(0))} threads"
    return f"{where}, Keras {keras.__version__}, {backend} {version}"


def has_gpu(backend: str) -> bool:
    if backend != "tensorflow":
        return False
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def say(message: dict) -> None:
    print(json.dumps(message), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=32)
    gan = Dcgan(parser.parse_args().batch)
    say({"device": description()})
    for _ in sys.stdin:
        began, cpu = time.perf_counter(), time.process_time()
        gan.iterate()
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
        say({"seconds": seconds, "cpuSeconds": cpu_seconds, "peakBytes": peak_bytes()})


if __name__ == "__main__":
    main()
