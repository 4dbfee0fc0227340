"""The shipped model on texts that are no description of a vulnerability: no crash, and no guess."""

from __future__ import annotations

import pytest

from analyzers.vuln_classifier.artefacts import shipped
from analyzers.vuln_classifier.classifier import Classifier
from analyzers.vuln_classifier.filling import predictions
from analyzers.vuln_classifier.record import PublishedRecord
from meddojo.finding import Prediction

REAL = (
    "A stack-based buffer overflow in the DICOM parser of Acme Viewer before 3.2 allows remote attackers to execute "
    "arbitrary code via a crafted file."
)


@pytest.fixture(scope="module")
def model() -> Classifier:
    loaded = shipped()
    assert loaded is not None
    return loaded


def predicted(model: Classifier, text: str) -> Prediction:
    (found,) = predictions(model, [PublishedRecord(text)], [True])
    return found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "word " * 10_000,
        "".join(map(chr, range(1, 32))) * 50,
        "这是一个漏洞 允许远程攻击者 执行任意代码 " * 20,
        "lorem ipsum dolor sit amet",
        "1 2 3 4 " * 100,
        "\ud800\udfff",
    ],
)
def test_nothing_to_go_on_is_no_prediction(model: Classifier, text: str) -> None:
    found = predicted(model, text)
    assert found.severity is None and not found.vector and not found.weaknesses


@pytest.mark.parametrize("text", [REAL * 500, f"<p>{REAL}</p><script>alert(1)</script>", REAL + "\x00" * 500])
def test_a_description_in_odd_clothes_is_still_read(model: Classifier, text: str) -> None:
    found = predicted(model, text)
    assert found.severity is None or found.vector.startswith("CVSS:3.1/")
    assert predicted(model, REAL).vector.startswith("CVSS:3.1/AV:")
