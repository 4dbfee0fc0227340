"""The model card, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analyzers.sbom_graph.forecast.tables import Table, markdown

_LIMITS = """\
## Limits

- The table of records holds a part of all CVEs (about six in ten of those of 2021 to 2023), unevenly over the months. A
  component without a label may have had a CVE that the table lacks, and probabilities are of the table's CVEs.
- Learnt and measured on Debian's packages. That the features exist in every ecosystem does not show that their weights
  hold there; nobody has measured it on npm or Maven.
- An index of a release is of its last point release: packages removed for lack of security support are missing from
  it, and dependencies that a security update changed are the later ones. No version, size or date is read.
- History is the project's, not the installed version's. A component whose name was not found counts as one without
  CVEs.
- What a record says of product and vendor is of a later day than its publication; severities, references and CPE counts
  are too, and are not used for that reason.
- Joins that are wrong or missed are in the history as well as in the labels: a name that two projects share makes the
  past look more like the future than it is.
- Few CVEs come to components without a past one. There it orders better than chance, and no more should be read into
  it.
"""


def card(about: Mapping[str, object], tables: Iterable[Table]) -> str:
    """The whole card."""
    lines = ["# Model card: sbom-forecast", ""]
    lines += [f"- **{name}:** {value}" for name, value in about.items()]
    lines += [
        "",
        "The figures are of models that learnt from Debian bullseye on 2022-06-30 and the year after, chose their "
        "settings there out of fold, and were measured on Debian bookworm on 2023-06-30 and the year after. The "
        "shipped model follows the same recipe on both years, so nothing here was measured on it.",
        "",
    ]
    return "\n".join([*lines, *(markdown(table) for table in tables), _LIMITS])
