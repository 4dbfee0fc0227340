"""Networks, and the cases each of them may be asked about: those it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging.data.cases import Case
from imaging.networks.config import NetworkConfig
from imaging.segmentation.outline import Outline, load_outline, of_all
from imaging.segmentation.prediction import predict
from imaging.segmentation.record import digest, read_run
from imaging.segmentation.runs import Ensemble, ensembles, load_members
from imaging.uncertainty.files import Method
from imaging.uncertainty.maps import Maps, summarise
from imaging.uncertainty.sampling import StochasticNetwork, ensemble, monte_carlo
from meddojo.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Networks with the same test patients.

    Attributes
    ----------
    members
        Configuration and network of each folder.
    learned
        Patients of these data that each member was trained on.
    held
        Those that each set aside to stop by.
    outlines
        How each member takes a mask from probabilities.
    sampled
        The first member with dropout on; None where it has none.
    cases
        Those of the data of the training, without those all members learned from; or all of other data.
    test
        Of them, those that no member saw.
    """

    folders: tuple[Path, ...]
    members: tuple[tuple[NetworkConfig, Any], ...]
    learned: tuple[frozenset[str], ...]
    held: tuple[frozenset[str], ...]
    outlines: tuple[Outline, ...]
    sampled: StochasticNetwork | None
    cases: tuple[Case, ...]
    test: tuple[Case, ...]

    @property
    def methods(self) -> tuple[Method, ...]:
        """Those there are networks for."""
        return tuple(method for method in Method if self.sampled or method is not Method.MONTE_CARLO)

    def folders_of(self, method: Method) -> tuple[Path, ...]:
        """Folders of the networks a method calls."""
        return self.folders if method is Method.ENSEMBLE else self.folders[:1]

    def outline(self, method: Method) -> Outline:
        """How a mask is taken from what a method gives; that of an ensemble is the one it is evaluated with."""
        return of_all(self.outlines) if method is Method.ENSEMBLE else self.outlines[0]

    def validation(self, method: Method) -> tuple[Case, ...]:
        """Cases that what a method gives may be fitted on: a network it calls set their patients aside."""
        held = frozenset[str]().union(*self.held[: len(self.folders_of(method))])
        return tuple(case for case in self.cases if case.patient in held)

    def maps(self, method: Method, case: Case, passes: int, seed: int) -> Maps:
        """Maps of a case; of the single network they have one member.

        Of an ensemble, only members that did not learn from the patient are asked: on a validation patient, those that
        set it aside.
        """
        config, network = self.members[0]
        match method:
            case Method.NETWORK:
                return summarise([predict(network, config, case)])
            case Method.MONTE_CARLO:
                return summarise(monte_carlo(self.sampled, config, case, passes, seed))
            case Method.ENSEMBLE:
                pairs = zip(self.members, self.learned, strict=True)
                return summarise(ensemble([each for each, learned in pairs if case.patient not in learned], case))


def read_groups(folders: Sequence[Path], data: Path, cases: Sequence[Case]) -> tuple[Group, ...]:
    """Read runs, and divide cases into those they may be fitted on and measured on.

    Parameters
    ----------
    folders
        Of finished trainings, or of folders of such. Those with the same test patients are an ensemble; those of other
        folds are measured on their own patients.
    data
        Where the cases are from, for messages.
    cases
        Those of the training, or others.

    Raises
    ------
    InputError
        If a run cannot be read, has not ended, or was given twice; if two groups test the same case; if other data hold
        an image of the training.
    """
    whole = digest(cases)
    groups = tuple(_group(each, data, cases, each.data == whole) for each in ensembles(folders))
    tested: set[str] = set()
    for group in groups:
        twice = tested & {case.name for case in group.test}
        if twice:
            cause = "would be measured twice: the patients are divided otherwise in another run"
            raise InputError(str(group.folders[0]), min(twice), cause, "name runs of one cross-validation, or one run")
        tested |= {case.name for case in group.test}
    return groups


def _group(runs: Ensemble, data: Path, cases: Sequence[Case], same: bool) -> Group:
    if len({folder.resolve() for folder in runs.folders}) < len(runs.folders):
        raise InputError(str(runs.folders[0]), "", "or another run beside it is given twice")
    members = tuple(load_members(runs))
    config, network = members[0]
    outlines = tuple(map(load_outline, runs.folders))
    sampled = StochasticNetwork(network) if config.dropout else None
    if not same:
        for case in cases:
            if case.digest() in runs.seen:
                cause = "is an image the network was trained on, in data that are other"
                raise InputError(str(data), case.name, cause)
        # of other patients, who may have the same names
        nobody = (frozenset[str](),) * len(members)
        return Group(runs.folders, members, nobody, nobody, outlines, sampled, tuple(cases), tuple(cases))
    divisions = [read_run(folder).division for folder in runs.folders]
    learned = tuple(frozenset(each.train) for each in divisions)
    return Group(
        folders=runs.folders,
        members=members,
        learned=learned,
        held=tuple(frozenset(each.validation) for each in divisions),
        outlines=outlines,
        sampled=sampled,
        cases=tuple(case for case in cases if not all(case.patient in each for each in learned)),
        test=tuple(case for case in cases if case.patient in runs.test),
    )
