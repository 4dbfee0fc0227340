"""From findings to positions and the one finding about the device."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from analyzers.sbom_graph import CHECK, SbomGraph
from analyzers.sbom_graph.assess import assess
from analyzers.sbom_graph.fixes import range_ends
from analyzers.sbom_graph.locate import Locator
from analyzers.sbom_graph.rating import CERTAIN, UNSCORED, likelihood, rate
from meddojo.advisory import AffectedProduct
from meddojo.case import Case
from meddojo.device import Device
from meddojo.finding import Decision, Finding, Prediction, Stream, Verdict
from meddojo.sbom import Component, Dependency, DependencyKind, Sbom, ScanMatch, ScanReport
from meddojo.severity import CvssScore, Severity
from meddojo.vex import VexStatement, VexStatus
from meddojo.vulnerability import Configuration, CpeMatch, CpeNode, EpssScore, KevEntry, Vulnerability

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PUMP = Device("pump", "Acme", "Infusor 300", "4.2")
ROOT = Component("root", "infusor", "4.2")
WEB = Component("w", "webkit", "2.0", "pkg:generic/webkit@2.0")
ZLIB = Component("z", "zlib", "1.2.11", "pkg:generic/zlib@1.2.11")
TEST = Component("t", "tester", "1", "pkg:generic/tester@1")
SBOM = Sbom(
    "CycloneDX 1.5",
    (ROOT, WEB, ZLIB, TEST),
    "root",
    (Dependency("root", "w"), Dependency("w", "z"), Dependency("root", "t", DependencyKind.DEVELOPMENT)),
)
CVSS = CvssScore("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, "3.1", "NVD")


def finding(check: str, *components: Component, **changes: object) -> Finding:
    made = Finding(
        Stream.VULNERABILITIES, "pump", check, check, Severity.CRITICAL, "", 1.0, cvss=(CVSS,), components=components
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def case(**parts: object) -> Case:
    return replace(Case(PUMP, NOW, sbom=SBOM), **parts)  # type: ignore[arg-type]


def judged(asked: Case, *findings: Finding) -> dict[str, Finding]:
    return {each.check: each for each in SbomGraph().judge(asked, findings)}


def hazard(asked: Case, *findings: Finding) -> float:
    return assess(asked, SBOM, findings).risk.hazard


def test_each_finding_is_told_its_position_and_the_device_gets_one_more() -> None:
    before = finding("CVE-1", ZLIB, fix_versions=("1.2.13",))
    after = judged(case(), before)
    assert set(after) == {"CVE-1", CHECK}
    assert after["CVE-1"].supply_path == (
        "zlib 1.2.11: 2 steps from the root by infusor 4.2 > webkit 2.0 > zlib 1.2.11;"
        " 1 component needs it; exposure 0.88",
    )
    assert replace(after["CVE-1"], supply_path=()) == before and after["CVE-1"].identity == before.identity
    whole = after[CHECK]
    assert whole.stream is Stream.SUPPLY_CHAIN and not whole.component_key and not whole.components
    assert whole.severity_reason.startswith("supply-chain score ") and "most of it by zlib 1.2.11 (100 %)" in (
        whole.severity_reason
    )
    assert [each.details.split(":")[0] for each in whole.remediations] == [
        "upgrade zlib 1.2.11 to 1.2.13",
        "remove zlib 1.2.11",
    ]
    assert [each.category for each in whole.remediations] == ["vendor_fix", "mitigation"]


def test_the_same_case_gives_the_same_identity_whatever_the_score() -> None:
    one, other = judged(case(), finding("CVE-1", ZLIB)), judged(case(), finding("CVE-2", WEB, probability=0.5))
    assert one[CHECK].identity == other[CHECK].identity and one[CHECK].title == other[CHECK].title
    assert one[CHECK].severity_reason != other[CHECK].severity_reason


@pytest.mark.parametrize(
    "asked",
    [
        case(sbom=None),
        case(sbom=Sbom("CycloneDX 1.5", (ROOT,), "root")),
        case(decisions=(Decision(finding("CVE-1").identity, Verdict.FALSE_POSITIVE, "defectdojo", ""),)),
    ],
)
def test_there_is_none_without_an_sbom_or_without_risk(asked: Case) -> None:
    assert set(judged(asked, finding("CVE-1", ZLIB))) == {"CVE-1"}


def test_no_risk_no_finding() -> None:
    assert set(judged(case(), finding("CVE-1"), finding("CVE-2", TEST))) == {"CVE-1", "CVE-2"}
    assert judged(case(), finding("CVE-2", TEST))["CVE-2"].supply_path == (
        "tester 1: needed for development only, not on the device; it has no part in the score",
    )


def test_vex_removes_it_for_the_component_it_names_and_for_no_other() -> None:
    both = finding("CVE-1", WEB, ZLIB)
    answer = VexStatement(
        "CVE-1",
        VexStatus.NOT_AFFECTED,
        (AffectedProduct("z", purl=ZLIB.purl),),
        "Acme",
        "A-1",
        "1",
        NOW,
    )
    assert hazard(case(vex=(answer,)), both) == hazard(case(), finding("CVE-1", WEB))
    assert hazard(case(), replace(both, suppressed="answered")) == 0.0


@pytest.mark.parametrize(
    ("verdict", "counts"),
    [
        (Verdict.FALSE_POSITIVE, False),
        (Verdict.OUT_OF_SCOPE, False),
        (Verdict.MITIGATED, False),
        (Verdict.RISK_ACCEPTED, True),
    ],
)
def test_what_people_decided_counts(verdict: Verdict, counts: bool) -> None:
    about = finding("CVE-1", ZLIB)
    decided = Decision(about.identity, verdict, "defectdojo", "")
    assert (hazard(case(decisions=(decided,)), about) > 0.0) is counts


def test_a_component_only_a_scanner_knows_is_counted_and_told() -> None:
    stranger = Component("s", "expat", "2.4", "pkg:generic/expat@2.4")
    found = assess(case(), SBOM, [finding("CVE-1", stranger)])
    assert found.unlisted == (stranger,)
    assert found.nodes[finding("CVE-1").identity] == (4,)
    assert found.risk.components[4].hazard > 0.0
    assert "1 more are not in it" in judged(case(), finding("CVE-1", stranger))[CHECK].citations[0].reason


def test_which_component_a_scanner_means() -> None:
    deb = Component("d", "libssl1.1", "1.1.1k-1", "pkg:deb/debian/libssl1.1@1.1.1k-1?arch=amd64")
    bare = Component("b", "OpenSSL", "1.1.1k")
    locator = Locator((deb, bare, ZLIB, replace(ZLIB, ref="z2")))
    assert locator.find(Component("x", "libssl1.1", "1.1.1k-1", "pkg:deb/debian/libssl1.1@1.1.1k-1")) == (0,)
    assert locator.find(Component("x", "openssl", "1.1.1k", "pkg:generic/openssl@1.1.1k")) == (1,)
    assert locator.find(Component("x", "libssl1.1", "1.1.1k-1")) == (0,)
    assert locator.find(Component("x", "zlib", "1.2.11", "pkg:generic/zlib@1.2.11")) == (2, 3)
    assert locator.find(Component("x", "zlib", "1.2.12", "pkg:generic/zlib@1.2.12")) == ()
    assert locator.find(Component("x", "zlib", "1.2.11", "pkg:npm/zlib@1.2.11")) == ()


def test_how_a_vulnerability_is_rated() -> None:
    plain = finding("CVE-1", ZLIB)
    assert rate(plain).chance == pytest.approx(CERTAIN * 0.98 * UNSCORED)
    assert rate(replace(plain, probability=0.5)).chance == pytest.approx(rate(plain).chance / 2)
    kev = replace(plain, kev=KevEntry("CVE-1", date(2025, 1, 1)))
    assert rate(kev).chance == pytest.approx(CERTAIN * 0.98) and rate(kev).known_exploited
    scored = replace(plain, epss=EpssScore("CVE-1", 0.25, 0.9, date(2025, 1, 1)))
    assert rate(scored).chance == pytest.approx(CERTAIN * 0.98 * 0.55)
    unrated = replace(plain, cvss=(), severity=Severity.HIGH)
    assert rate(unrated).score == 7.0 and not rate(unrated).predicted
    predicted = replace(unrated, predicted=Prediction("model", Severity.MEDIUM, 0.6, base_score=5.5))
    assert rate(predicted).score == 5.5 and rate(predicted).predicted
    assert rate(replace(predicted, cvss=(CVSS,))).score == 9.8 and not rate(replace(predicted, cvss=(CVSS,))).predicted


def test_likelihood_rises_with_epss_and_exploitation_is_the_most() -> None:
    steps = [likelihood(epss / 100, False) for epss in range(101)]
    assert steps == sorted(steps) and steps[0] == 0.1 and steps[-1] == likelihood(None, True) == 1.0
    assert likelihood(float("nan"), False) == 0.1


def test_the_fix_of_the_right_package() -> None:
    """A finding may name packages with fixes of their own; a scanner's word on just this one goes first."""
    record = Vulnerability("CVE-1", "grype")
    matches = (ScanMatch(record, ZLIB, fix_versions=("1.2.12",)), ScanMatch(record, WEB, fix_versions=("2.1",)))
    scanned = case(scans=(ScanReport("grype", "1", NOW, "pump", matches),))
    about = finding("CVE-1", WEB, ZLIB, fix_versions=("1.2.12", "2.1"))
    found = assess(scanned, SBOM, [about]).risk
    assert found.components[1].vulnerabilities[0].fix_versions == ("2.1",)
    assert found.components[2].vulnerabilities[0].fix_versions == ("1.2.12",)
    assert assess(case(), SBOM, [about]).risk.components[2].vulnerabilities[0].fix_versions == ()


def test_the_end_of_a_range_is_a_fix() -> None:
    zlib = CpeMatch("cpe:2.3:a:zlib:zlib:*:*:*:*:*:*:*:*", version_end_excluding="1.2.12")
    other = CpeMatch("cpe:2.3:a:acme:other:*:*:*:*:*:*:*:*", version_end_excluding="9")
    ranged = Vulnerability("CVE-1", "nvd", configurations=(Configuration("OR", (CpeNode("OR", (other, zlib)),)),))
    assert list(range_ends(ranged, ZLIB)) == ["1.2.12"]
    told = Vulnerability("CVE-1", "nvd", affected=(AffectedProduct("", "zlib", "zlib", ">= 1.0, < 1.2.13, <= 1.1"),))
    assert list(range_ends(told, ZLIB)) == ["1.2.13"]
    found = assess(case(vulnerabilities=(ranged,)), SBOM, [finding("CVE-1", ZLIB)]).risk
    assert found.components[2].vulnerabilities[0].fix_versions == ("1.2.12",)
