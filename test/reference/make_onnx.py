"""
Writes onnx/: small generators that PyTorch exports, and what onnxruntime makes of them.

- `tutorial`: the generator of PyTorch's DCGAN tutorial, 64×64, narrow; by both exporters.
- `upsampling`: Linear, view, Upsample, Conv2d, BatchNorm2d: the shape of PyTorch-GAN's DCGAN, with a
  shape that is asked for as the program runs.
- `residual`: GroupNorm, PixelShuffle, PReLU, GELU, SiLU, bilinear Upsample, sums and products.
- `conditional`: an Embedding beside the latent, MLP, grey images.
"""

import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

import fixture
import shake

FOLDER = Path(__file__).parent / "onnx"
LATENT_SIZE, CLASSES, COUNT = 12, 3, 2


class Tutorial(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        width = 2
        steps = []
        before, pad = LATENT_SIZE, 0
        for channels in (8 * width, 4 * width, 2 * width, width):
            steps += [
                nn.ConvTranspose2d(before, channels, 4, 2 if pad else 1, pad, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(True),
            ]
            before, pad = channels, 1
        self.main = nn.Sequential(*steps, nn.ConvTranspose2d(before, 3, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, z):
        return self.main(z)


class Upsampling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.l1 = nn.Sequential(nn.Linear(LATENT_SIZE, 6 * 4 * 4))
        self.blocks = nn.Sequential(
            nn.BatchNorm2d(6),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(6, 6, 3, stride=1, padding=1),
            nn.BatchNorm2d(6, 0.8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(6, 1, 3, stride=1, padding=1),
            nn.Tanh(),
        )

    def forward(self, z):
        x = self.l1(z)
        return self.blocks(x.view(x.shape[0], 6, 4, 4))


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Linear(LATENT_SIZE, 8 * 3 * 4)
        self.norm = nn.GroupNorm(2, 8)
        self.conv = nn.Conv2d(8, 8, 3, padding=1)
        self.slopes = nn.PReLU(8)
        self.spread = nn.Conv2d(8, 16, 3, padding=2, dilation=2, groups=2)
        self.shuffle = nn.PixelShuffle(2)
        self.gate = nn.Linear(LATENT_SIZE, 4)
        self.wider = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.instance = nn.InstanceNorm2d(6, affine=True)
        self.last = nn.Conv2d(6, 3, 3, padding=1)

    def forward(self, z):
        x = nn.functional.gelu(self.start(z)).reshape(-1, 8, 3, 4)
        x = x + self.slopes(self.conv(self.norm(x)))
        x = self.shuffle(nn.functional.silu(self.spread(x)))
        x = x * torch.sigmoid(self.gate(z)).unsqueeze(2).unsqueeze(3)
        x = self.instance(self.up(nn.functional.elu(self.wider(x))))
        return (torch.tanh(self.last(x)) + 1) / 2


class Conditional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(CLASSES, 5)
        self.model = nn.Sequential(
            nn.Linear(LATENT_SIZE + 5, 16),
            nn.LeakyReLU(0.2),
            nn.Linear(16, 24),
            nn.BatchNorm1d(24, 0.8),
            nn.LeakyReLU(0.2),
            nn.Linear(24, 10 * 9),
            nn.Tanh(),
        )

    def forward(self, noise, label):
        x = torch.cat((self.embedding(label), noise), -1)
        return self.model(x).view(-1, 1, 10, 9)


def set_weights(model: nn.Module, key: str) -> None:
    for name, values in model.state_dict().items():
        if values.dtype != torch.float32:
            continue
        shape = tuple(values.shape)
        numbers = shake.uniform(f"{key}/{name}", int(np.prod(shape))).reshape(shape)
        scale = "var" in name or (name.endswith("weight") and len(shape) == 1)
        fan = np.prod(shape[1:]) if len(shape) > 1 else 4
        values.copy_(torch.from_numpy(1 + 0.5 * numbers if scale else 1.5 * numbers / np.sqrt(fan)))


def drop_stack_traces(path) -> None:
    """The exporter notes for each node where this script lies: of no use in a fixture."""
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        del node.metadata_props[:]
    path.write_bytes(model.SerializeToString())


def main() -> None:
    warnings.simplefilter("ignore")
    FOLDER.mkdir(exist_ok=True)
    latents = shake.uniform("onnx/latents", COUNT * LATENT_SIZE).reshape(COUNT, LATENT_SIZE)
    labels = np.arange(COUNT) % CLASSES
    models = {}

    def export(name: str, model: nn.Module, dynamo: bool, opset: int, example: tuple, **options) -> None:
        set_weights(model, f"onnx/{name.split('-')[0]}")
        path = FOLDER / f"{name}.onnx"
        options = {"opset_version": opset, "dynamo": dynamo, **options}
        if dynamo:
            options["external_data"] = name == "tutorial-dynamo"
        torch.onnx.export(model.eval(), example, path, verbose=False, **options)
        if dynamo:
            drop_stack_traces(path)
        session = onnxruntime.InferenceSession(path)
        rows = []
        for z, label in zip(latents, labels):
            feeds = {}
            for meta in session.get_inputs():
                given = np.array([label]) if "int" in meta.type else z
                shape = [n if isinstance(n, int) else 1 for n in meta.shape]
                feeds[meta.name] = given.reshape(shape)
            rows.append(np.moveaxis(session.run(None, feeds)[0], 1, -1))
        images = np.concatenate(rows)
        # Both exporters' models are the same; of large images every eleventh number is enough.
        step = 11 if images.size > 4000 else 1
        models[name.split("-")[0]] = {
            "shape": list(images.shape[1:]),
            "step": step,
            "images": [round(float(value), 6) for value in images.ravel()[::step]],
        }

    z, pixel = torch.zeros(1, LATENT_SIZE), torch.zeros(1, LATENT_SIZE, 1, 1)
    export("tutorial-13", Tutorial(), False, 13, (pixel,))
    export("tutorial-dynamo", Tutorial(), True, 20, (pixel,))
    axes = {"input_names": ["z"], "dynamic_axes": {"z": {0: "batch"}}}
    export("upsampling-17", Upsampling(), False, 17, (z,), **axes)
    export("upsampling-dynamo", Upsampling(), True, 23, (z,))
    export("residual-17", Residual(), False, 17, (z,))
    export("residual-dynamo", Residual(), True, 21, (z,))
    label = torch.zeros(1, dtype=torch.int64)
    export("conditional-18", Conditional(), False, 18, (z, label), input_names=["noise", "label"])
    rows = [[float(value) for value in row] for row in latents]
    classes = [[1.0 if c == i else -1.0 for c in range(CLASSES)] for i in labels]
    fixture.write(FOLDER / "onnx.json", {"latents": rows, "classes": classes, "models": models})


if __name__ == "__main__":
    with torch.no_grad():
        main()
