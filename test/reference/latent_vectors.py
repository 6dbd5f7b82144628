"""
Writes latents.json: what `seedToLatent` of packages/model/src/latents/latent.ts must give for ever. Made
with hashlib and statistics alone, so that the vectors do not come from the code that they test.
"""

import hashlib
import struct
from statistics import NormalDist
from pathlib import Path

import fixture

SIZE = 100
SEEDS = ["alice", "", "キルミーベイベー", "👶🏽", "0123456789abcdef" * 16]


def words(seed: str) -> list[int]:
    stream = hashlib.shake_128(f"killme/latent/v1/{seed}".encode()).digest(4 * SIZE)
    return [word >> 8 for word in struct.unpack(f"<{SIZE}I", stream)]


def latent(seed: str) -> list[float]:
    return [word / 2**23 - 1 for word in words(seed)]


def float32(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]


def normal(seed: str, mean: float, deviation: float) -> list[float]:
    quantile = NormalDist().inv_cdf
    return [float32(mean + deviation * quantile((word + 0.5) / 2**24)) for word in words(seed)]


def main() -> None:
    vectors = [
        {
            "seed": seed,
            "first": latent(seed)[:8],
            "sum": sum(latent(seed)),
            "uniform01": [(value + 1) / 2 for value in latent(seed)[:4]],
            "normal": normal(seed, 0, 1),
            "shifted": normal(seed, -1, 0.5)[:4],
        }
        for seed in SEEDS
    ]
    fixture.write(Path(__file__).parent / "latents.json", {"size": SIZE, "vectors": vectors})


if __name__ == "__main__":
    main()
