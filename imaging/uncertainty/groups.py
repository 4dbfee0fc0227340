"""Runs that kept the same patients are one ensemble; runs of other folds are measured on their own patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging.data.cases import Case
from imaging.networks.config import NetworkConfig
from imaging.networks.files import load
from imaging.segmentation.prediction import predict
from imaging.segmentation.training import CHECKPOINT, Run, digest, read_run
from imaging.uncertainty.files import Method
from imaging.uncertainty.maps import Maps, summarise
from imaging.uncertainty.sampling import StochasticNetwork, ensemble, monte_carlo
from meddojo.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Networks trained on the same patients.

    Attributes
    ----------
    sampled
        The first member with dropout on; None where it has none.
    validation
        Cases that calibration may be fitted on; none where the data are other than those of the training.
    test
        Cases that no member saw.
    """

    folders: tuple[Path, ...]
    members: tuple[tuple[Any, NetworkConfig], ...]
    sampled: StochasticNetwork | None
    validation: tuple[Case, ...]
    test: tuple[Case, ...]

    @property
    def methods(self) -> tuple[Method, ...]:
        """Those there are networks for."""
        several = (Method.ENSEMBLE,) if len(self.members) > 1 else ()
        sampled = (Method.MONTE_CARLO,) if self.sampled else ()
        return (Method.NETWORK, *sampled, *several)

    def members_of(self, method: Method) -> tuple[Path, ...]:
        """Folders of the networks a method calls."""
        return self.folders if method is Method.ENSEMBLE else self.folders[:1]

    def maps(self, method: Method, case: Case, passes: int, seed: int) -> Maps:
        """Maps of a case; of the single network they have one member."""
        network, config = self.members[0]
        match method:
            case Method.NETWORK:
                return summarise([predict(network, config, case)])
            case Method.MONTE_CARLO:
                return summarise(monte_carlo(self.sampled, config, case, passes, seed))
            case Method.ENSEMBLE:
                return summarise(ensemble(self.members, case))


def read_groups(folders: Sequence[Path], cases: Sequence[Case]) -> tuple[Group, ...]:
    """Read runs, and divide cases into those they may be fitted on and measured on.

    Parameters
    ----------
    folders
        Of finished trainings.
    cases
        Those of the training, or others.

    Raises
    ------
    InputError
        If a run cannot be read, has not ended, or was given twice; if a patient would be measured by two groups, or was
        trained on by a member of its group; if other data hold an image of the training.
    """
    runs = {folder: _finished(folder) for folder in folders}
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise InputError(str(folders[0]), "", "or another run is given twice")
    alike: dict[tuple[Any, str], list[Path]] = {}
    for folder, run in runs.items():
        alike.setdefault((run.division, run.data), []).append(folder)
    whole = digest(cases)
    groups = tuple(_group(members, runs[members[0]], cases, whole) for members in alike.values())
    measured: dict[str, Group] = {}
    for group in groups:
        for case in group.test:
            other = measured.setdefault(case.patient, group)
            if other is not group:
                raise InputError(
                    str(group.folders[0]),
                    case.patient,
                    f"is kept by {other.folders[0]} too, but the patients are divided otherwise there",
                    "give runs of one division as an ensemble, or of different folds of one division",
                )
    return groups


def _group(folders: Sequence[Path], run: Run, cases: Sequence[Case], whole: str) -> Group:
    members = []
    for folder in folders:
        config, network = load(folder)
        members.append((network, config))
    network, first = members[0]
    sampled = StochasticNetwork(network) if first.dropout else None
    if whole == run.data:
        validation, test = (tuple(_of(cases, part)) for part in (run.division.validation, run.division.test))
        return Group(tuple(folders), tuple(members), sampled, validation, test)
    for case in cases:
        if case.digest() in run.seen:
            cause = "is an image the network was trained on, in data that are other"
            raise InputError(str(folders[0]), case.name, cause)
    return Group(tuple(folders), tuple(members), sampled, (), tuple(cases))


def _of(cases: Sequence[Case], patients: Sequence[str]) -> Iterator[Case]:
    wanted = set(patients)
    return (case for case in cases if case.patient in wanted)


def _finished(folder: Path) -> Run:
    if (folder / CHECKPOINT).exists():
        raise InputError(str(folder), "", "is of a training that has not ended", "go on: meddojo imaging train")
    return read_run(folder)
