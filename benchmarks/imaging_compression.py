"""What compression costs and brings on real PET/CT: each file's size, Dice, calibration and time, in one table.

Two networks are trained on the patients of one fold of the sarcoma data, the U-Net and the flat U-Net of as many
filters, compressed (pruned, eight bits by calibration and by training), and measured on the patients of the test. With
--run, trainings that are there already are taken instead; without, these are short ones (--epochs), whose Dice is not
what the network can reach. Every ratio names both files.

    python benchmarks/imaging_compression.py --data ../shared/data/sts_petct
    python benchmarks/imaging_compression.py --run runs/fold0-member0 --run runs/flat-fold0 --tuning-epochs 10
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
from pathlib import Path

from imaging.compression import report
from imaging.compression.benchmark import benchmark
from imaging.compression.compress import Plan, compress, fine_tuning_of

NEEDED = ("tf_keras", "tensorflow_model_optimization", "ai_edge_litert")
DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "sts_petct"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of cases")
    parser.add_argument("--run", type=Path, action="append", default=[], help="a finished training; may be repeated")
    parser.add_argument("--epochs", type=int, default=3, help="of training, without --run")
    parser.add_argument("--tuning-epochs", type=int, default=2, help="of fine-tuning, at each step that needs it")
    parser.add_argument("--sparsity", type=float, default=0.75, help="share of weights that become zero")
    parser.add_argument("--rounds", type=int, default=30, help="turns of each file, of 4 windows")
    arguments = parser.parse_args()
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing or not arguments.data.is_dir():
        print(f"not measured, missing: {', '.join(missing) or arguments.data}")
        return
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        runs = arguments.run or [trained(scratch, kind, arguments) for kind in ("unet", "flat")]
        folders = []
        for number, run in enumerate(runs):
            tuning = fine_tuning_of(run, epochs=arguments.tuning_epochs)
            plan = Plan(sparsity=arguments.sparsity, int8=True, aware=True, fine_tuning=tuning)
            folders.append(scratch / f"{number}-{run.name}")
            compress(run, arguments.data, folders[-1], plan)
        found = benchmark(folders, arguments.data, (1, 2), arguments.rounds)
    print("\n".join(report.table(found)))
    for folder in folders:
        print(f"\n{folder.name}, {len(found.cases[str(folder)])} test cases")
        print("\n".join(str(each) for each in report.claims(found) if each.folder == str(folder)))


def trained(scratch: Path, architecture: str, arguments: argparse.Namespace) -> Path:
    """A short training of fold 0."""
    from imaging.networks.config import NetworkConfig
    from imaging.segmentation.settings import TrainingConfig
    from imaging.segmentation.training import train

    network = NetworkConfig(architecture=architecture, channels=3, context=1, dropout=0.2)
    train(arguments.data, scratch / architecture, TrainingConfig(network, epochs=arguments.epochs))
    return scratch / architecture


if __name__ == "__main__":
    main()
