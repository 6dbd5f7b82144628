"""
Writes latents.json: what `seedToLatent` of packages/model/src/latents/latent.ts must give for ever. Made
with hashlib alone, so that the vectors do not come from the code that they test.
"""

import hashlib
import struct
from pathlib import Path

import fixture

SIZE = 100
SEEDS = ["alice", "", "キルミーベイベー", "👶🏽", "0123456789abcdef" * 16]


def latent(seed: str) -> list[float]:
    stream = hashlib.shake_128(f"killme/latent/v1/{seed}".encode()).digest(4 * SIZE)
    return [(word >> 8) / 2**23 - 1 for word in struct.unpack(f"<{SIZE}I", stream)]


def main() -> None:
    vectors = [
        {"seed": seed, "first": values[:8], "sum": sum(values)}
        for seed, values in ((seed, latent(seed)) for seed in SEEDS)
    ]
    fixture.write(Path(__file__).parent / "latents.json", {"size": SIZE, "vectors": vectors})


if __name__ == "__main__":
    main()
