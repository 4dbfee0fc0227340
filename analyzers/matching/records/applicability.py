"""Applicability statements as the AND/OR trees they are, in three-valued logic.

A statement joins nodes, a node joins CPE matches, each by ``AND`` or ``OR`` and each possibly negated (NVD CVE API 2.0
schema, ``config`` and ``node``; CPE Applicability Language 2.3, NISTIR 7698, section 6). Whether a single CPE name
holds is asked of a `Judge`: the inventory does not know all that runs on a device, hence "open" beside "holds" and
"fails".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from analyzers.matching.versions.sets import Verdict
from meddojo.vulnerability import Configuration, CpeMatch, CpeNode

UNLESS = 0.95
"""Factor: an exception that the statement makes, and of which nobody knows whether it holds."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of one CPE name, or of a whole statement.

    Attributes
    ----------
    verdict
        Of a subject: of its version. Of a platform: AFFECTED it is there, NOT_AFFECTED it is not, UNKNOWN not known.
    probability
        Of a subject or a platform that is there: that it is what the statement names. Of an unknown platform: the
        factor it puts on the whole.
    reason
        Part of a sentence.
    subject
        True for the thing the question is about, named as vulnerable; False for what it runs on or with.
    """

    verdict: Verdict
    probability: float
    reason: str
    subject: bool = False


Judge = Callable[[CpeMatch], Fact]


def resolve(configuration: Configuration, judge: Judge) -> Fact | None:
    """Whether a statement holds; None when it names no subject, or names it only by negation.

    Negations are moved down to the names, where ``AND`` and ``OR`` change places on the way (De Morgan).
    """
    nodes = [_node(node, judge, configuration.negate != node.negate) for node in configuration.nodes]
    whole = _join(nodes, (configuration.operator.upper() == "AND") != configuration.negate)
    return whole if whole is not None and whole.subject else None


def strongest(facts: Sequence[Fact]) -> Fact | None:
    """The fact that counts among alternatives: one that may hold before one that fails, a subject before a platform."""
    return max(facts, key=_rank, default=None)


def named_by(configuration: Configuration) -> Iterator[CpeMatch]:
    """Every CPE match a statement asserts; negated ones are left out."""
    for node in configuration.nodes:
        if configuration.negate == node.negate:
            yield from node.matches


def _node(node: CpeNode, judge: Judge, negated: bool) -> Fact | None:
    facts = [_negated(judge(match)) if negated else judge(match) for match in node.matches]
    return _join(facts, (node.operator.upper() == "AND") != negated)


def _join(facts: Sequence[Fact | None], conjunction: bool) -> Fact | None:
    given = [fact for fact in facts if fact is not None]
    return _all_of(given) if conjunction and len(given) > 1 else strongest(given)


def _all_of(facts: Sequence[Fact]) -> Fact:
    """A conjunction is as probable as its weakest part, and less so for each part that is open."""
    subjects = [fact for fact in facts if fact.subject]
    platforms = [fact for fact in facts if not fact.subject]
    failed = next((fact for fact in chain(subjects, platforms) if fact.verdict is Verdict.NOT_AFFECTED), None)
    if failed is not None:
        return Fact(Verdict.NOT_AFFECTED, failed.probability, failed.reason, bool(subjects))
    open_platforms = [fact for fact in platforms if fact.verdict is Verdict.UNKNOWN]
    probability = min((fact.probability for fact in facts if fact not in open_platforms), default=1.0)
    for fact in open_platforms:
        probability *= fact.probability
    certain = all(fact.verdict is Verdict.AFFECTED for fact in subjects or platforms)
    reasons = dict.fromkeys(fact.reason for fact in (*subjects, *platforms) if fact.reason)
    return Fact(
        Verdict.AFFECTED if certain else Verdict.UNKNOWN, round(probability, 4), "; ".join(reasons), bool(subjects)
    )


def _negated(fact: Fact) -> Fact:
    """A negation names nobody: what is left of it is a platform."""
    if fact.verdict is Verdict.UNKNOWN:
        return Fact(Verdict.UNKNOWN, UNLESS, "the record makes an exception that was not checked")
    if fact.verdict is Verdict.AFFECTED:
        return Fact(Verdict.NOT_AFFECTED, fact.probability, f"the record makes an exception for it: {fact.reason}")
    return Fact(Verdict.AFFECTED, 1.0, f"not the exception that the record makes: {fact.reason}")


def _rank(fact: Fact) -> tuple[bool, bool, bool, float, str]:
    """A platform that is there goes before one that is not known."""
    return (
        fact.verdict is not Verdict.NOT_AFFECTED,
        fact.subject,
        not fact.subject and fact.verdict is Verdict.AFFECTED,
        fact.probability,
        fact.reason,
    )
