"""
The training steps of presets `article` and `lite` in PyTorch, as an anchor for the trainer's own speed on
the same card: same networks, batch, losses and optimizer; images lie on the device. Prints a line of JSON
for each step and mode: iterations per second.

    python test/reference/bench_torch.py                      # every mode that the device has
    python test/reference/bench_torch.py --seconds 10 --modes eager compile --precisions float32 tf32

`eager` is PyTorch as it comes; `compile` is torch.compile in mode "reduce-overhead", which captures CUDA
graphs where there is CUDA.
"""

import argparse
import copy
import json
import time

import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 4
LATENT = 100


class Upsampling(nn.Module):
    def __init__(self, before: int, after: int):
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 3, padding="same")

    def forward(self, x):
        return self.convolution(F.interpolate(x, scale_factor=2, mode="nearest"))


class ArticleGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(LATENT, 32 * 32 * 128)
        norm = lambda channels: nn.BatchNorm2d(channels, eps=1e-3, momentum=0.2)
        self.layers = nn.Sequential(
            norm(128), Upsampling(128, 128), nn.ReLU(), norm(128), Upsampling(128, 64), nn.ReLU(), norm(64),
            nn.Conv2d(64, 3, 3, padding="same"), nn.Tanh(),
        )

    def forward(self, z):
        return self.layers(F.relu(self.dense(z)).view(-1, 128, 32, 32))


class SameStride2(nn.Conv2d):
    """Keras's `same` at stride 2 and kernel 3 pads at the bottom and the right."""

    def __init__(self, before: int, after: int):
        super().__init__(before, after, 3, stride=2)

    def forward(self, x):
        odd = x.shape[-1] % 2
        return super().forward(F.pad(x, (odd, 1, odd, 1)))


def article_discriminator() -> nn.Module:
    norm = lambda channels: nn.BatchNorm2d(channels, eps=1e-3, momentum=0.2)
    leaky, dropout = lambda: nn.LeakyReLU(0.2), lambda: nn.Dropout(0.25)
    return nn.Sequential(
        SameStride2(3, 32), leaky(), dropout(),
        SameStride2(32, 64), nn.ZeroPad2d((0, 1, 0, 1)), leaky(), dropout(), norm(64),
        SameStride2(64, 128), leaky(), dropout(), norm(128),
        nn.Conv2d(128, 256, 3, padding="same"), leaky(), dropout(), nn.Flatten(), nn.Linear(256 * 17 * 17, 1),
    )  # fmt: skip


class LiteGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(LATENT, 4 * 4 * 192)
        widths = [192, 160, 128, 64, 32, 16]
        layers = [nn.BatchNorm2d(192, eps=1e-3), nn.ReLU()]
        for before, after in zip(widths, widths[1:]):
            layers += [Upsampling(before, after), nn.BatchNorm2d(after, eps=1e-3), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(16, 3, 3, padding="same"))

    def forward(self, z):
        return self.layers(self.dense(z).view(-1, 192, 4, 4))  # before the tanh


def halvings(widths: list[int]) -> list[nn.Module]:
    pairs = zip(widths, widths[1:])
    return [layer for pair in pairs for layer in (nn.Conv2d(*pair, 4, stride=2, padding=1), nn.LeakyReLU(0.2))]


class MinibatchDeviation(nn.Module):
    def forward(self, x):
        deviation = torch.sqrt(x.var(0, unbiased=False) + 1e-8).mean((1, 2))
        return torch.cat([x, deviation.view(1, -1, 1, 1).expand_as(x)], 1)


def lite_discriminator() -> nn.Module:
    layers = halvings([3, 24, 48, 96, 160])
    return nn.Sequential(*layers, MinibatchDeviation(), *halvings([320, 256]), nn.Flatten(), nn.Linear(4096, CLASSES))


def lite_encoder() -> nn.Module:
    return nn.Sequential(*halvings([3, 16, 32, 64, 96, 128]), nn.Flatten(), nn.Linear(2048, 2 * (LATENT - CLASSES)))


class Trainer:
    """What both presets share: images on the device, latents, Adam."""

    def __init__(self, device: torch.device, batch: int, compiled: bool):
        self.device, self.batch, self.half = device, batch, batch // 2
        self.images = torch.randint(0, 256, (686, 3, 128, 128), dtype=torch.uint8, device=device)
        self.labels = torch.arange(686, device=device) % CLASSES
        self.compiled = compiled

    def place(self, network: nn.Module) -> nn.Module:
        network = network.to(self.device, memory_format=torch.channels_last)
        return torch.compile(network, mode="reduce-overhead") if self.compiled else network

    def adam(self, *networks: nn.Module, rate: float, betas: tuple[float, float]):
        parameters = [parameter for network in networks for parameter in network.parameters()]
        return torch.optim.Adam(parameters, rate, betas, eps=1e-7, fused=True)

    def real(self):
        chosen = torch.randint(0, len(self.images), (self.half,), device=self.device)
        images = (self.images[chosen].float() - 127.5) / 127.5
        return images.contiguous(memory_format=torch.channels_last), self.labels[chosen]

    def latents(self, count: int):
        return torch.rand(count, LATENT, device=self.device) * 2 - 1


def learn(optimizer, loss) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


class Article(Trainer):
    def __init__(self, *settings):
        super().__init__(*settings)
        self.generator, self.discriminator = self.place(ArticleGenerator()), self.place(article_discriminator())
        adam = lambda network: self.adam(network, rate=2e-4, betas=(0.5, 0.999))
        self.generator_adam, self.discriminator_adam = adam(self.generator), adam(self.discriminator)

    def step(self, _: int):
        with torch.no_grad():
            self.generator.eval()
            fake = self.generator(self.latents(self.half)).clone()
            self.generator.train()
        for images, label in ((self.real()[0], 1.0), (fake, 0.0)):
            logits = self.discriminator(images)
            learn(self.discriminator_adam, F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label)))
        logits = self.discriminator(self.generator(self.latents(self.batch)))
        loss = F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
        learn(self.generator_adam, loss)
        return loss.detach()


def augment(images):
    """DiffAugment's translation and cutout."""
    count, _, height, width = images.shape
    random = lambda low, high: torch.randint(low, high + 1, (count, 1, 1), device=images.device)
    rows = torch.arange(height, device=images.device).view(1, -1, 1)
    columns = torch.arange(width, device=images.device).view(1, 1, -1)
    y, x = rows - random(-height // 8, height // 8), columns - random(-width // 8, width // 8)
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    place = (y.clamp(0, height - 1) * width + x.clamp(0, width - 1)).view(count, 1, -1).expand(-1, 3, -1)
    moved = images.reshape(count, 3, -1).gather(2, place).view_as(images)
    top, left = random(-height // 4, 3 * height // 4), random(-width // 4, 3 * width // 4)
    cut = (rows >= top) & (rows < top + height // 2) & (columns >= left) & (columns < left + width // 2)
    return moved * (inside & ~cut).unsqueeze(1)


class Lite(Trainer):
    def __init__(self, warm_up: bool, *settings):
        super().__init__(*settings)
        self.warm_up = warm_up
        self.generator, self.discriminator = self.place(LiteGenerator()), self.place(lite_discriminator())
        self.encoder = self.place(lite_encoder())
        self.ema = copy.deepcopy(getattr(self.generator, "_orig_mod", self.generator))
        rate = 1e-3 if warm_up else 3e-4
        self.discriminator_adam = self.adam(self.discriminator, rate=rate, betas=(0.0, 0.99))
        self.generator_adam = self.adam(self.generator, self.encoder, rate=rate, betas=(0.0, 0.99))
        line = torch.tensor([1.0, 3.0, 3.0, 1.0], device=self.device) / 8
        self.filter = torch.outer(line, line).expand(3, 1, 4, 4).contiguous()

    def step(self, iteration: int):
        real, labels = self.real()
        if not self.warm_up:
            self.step_discriminator(real, labels, iteration)
        mean, spread = self.encoder(real).chunk(2, 1)
        mean, log_variance = 3 * torch.tanh(mean / 3), -F.softplus(spread)
        divergence = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1).mean()
        sampled = torch.erf((mean + (log_variance / 2).exp() * torch.randn_like(mean)) / 2**0.5)
        classes = F.one_hot(labels, CLASSES).float() * 2 - 1
        latents = torch.cat([sampled, classes], 1)
        both = latents if self.warm_up else torch.cat([self.latents(self.half), latents])
        before_tanh = self.generator(both)
        images = torch.tanh(before_tanh)
        reconstruction = self.pyramid(images[-self.half :] - real)
        loss = 100 * (reconstruction + 1e-4 * divergence) + 100 * F.relu(before_tanh.abs() - 4).mean()
        if not self.warm_up:
            with torch.no_grad():
                real_logits = self.judge(augment(real), labels).clone()
            loss = loss + F.softplus(real_logits - self.judge(augment(images[: self.half]), labels)).mean()
        learn(self.generator_adam, loss)
        with torch.no_grad():
            torch._foreach_lerp_(list(self.ema.parameters()), list(self.generator.parameters()), 0.002)
        return loss.detach()

    def step_discriminator(self, real, labels, iteration: int) -> None:
        with torch.no_grad():
            fake = torch.tanh(self.generator(self.latents(self.half))).clone()
        halves = [augment(real), augment(fake)]
        logits = [self.judge(images, labels).clone() for images in halves]
        loss = F.softplus(logits[1] - logits[0]).mean()
        if iteration % 4 == 0:
            for images, scores in zip(halves, logits):
                signs = torch.randint(0, 2, images.shape, device=self.device) * 2.0 - 1
                moved = self.judge(images + 0.05 * signs, labels).clone()
                loss = loss + 2 * ((moved - scores) / 0.05).square().mean()
        learn(self.discriminator_adam, loss)

    def judge(self, images, labels):
        return self.discriminator(images).gather(1, labels[:, None])

    def pyramid(self, rest):
        total = 0
        while rest.shape[-1] > 8:
            smaller = F.conv2d(rest, self.filter, stride=2, padding=1, groups=3)
            guess = 4 * F.conv_transpose2d(smaller, self.filter, stride=2, padding=1, groups=3)
            total, rest = total + (rest - guess).abs().mean(), smaller
        return total + 2 * rest.abs().mean()


STEPS = {
    "article": (32, lambda *settings: Article(*settings)),
    "lite, warm-up": (16, lambda *settings: Lite(True, *settings)),
    "lite, with D": (16, lambda *settings: Lite(False, *settings)),
}


def measure(trainer: Trainer, seconds: float) -> float:
    """Iterations per second, after some to warm up. Losses are not read, as a loop that logs rarely does."""
    wait = torch.cuda.synchronize if trainer.device.type == "cuda" else lambda: None
    for iteration in range(8):
        loss = trainer.step(iteration)
    wait()
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        for iteration in range(4):
            loss = trainer.step(iteration)
        wait()
        done += 4
    if not torch.isfinite(loss):
        raise RuntimeError(f"the loss is {loss.item()}")
    return done / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cuda = torch.cuda.is_available()
    parser.add_argument("--seconds", type=float, default=5, help="for each measurement")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--modes", nargs="+", choices=["eager", "compile"], default=["eager", "compile"] if cuda else ["eager"])
    parser.add_argument("--precisions", nargs="+", choices=["float32", "tf32"], default=["float32", "tf32"] if cuda else ["float32"])
    parser.add_argument("--batch", type=int, help="without it the preset's")
    options = parser.parse_args()
    device = torch.device("cuda" if cuda else "cpu")
    name = torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads"
    for mode in options.modes:  # compiling takes longest: that comes last
        for precision in options.precisions:
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
            for step in options.steps:
                batch, create = STEPS[step]
                batch = options.batch or batch
                result = {"step": step, "batch": batch, "mode": mode, "precision": precision}
                try:
                    rate = measure(create(device, batch, mode == "compile"), options.seconds)
                    result["iterationsPerSecond"] = round(rate, 2)
                except Exception as error:  # of what kind is the compiler's choice; the other modes go on
                    result["failure"] = f"{type(error).__name__}: {error}".splitlines()[0]
                print(json.dumps({**result, "device": name, "torch": torch.__version__}), flush=True)


if __name__ == "__main__":
    main()
