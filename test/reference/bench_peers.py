"""
Trains another project's GAN on a folder of images for so many CPU seconds, and writes samples to measure with
`npm run metrics`. The project itself is a checkout of its repository; docs/results.md ("Peers") has the commands.

    python test/reference/bench_peers.py lightweight-gan --checkout ~/lightweight-gan --data data/emoji --to /tmp/emoji
    python test/reference/bench_peers.py r3gan --checkout ~/R3GAN --data data/emoji --to /tmp/emoji-r3gan

CPU seconds are user and system time of all threads, with starting, as `npm run ablate` counts them. Samples are of
the generator (`g/`) and of its exponential moving average (`ema/`). Prints a line of JSON.
"""

import argparse
import copy
import json
import math
import random
import resource
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps


def ema_decay(step: int) -> float:
    """That of preset lite, 0.998, but less at first: the weights of the beginning are forgotten soon."""
    return min(0.998, (1 + step) / (10 + step))


def spent() -> float:
    """CPU seconds of this process: user and system time of all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def prepare_images(source: Path, target: Path, size: int) -> list[Path]:
    """Writes the images as PNGs of one size, in the folders of their classes. Returns their paths."""
    paths = []
    for path in sorted(source.rglob("*.png")):
        image = ImageOps.fit(Image.open(path).convert("RGB"), (size, size), Image.Resampling.LANCZOS)
        paths.append(target / path.parent.name / path.name)
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        image.save(paths[-1])
    if not paths:
        raise SystemExit(f"no PNG in {source}")
    return paths


class LightweightGan:
    """lucidrains/lightweight-gan: its own trainer with its own loader and augmentation."""

    def __init__(self, options, paths: list[Path]):
        from lightweight_gan import Trainer

        self.trainer = Trainer(
            base_dir=options.to / "work", image_size=options.image_size, batch_size=options.batch,
            fmap_max=options.width or 64, gradient_accumulate_every=1, disc_output_size=1,
            lr=options.learning_rate or 2e-4, num_workers=0, use_aim=False,
        )  # fmt: skip
        self.trainer.set_data_src(str(paths[0].parent.parent))
        # Its grid of samples every 100 steps and its checkpoints would only cost it CPU time.
        self.trainer.evaluate = self.trainer.save = lambda *_, **__: None
        self.trainer.init_GAN()
        self.gan = self.trainer.GAN
        # Its average begins at step 20,000, and is set back every 1,000 before: too late for these budgets.
        self.gan.reset_parameter_averaging = lambda: None

    def step(self, step: int, _: float) -> None:
        self.trainer.train()
        self.gan.ema_updater.beta = ema_decay(step)
        self.gan.EMA()

    def sample(self, count: int, averaged: bool):
        """Images `[count, 3, height, width]`, 0 … 1."""
        generator = (self.gan.GE if averaged else self.gan.G).eval()
        return generator(torch.randn(count, self.gan.latent_dim))

    def parameters(self):
        return self.gan.G.parameters()


def cosine(first: float, last: float, progress: float) -> float:
    return first + (last - first) * (0.5 - 0.5 * math.cos(math.pi * progress))


class R3Gan:
    """
    brownvc/R3GAN: its networks, losses and augmentation, in a loop that does on a CPU what its training_loop.py does
    on GPUs. Its schedules for FFHQ 64×64 run over the CPU budget instead of over 20 million images.
    """

    def __init__(self, options, paths: list[Path]):
        from R3GAN.Networks import Discriminator, Generator
        from R3GAN.Trainer import AdversarialTraining
        from training.augment import AugmentPipe

        names = sorted({path.parent.name for path in paths})
        self.images = torch.from_numpy(np.stack([np.asarray(Image.open(path)) for path in paths])).permute(0, 3, 1, 2)
        self.labels = torch.eye(len(names))[[names.index(path.parent.name) for path in paths]]
        self.batch = options.batch
        self.augmented = options.augment
        # FFHQ-64's widths, the last half of the others; groups of 16 channels as there, 64 numbers of noise.
        width = options.width or 48
        widths, groups = [width] * 4 + [width // 2], [width // 8] * 4 + [width // 16]
        blocks = [options.blocks] * 5
        classes = {"ConditionDimension": len(names)}
        self.generator = Generator(64, widths, groups, blocks, 2, ConditionEmbeddingDimension=64, **classes)
        self.discriminator = Discriminator(
            widths[::-1], groups[::-1], blocks, 2, ConditionEmbeddingDimension=width, **classes
        )
        self.ema = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.training = AdversarialTraining(self.generator, self.discriminator)
        self.learning_rate = options.learning_rate or 2e-4
        self.optimizers = [
            torch.optim.Adam(network.parameters(), self.learning_rate, (0.0, 0.9), eps=1e-8)
            for network in (self.discriminator, self.generator)
        ]
        self.augment = AugmentPipe(
            xflip=1, rotate90=1, xint=1, scale=1, rotate=1, aniso=1, xfrac=1, brightness=0.5, contrast=0.5,
            lumaflip=0.5, hue=0.5, saturation=0.5, cutout=1,
        )  # fmt: skip

    def draw(self):
        chosen = torch.randint(0, len(self.images), (self.batch,))
        return torch.randn(self.batch, 64), self.images[chosen].float() / 127.5 - 1, self.labels[chosen]

    def step(self, step: int, progress: float) -> None:
        probability = cosine(0, 0.3, progress) if self.augmented else 0
        self.augment.p.copy_(torch.tensor(probability))
        change = self.augment if probability > 0.001 else lambda images: images
        discriminator, generator = self.optimizers
        self.learn(discriminator, self.discriminator, progress, lambda: self.training.AccumulateDiscriminatorGradients(
            *self.draw(), cosine(2, 0.2, progress), Preprocessor=change
        ))  # fmt: skip
        self.learn(generator, self.generator, progress, lambda: self.training.AccumulateGeneratorGradients(
            *self.draw(), Preprocessor=change
        ))  # fmt: skip
        with torch.no_grad():
            torch._foreach_lerp_(list(self.ema.parameters()), list(self.generator.parameters()), 1 - ema_decay(step))

    def learn(self, optimizer, network, progress: float, accumulate) -> None:
        for other in (self.discriminator, self.generator):
            other.requires_grad_(other is network)
        for group in optimizer.param_groups:
            group["lr"] = cosine(self.learning_rate, self.learning_rate / 4, progress)
            group["betas"] = (0.0, cosine(0.9, 0.99, progress))
        optimizer.zero_grad(set_to_none=True)
        accumulate()
        optimizer.step()

    def sample(self, count: int, averaged: bool):
        """Images `[count, 3, height, width]`, 0 … 1. Classes are as frequent as those of the real images."""
        labels = self.labels[torch.randint(0, len(self.labels), (count,))]
        generator = self.ema if averaged else self.generator
        return generator(torch.randn(count, 64), labels) / 2 + 0.5

    def parameters(self):
        return self.generator.parameters()


def write_samples(peer, options, averaged: bool) -> None:
    folder = options.to / ("ema" if averaged else "g")
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    with torch.no_grad():
        images = torch.cat([peer.sample(1, averaged) for _ in range(options.count)])
    pixels = (images.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    for place, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{place:04d}.png")


def main() -> None:
    peers = {"lightweight-gan": LightweightGan, "r3gan": R3Gan}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=peers)
    parser.add_argument("--checkout", type=Path, required=True, help="of the project's repository")
    parser.add_argument("--data", type=Path, required=True, help="PNGs in folders of classes")
    parser.add_argument("--to", type=Path, required=True, help="a new folder")
    parser.add_argument("--cpu-seconds", type=float, default=360)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8, help="real images in a step, and as many fake ones")
    parser.add_argument("--width", type=int, help="most channels; without it 64 of lightweight-gan, 48 of R3GAN")
    parser.add_argument("--blocks", type=int, default=2, help="of R3GAN, at each resolution")
    parser.add_argument("--learning-rate", type=float, help="without it the project's")
    parser.add_argument("--augment", action=argparse.BooleanOptionalAction, default=True, help="of R3GAN")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--count", type=int, help="samples; without it half as many as there are images")
    options = parser.parse_args()
    options.to.mkdir(parents=True)  # fails where there is one: samples of two runs must not mix
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    np.random.seed(options.seed)
    random.seed(options.seed)
    sys.path.insert(0, str(options.checkout))
    paths = prepare_images(options.data, options.to / "real", options.image_size)
    options.count = options.count or len(paths) // 2
    peer, steps = peers[options.peer](options, paths), 0
    while spent() < options.cpu_seconds:
        peer.step(steps, spent() / options.cpu_seconds)
        steps += 1
    result = {"peer": options.peer, "data": options.data.name, "steps": steps, "cpuSeconds": round(spent(), 1)}
    result["generatorParameters"] = sum(parameter.numel() for parameter in peer.parameters())
    for averaged in (False, True):
        write_samples(peer, options, averaged)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
