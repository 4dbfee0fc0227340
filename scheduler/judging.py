"""The analyzers, and their judgement of a case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.errors import ConfigError, MeddojoError
from meddojo.finding import Finding
from meddojo.interface import Analyzer, load, plugins

# match, narrowing -> enrich -> score -> scan; analyzers of third parties follow, by name.
ORDER = (
    "matching", "vex", "enrichment", "vuln_classifier", "clinical_risk", "sbom_graph", "sbom_quality",
    "imaging_model",
)  # fmt: skip


def analyzers(config: AnalyzerConfig) -> tuple[Analyzer, ...]:
    """Every analyzer that is installed and not disabled, in the order they judge.

    Raises
    ------
    ConfigError
        If a disabled analyzer does not exist.
    """
    known = list(plugins("meddojo.analyzers"))
    for name in config.disabled:
        if name not in known:
            raise ConfigError(f"analyzers.disabled names {name!r}", f"installed are: {', '.join(known)}")
    ordered = [name for name in ORDER if name in known] + [name for name in known if name not in ORDER]
    return tuple(load("meddojo.analyzers", name)(config) for name in ordered if name not in config.disabled)


def judge(case: Case, steps: Iterable[Analyzer]) -> tuple[Finding, ...]:
    """Let every analyzer judge the case in turn.

    Raises
    ------
    MeddojoError
        If one of them fails, whoever wrote it.
    """
    findings: Sequence[Finding] = ()
    for analyzer in steps:
        try:
            findings = analyzer.judge(case, findings)
        except MeddojoError:
            raise
        except Exception as error:
            # A plugin's fault must not cost the other devices their night.
            raise MeddojoError(
                f"the analyzer {analyzer.name!r} failed with {type(error).__name__}: {error}",
                "report it to its authors, or name it in analyzers.disabled",
            ) from error
    return tuple(findings)
