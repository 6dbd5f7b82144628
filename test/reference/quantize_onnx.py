"""
Makes an int8 model of an ONNX file with onnxruntime's own tool, as its guide says for convolutional
networks: static, QDQ, weights per channel. `npm run bench:inference -- --python …` compares with it.

    python quantize_onnx.py model.onnx int8.onnx latents.f32 100
"""

import sys
from pathlib import Path

import numpy as np
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process


class Latents(CalibrationDataReader):
    """One latent at a time, of float32 numbers one after the other."""

    def __init__(self, path: Path, size: int) -> None:
        rows = np.fromfile(path, "<f4").reshape(-1, 1, size)
        self.rows = iter({"x": row} for row in rows)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.rows, None)


def main() -> None:
    model, target, latents, size = sys.argv[1:]
    prepared = f"{target}.prepared"
    quant_pre_process(model, prepared, skip_symbolic_shape=True)
    quantize_static(
        prepared,
        target,
        Latents(Path(latents), int(size)),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


if __name__ == "__main__":
    main()
