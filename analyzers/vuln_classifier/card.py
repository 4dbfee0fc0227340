"""The model card and the table of figures, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analyzers.vuln_classifier.experiment import Table

_LIMITS = """\
## Limits

- It predicts what a scorer would write, not what is true: two experts agree on the band for 58 of 100 CVEs.
- It has read English descriptions. Other languages, and texts with fewer than five words it knows, get no prediction.
- A record's assigner counts for much. Of one it has not met, it knows the text only.
- SSVC and KEV estimates rest on few positive examples. They order; as absolute numbers they are rough.
- Relevance to medicine and the kind of device are models of their own with a card of their own: ``medical``.
- Old ratings of NVD form most of the training data; how people rate shifts, which is what `meddojo status` watches.
"""


_MEDICAL_LIMITS = """\
## Limits

- It tells of records that name a medical product, its maker or care, in English. A flaw of a general component that a
  device contains cannot be recognised from its record; no model could.
- Makers and product families it knows are in ``medical_terms.toml`` and ``device_types.toml``; a new one is recognised
  by words of care only.
- Programs by the hundred call themselves hospital or clinic management; whether a hospital uses one is not known here.
"""


def medical_card(about: Mapping[str, object], tables: Iterable[Table]) -> str:
    """The card of the models of medicine."""
    lines = ["# Model card: relevance to medicine and kind of device", ""]
    lines += [f"- **{name}:** {value}" for name, value in about.items()]
    return "\n".join([*lines, "", *(markdown(table) for table in tables), _MEDICAL_LIMITS])


def card(about: Mapping[str, object], tables: Iterable[Table]) -> str:
    """The whole card."""
    lines = ["# Model card: vuln-classifier", ""]
    lines += [f"- **{name}:** {value}" for name, value in about.items()]
    lines += [
        "",
        "The figures are of models trained before 2023-07-01, calibrated to 2023-12-31 and measured on the first half "
        "of 2024 unless a note says otherwise; choices were made on the calibration period. The shipped models follow "
        "the same recipe on all data, so nothing here was measured on them.",
        "",
    ]
    return "\n".join([*lines, *(markdown(table) for table in tables), _LIMITS])


def markdown(table: Table) -> str:
    """One table with its title and note."""
    rows = [table.columns, tuple("---" for _ in table.columns), *table.rows]
    body = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"## {table.title}\n\n{body}\n" + (f"\n{table.note}\n" if table.note else "")
