"""Whether the model in a device that reads images can be trusted: the analyzer ``imaging_model``.

It judges what `imaging.inspection` found: files that are changed, unsigned or unsafe, figures beyond the bounds that
are declared, and what nobody measured. A figure stands until a newer one replaces it; ``docs/imaging.md`` tells how.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzers.imaging_model.files import FileProblem, problems
from analyzers.imaging_model.options import Options, read_options
from analyzers.imaging_model.properties import Breach, breaches, unshown
from meddojo.advisory import Remediation
from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.finding import Citation, Finding, Stream
from meddojo.imaging_model import ModelInspection
from meddojo.sbom import Component
from meddojo.severity import Severity

TAG = "imaging"
_LISTED = 20


@dataclass(frozen=True, slots=True)
class ImagingModelAnalyzer:
    """Analyzer that adds what is wrong with a device's imaging model; it changes no other finding."""

    options: Options
    name: str = "imaging_model"

    def judge(self, case: Case, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Return the findings, and those about the model; none for a device whose model nobody ever looked at."""
        if case.imaging_model is None:
            return findings
        return (*findings, *_findings(case, case.imaging_model, self.options))


def build(config: AnalyzerConfig) -> ImagingModelAnalyzer:
    """Make the analyzer; entry point ``meddojo.analyzers``.

    Raises
    ------
    ConfigError
        If ``[analyzers.options.imaging_model]`` is wrong.
    """
    return ImagingModelAnalyzer(read_options(config.options.get("imaging_model", {})))


def _findings(case: Case, model: ModelInspection, options: Options) -> Iterator[Finding]:
    for problem in problems(model.files):
        yield _of_files(case, model, problem)
    for breach in breaches(model, options, case.as_of):
        yield _of_figure(case, model, breach)
    lines = tuple(unshown(model, options, case.as_of))
    if lines:
        yield _of_silence(case, model, lines)


def _of_files(case: Case, model: ModelInspection, problem: FileProblem) -> Finding:
    return Finding(
        stream=Stream.IMAGING_MODEL,
        device_id=case.device.id,
        check=problem.check,
        title=problem.title,
        severity=problem.severity,
        severity_reason=problem.reason,
        probability=1.0,
        summary=problem.summary,
        cwes=problem.cwes,
        components=(_component(model),),
        remediations=(Remediation("mitigation", problem.what_to_do),),
        citations=(Citation(f"Files of {_name(model)}", "", 1.0, problem.summary),),
        tags=(TAG, "model-files"),
    )


def _of_figure(case: Case, model: ModelInspection, breach: Breach) -> Finding:
    check, figure = breach.check, breach.figure
    return Finding(
        stream=Stream.IMAGING_MODEL,
        device_id=case.device.id,
        check=check.check,
        title=check.title,
        severity=breach.severity,
        severity_reason=breach.reason,
        probability=1.0,
        summary=_sentences((breach.measured, *figure.details, *breach.remarks)),
        cwes=check.cwes,
        components=(_component(model),),
        remediations=(Remediation("mitigation", check.what_to_do),),
        citations=(Citation(f"Measurement of {_name(model)}", "", 1.0, breach.measured),),
        tags=(TAG, "model-quality"),
    )


def _of_silence(case: Case, model: ModelInspection, lines: Sequence[str]) -> Finding:
    more = (f"… and {len(lines) - _LISTED:,} more",) if len(lines) > _LISTED else ()
    return Finding(
        stream=Stream.IMAGING_MODEL,
        device_id=case.device.id,
        check="imaging-model-not-measured",
        title="Not everything the imaging model should keep has been measured",
        severity=Severity.LOW,
        severity_reason="nothing is known to be wrong; what is not measured is not known to be right either",
        probability=1.0,
        summary=_sentences((*lines[:_LISTED], *more)),
        components=(_component(model),),
        remediations=(
            Remediation(
                "mitigation",
                f"Measure it on cases of your own: meddojo imaging inspect --device {case.device.id} --model FOLDER "
                "--reference CASES --incoming CASES; let the manufacturer declare bounds in the manifest",
            ),
        ),
        citations=(Citation(f"Inspection of {_name(model)}", "", 1.0, "these were not shown"),),
        tags=(TAG, "model-quality"),
    )


def _sentences(parts: Sequence[str]) -> str:
    return "; ".join(parts)


def _name(model: ModelInspection) -> str:
    return f"{model.files.name} {model.files.version}".strip()


def _component(model: ModelInspection) -> Component:
    return Component("imaging-model", model.files.name, model.files.version, kind="machine-learning-model")
