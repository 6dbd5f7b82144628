"""
Writes gallery.json: which picture of a gallery a seed gets, as packages/client/src/gallery.ts must say for
ever. Made with hashlib alone, so that the vectors do not come from the code that they test.
"""

import hashlib
import struct
from pathlib import Path

import fixture

SEEDS = ["alice", "bob", "キルミーベイベー", "👶🏽", "0123456789abcdef" * 16]
PICTURES = [1, 7, 1000, 19_000]


def picture(seed: str, pictures: int) -> int:
    stream = hashlib.shake_128(f"killme/gallery/v1/{seed}".encode()).digest(4 * 64)
    unbiased = 2**32 - 2**32 % pictures
    words = struct.unpack("<64I", stream)
    return next(word % pictures for word in words if word < unbiased)


def main() -> None:
    vectors = [
        {"pictures": pictures, "seeds": {seed: picture(seed, pictures) for seed in SEEDS}}
        for pictures in PICTURES
    ]
    fixture.write(Path(__file__).parent / "gallery.json", {"vectors": vectors})


if __name__ == "__main__":
    main()
