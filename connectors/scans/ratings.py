"""Published ratings as scanners repeat them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from meddojo.severity import CvssScore

_CWE = re.compile(r"(?:CWE-)?([1-9]\d{0,5})\b", re.IGNORECASE)
_PREFIX = re.compile(r"CVSS:(\d\.\d)/")


def cvss_score(vector: str, base_score: float | None, scorer: str, version: str) -> CvssScore | None:
    """A rating with a vector and a base score from 0 to 10; None where either is missing.

    Parameters
    ----------
    version
        What the vector is of when it does not say so itself; its prefix is added from 3.0 on.
    """
    vector = vector.strip()
    if not vector or base_score is None or not 0.0 <= base_score <= 10.0:
        return None
    prefix = _PREFIX.match(vector)
    if prefix:
        return CvssScore(vector, base_score, prefix[1], scorer)
    return CvssScore(vector if version == "2.0" else f"CVSS:{version}/{vector}", base_score, version, scorer)


def rated(vector: str, scorer: str) -> CvssScore | None:
    """A rating with the base score its vector stands for; None for what is no vector of CVSS 2, 3 or 4."""
    from cvss import CVSS2, CVSS3, CVSS4
    from cvss.exceptions import CVSSError

    vector = vector.strip().strip("()")
    prefix = _PREFIX.match(vector)
    version = prefix[1] if prefix else "2.0"
    kind = CVSS4 if version == "4.0" else CVSS3 if version.startswith("3.") else CVSS2
    try:
        return CvssScore(vector, float(kind(vector).scores()[0]), version, scorer)
    except (CVSSError, ValueError, KeyError, ArithmeticError):
        return None


def cwe_numbers(texts: Iterable[str]) -> tuple[int, ...]:
    """Numbers of ``CWE-79`` or ``79``, each once; anything else is left out."""
    numbers = (_CWE.match(text.strip()) for text in texts)
    return tuple(dict.fromkeys(int(number[1]) for number in numbers if number))


def web_links(texts: Iterable[str]) -> tuple[str, ...]:
    """The addresses among `texts`, each once."""
    return tuple(dict.fromkeys(text for text in texts if text.startswith(("https://", "http://"))))
