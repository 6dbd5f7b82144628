"""
Writes quality.json: what the metrics of apps/trainer/src/quality must give, worked out with SciPy,
scikit-learn and PyTorch from the papers' published code. Inputs, places and directions come from
SHAKE128 streams (packages/model/src/latents/random.ts), written here again.

    .venv/bin/pip install scipy==1.17.1 scikit-learn==1.9.1 torch==2.13.0
    .venv/bin/python quality_vectors.py
"""

import hashlib
from pathlib import Path

import fixture
import numpy as np
import torch
from scipy.ndimage import convolve
from scipy.stats import wasserstein_distance
from sklearn.metrics.pairwise import pairwise_distances, polynomial_kernel
from sklearn.preprocessing import StandardScaler

SIDE = 32
SEED = 3


class Stream:
    """createRandom(key) of packages/model/src/latents/random.ts."""

    def __init__(self, key: str):
        self.shake = hashlib.shake_128(key.encode())
        self.words = np.zeros(0, "<u4")
        self.used = 0

    def uint32s(self, count: int) -> np.ndarray:
        if self.used + count > len(self.words):
            longer = max(2 * len(self.words), self.used + count)
            self.words = np.frombuffer(self.shake.digest(4 * longer), "<u4")
        self.used += count
        return self.words[self.used - count : self.used]

    def uniform(self, count: int) -> np.ndarray:
        return (self.uint32s(count) >> 8).astype(np.float64) / 2**23 - 1

    def integers(self, count: int, limit: int) -> np.ndarray:
        drawn = []
        while len(drawn) < count:
            word = int(self.uint32s(1)[0])
            if word < 2**32 - 2**32 % limit:
                drawn.append(word % limit)
        return np.array(drawn)

    def permutation(self, count: int) -> np.ndarray:
        order = np.arange(count)
        for i in range(count - 1, 0, -1):
            j = self.integers(1, i + 1)[0]
            order[i], order[j] = order[j], order[i]
        return order

    def normal(self, count: int) -> np.ndarray:
        words = self.uint32s(count + count % 2).astype(np.float64)
        radius = np.sqrt(-2 * np.log((words[0::2] + 0.5) / 2**32))
        angle = 2 * np.pi * words[1::2] / 2**32
        pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return pairs.reshape(-1)[:count]


def images(name: str, count: int) -> np.ndarray:
    """NHWC; noise whose red is darker in the second set."""
    words = Stream(f"test/quality/{name}").uint32s(count * SIDE * SIDE * 3)
    pixels = (words >> 24).astype(np.uint8).reshape(count, SIDE, SIDE, 3).copy()
    if name == "b":
        pixels[..., 0] //= 2
        pixels[:, 8:24, 8:24] = 255
    return pixels


def features(name: str, count: int, size: int) -> np.ndarray:
    values = Stream(f"test/quality/{name}").uniform(count * size).reshape(count, size)
    return (values * 0.8 + 0.3 if name == "fake" else values).astype(np.float32)


# Sliced Wasserstein distance, after metrics/sliced_wasserstein.py of progressive_growing_of_gans.

FILTER = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])[None, None] / 256


def pyramid(batch: np.ndarray, levels: int) -> list[np.ndarray]:
    bands = [batch.astype(np.float64)]
    for _ in range(1, levels):
        bands.append(convolve(bands[-1], FILTER, mode="mirror")[:, :, ::2, ::2])
        n, c, h, w = bands[-1].shape
        apart = np.zeros((n, c, 2 * h, 2 * w))
        apart[:, :, ::2, ::2] = bands[-1]
        bands[-2] = bands[-2] - convolve(apart, FILTER * 4, mode="mirror")
    return bands


def descriptors(band: np.ndarray) -> np.ndarray:
    side = band.shape[-1]
    places = Stream(f"killme/quality/v1/{SEED}/patches/{side}")
    patches = []
    for image in band:
        for top, left in places.integers(2 * 128, side - 6).reshape(128, 2):
            patches.append(image[:, top : top + 7, left : left + 7])
    desc = np.stack(patches)
    desc -= desc.mean(axis=(0, 2, 3), keepdims=True)
    desc /= desc.std(axis=(0, 2, 3), keepdims=True)
    return desc.transpose(0, 2, 3, 1).reshape(len(desc), -1)  # the order of our directions: HWC


def sliced_wasserstein(a: np.ndarray, b: np.ndarray) -> list[dict]:
    rows = []
    bands = [pyramid(s.transpose(0, 3, 1, 2), 2) for s in (a, b)]
    for level, side in enumerate([32, 16]):
        stream = Stream(f"killme/quality/v1/{SEED}/directions/{side}")
        directions = stream.normal(512 * 147).reshape(512, 147)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        first, second = (np.sort(descriptors(s[level]) @ directions.T, axis=0) for s in bands)
        rows.append({"side": side, "distance": 1000 * float(np.abs(first - second).mean())})
    return rows


# KID, precision, recall, density and coverage, after the code of their papers.


def kid(real: np.ndarray, fake: np.ndarray) -> float:
    """The unbiased estimate for two sets of one size."""
    m = len(real)
    options = {"degree": 3, "coef0": 1}
    xx, yy, xy = (polynomial_kernel(*p, **options) for p in ((real, real), (fake, fake), (real, fake)))
    off_diagonal = xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)
    return float(off_diagonal / (m * (m - 1)) - 2 * xy.mean())


def kid_subsets(real: np.ndarray, fake: np.ndarray, subset: int, key: str) -> dict:
    stream = Stream(key)
    estimates = []
    for _ in range(100):
        reals = stream.permutation(len(real))[:subset]
        fakes = stream.permutation(len(fake))[:subset]
        estimates.append(kid(real[reals], fake[fakes]))
    return {"mean": float(np.mean(estimates)), "deviation": float(np.std(estimates))}


def prdc(real: np.ndarray, fake: np.ndarray, k: int) -> dict:
    def radii(points: np.ndarray) -> np.ndarray:
        return np.partition(pairwise_distances(points), k, axis=-1)[:, k]

    between = pairwise_distances(real, fake)
    return {
        "precision": float((between < radii(real)[:, None]).any(axis=0).mean()),
        "recall": float((between < radii(fake)[None, :]).any(axis=1).mean()),
        "density": float((between < radii(real)[:, None]).sum(axis=0).mean() / k),
        "coverage": float((between.min(axis=1) < radii(real)).mean()),
    }


def random_maps(batch: np.ndarray) -> list[torch.Tensor]:
    """The channels after each convolution, NCHW."""
    x = torch.from_numpy(batch).permute(0, 3, 1, 2).double() / 127.5 - 1
    maps = []
    for depth, width in enumerate([32, 64, 128, 256, 256]):
        inputs = 9 * x.shape[1]
        values = Stream(f"killme/quality/v1/random network/{depth}").normal(inputs * width)
        kernel = values.reshape(3, 3, x.shape[1], width) * np.sqrt(2 / inputs)
        kernel = torch.from_numpy(kernel - kernel.mean(axis=(0, 1, 2))).permute(3, 2, 0, 1)
        if depth == 0:  # TensorFlow's "same" pads after the last pixel alone
            padded = torch.nn.functional.pad(x, (0, 1, 0, 1))
            x = torch.relu(torch.nn.functional.conv2d(padded, kernel, stride=2))
        else:
            pooled = torch.nn.functional.avg_pool2d(x, 2)
            x = torch.relu(torch.nn.functional.conv2d(pooled, kernel, padding=1))
        maps.append(x)
    return maps


def random_features(batch: np.ndarray) -> np.ndarray:
    return torch.cat([m.mean(dim=(2, 3)) for m in random_maps(batch)[1:]], dim=1).numpy()


def part_features(batch: np.ndarray) -> np.ndarray:
    """[image, part, feature]: channel means in each of 8×8 parts after the first two convolutions."""
    maps = random_maps(batch)[:2]
    cells = [torch.nn.functional.adaptive_avg_pool2d(m, 8).flatten(2) for m in maps]
    return torch.cat(cells, dim=1).transpose(1, 2).numpy()


def parts(reference: np.ndarray, others: np.ndarray) -> float:
    """The mean over the worst 8 of 64 parts of SciPy's Wasserstein distance on 64 directions."""
    variance = reference.var(axis=0)
    scale = np.sqrt(variance + 0.1 * variance.mean(axis=0))
    a, b = ((s - reference.mean(axis=0)) / scale for s in (reference, others))
    directions = Stream("killme/quality/v1/parts/directions").normal(64 * 96).reshape(64, 96)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    distances = [
        np.mean([wasserstein_distance(a[:, p] @ d, b[:, p] @ d) for d in directions])
        for p in range(64)
    ]
    return float(np.mean(np.sort(distances)[-8:]))


def patches(name: str) -> np.ndarray:
    """NHWC; eight images of 16×16 patches of 2×2 pixels."""
    offsets = Stream(f"test/quality/patches/{name}").uniform(8 * 16 * 16 * 3)
    levels = 128 + np.floor((13 if name == "real" else 10) * offsets).reshape(8, 16, 16, 3)
    return levels.repeat(2, axis=1).repeat(2, axis=2).astype(np.uint8)


def frame(batch: np.ndarray) -> np.ndarray:
    """Mean colours of the outermost patches, row by row: [image, place, channel]."""
    n, side = batch.shape[:2]
    step = side // 16
    means = batch.astype(np.float64).reshape(n, 16, step, 16, step, 3).mean(axis=(2, 4))
    outermost = np.ones((16, 16), bool)
    outermost[1:-1, 1:-1] = False
    return means[:, outermost]


def off(colours: np.ndarray) -> np.ndarray:
    """Which places differ by more than 12 levels from the median of their image."""
    medians = np.median(colours, axis=1, keepdims=True)
    return (np.abs(colours - medians) > 12).any(axis=2)


def clouds(real: np.ndarray, made: np.ndarray) -> dict:
    places = np.flatnonzero((~off(frame(real))).mean(axis=0) >= 0.98)
    return {
        "places": [int(place) for place in places],
        "share": float(off(frame(made)[:, places]).any(axis=1).mean()),
    }


def evenness(points: np.ndarray) -> dict:
    """Of the walk through these points in their order."""
    steps = np.linalg.norm(np.diff(points.astype(np.float64), axis=0), axis=1)
    straight = np.linalg.norm(points[-1].astype(np.float64) - points[0])
    return {
        "pathLength": float(steps.sum() / straight),
        "largestStep": float(steps.max() / steps.sum()),
    }


def main() -> None:
    a, b = images("a", 3), images("b", 3)
    real, fake = features("real", 30, 6), features("fake", 24, 6)
    scaler = StandardScaler().fit(real)
    embedded = random_features(a)
    noise = part_features(images("a", 24))
    fixture.write(
        Path(__file__).parent / "quality.json",
        {
            "slicedWasserstein": sliced_wasserstein(a, b),
            "kernelDistanceWhole": kid(real[:24], fake),
            "kernelDistance": kid_subsets(real, fake, 10, "test/quality/subsets"),
            "neighbourhoods": prdc(real, fake, 5),
            "neighbourhoodsOfThree": prdc(real, fake, 3),
            "clouds": clouds(patches("real"), patches("made")),
            "walks": evenness(real),
            "parts": {
                "model": parts(noise[:12], part_features(images("b", 12))),
                "floor": parts(noise[:12], noise[12:]),
            },
            "standardized": [float(v) for v in scaler.transform(fake)[0]],
            "randomFeatures": {
                "everySixteenth": [float(v) for v in embedded[0, ::16]],
                "sums": [float(v) for v in embedded.sum(axis=1)],
            },
        },
    )


if __name__ == "__main__":
    main()
