"""Training and prediction of the U-Net in tf_keras beside the same network in PyTorch: images a second.

Both have the layers of `imaging.networks.unet` (their numbers of weights are compared first), batch normalisation,
Adam and the loss Dice with cross-entropy, on the same random images, with as many threads; each is measured in a
process of its own, in turns. PyTorch is in no extra: name a Python that has it with --torch-python.

    python benchmarks/imaging_pytorch.py --size 128 --torch-python python3
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parent.parent
ROUNDS, WARM_UP = 3, 2
CHANNELS, DEPTH = 2, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=128, help="rows and columns")
    parser.add_argument("--filters", type=int, default=16, help="of the first level")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=10, help="measured in each turn")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--torch-python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--child", choices=("keras", "torch"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps((in_keras if arguments.child == "keras" else in_torch)(arguments)))
        return
    pythons = {"keras": sys.executable, "torch": arguments.torch_python}
    for name, module in (("keras", "tf_keras"), ("torch", "torch")):
        if subprocess.run([pythons[name], "-c", f"import {module}"], capture_output=True, check=False).returncode:
            print(f"not measured, missing: {module} for {pythons[name]}")
            return
    found: dict[str, list[dict[str, float]]] = {"keras": [], "torch": []}
    for _ in range(ROUNDS):
        for name, python in pythons.items():
            found[name].append(_measured(name, python, arguments))
    weights = {name: turns[0]["weights"] for name, turns in found.items()}
    assert weights["keras"] == weights["torch"], f"not the same network: {weights}"
    print(
        f"U-Net of {weights['keras']:,.0f} weights, {arguments.size} x {arguments.size} x {CHANNELS}, batches of "
        f"{arguments.batch}, {arguments.threads} threads; median of {ROUNDS} turns, images a second"
    )
    for task in ("train", "predict"):
        rate = {name: median(turn[task] for turn in turns) for name, turns in found.items()}
        print(
            f"{task:<8} tf_keras {rate['keras']:7.1f}   PyTorch {rate['torch']:7.1f}   "
            f"ratio {rate['keras'] / rate['torch']:.2f}"
        )


def _measured(name: str, python: str, arguments: argparse.Namespace) -> dict[str, float]:
    command = [python, str(Path(__file__).resolve()), "--child", name]
    for option in ("size", "filters", "batch", "steps", "threads"):
        command += [f"--{option}", str(getattr(arguments, option))]
    with tempfile.TemporaryDirectory() as home:
        threads = {key: str(arguments.threads) for key in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")}
        environment = os.environ | threads | {"PYTHONPATH": str(REPOSITORY), "HOME": home, "KERAS_HOME": home}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def _rate(step: Callable[[], Any], arguments: argparse.Namespace) -> float:
    for _ in range(WARM_UP):
        step()
    begun = time.perf_counter()
    for _ in range(arguments.steps):
        step()
    return float(arguments.steps * arguments.batch / (time.perf_counter() - begun))


def _data(arguments: argparse.Namespace) -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    images = random.random((arguments.batch, arguments.size, arguments.size, CHANNELS)).astype(np.float32)
    return images, (images[..., :1] > 0.9).astype(np.float32)


def in_keras(arguments: argparse.Namespace) -> dict[str, float]:
    """The network as the suite trains it."""
    from imaging.keras import keras, tensorflow
    from imaging.networks import build
    from imaging.networks.config import NetworkConfig
    from imaging.segmentation.losses import dice_cross_entropy_loss

    network = build(
        NetworkConfig(size=arguments.size, channels=CHANNELS, filters=arguments.filters, depth=DEPTH, dropout=0.0)
    )
    optimizer = keras.optimizers.Adam(1e-3)
    images, masks = map(tensorflow.constant, _data(arguments))

    @tensorflow.function
    def step() -> Any:
        with tensorflow.GradientTape() as tape:
            loss = dice_cross_entropy_loss(masks, network(images, training=True))
        variables = network.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    forward = tensorflow.function(lambda: network(images, training=False))
    weights = sum(int(np.prod(each.shape)) for each in network.trainable_variables)
    return {
        "weights": weights,
        "train": _rate(lambda: float(step()), arguments),
        "predict": _rate(lambda: forward().numpy(), arguments),
    }


def in_torch(arguments: argparse.Namespace) -> dict[str, float]:
    """The same layers in PyTorch, channels last, which is the faster layout on a processor."""
    import torch
    from torch import nn

    torch.set_num_threads(arguments.threads)

    def block(entering: int, leaving: int) -> nn.Module:
        layers: list[nn.Module] = []
        for width in (entering, leaving):
            layers += [nn.Conv2d(width, leaving, 3, padding=1, bias=False), nn.BatchNorm2d(leaving), nn.ReLU()]
        return nn.Sequential(*layers)

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            widths = [arguments.filters * 2**level for level in range(DEPTH + 1)]
            self.down = nn.ModuleList(map(block, [CHANNELS, *widths[:-1]], widths))
            self.doubling = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, 2) for width in widths[:-1])
            self.up = nn.ModuleList(block(2 * width, width) for width in widths[:-1])
            self.last = nn.Conv2d(widths[0], 1, 1)

        def forward(self, found: Any) -> Any:
            skipped = []
            for down in self.down[:-1]:
                found = down(found)
                skipped.append(found)
                found = nn.functional.max_pool2d(found, 2)
            found = self.down[-1](found)
            for level in reversed(range(DEPTH)):
                found = self.up[level](torch.cat([self.doubling[level](found), skipped[level]], 1))
            return torch.sigmoid(self.last(found))

    network = UNet().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    images, masks = (torch.from_numpy(each.transpose(0, 3, 1, 2).copy()) for each in _data(arguments))
    images = images.to(memory_format=torch.channels_last)

    def step() -> float:
        optimizer.zero_grad()
        found = network(images)
        overlap = 1 - (2 * (found * masks).sum() + 1) / (found.sum() + masks.sum() + 1)
        loss = overlap + nn.functional.binary_cross_entropy(found, masks)
        loss.backward()
        optimizer.step()
        return float(loss)

    def forward() -> Any:
        with torch.no_grad():
            return network(images).numpy()

    weights = sum(each.numel() for each in network.parameters())
    train = _rate(step, arguments)
    network.eval()
    return {"weights": weights, "train": train, "predict": _rate(forward, arguments)}


if __name__ == "__main__":
    main()
