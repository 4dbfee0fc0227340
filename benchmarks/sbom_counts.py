"""Components, dependencies and vulnerabilities of SBOMs, counted by MedDojo and independently of it.

JSON is counted with jq, XML with xsltproc, SPDX tag-value with awk, YAML with jq after PyYAML. What is counted is what
the formats mean: every component by its reference, nested ones too; every pair of components of which one needs,
contains or develops with the other; every vulnerability by its identifier. Counts that differ are marked, and the
script then exits with 1. Files that are one SBOM in several serialisations are compared with each other.

    python benchmarks/sbom_counts.py                 the files of ../shared/data/sbom
    python benchmarks/sbom_counts.py FILE FOLDER …   others: made with cyclonedx-py, cdxgen, npm sbom, syft …
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from support import feeds

from connectors.reading import unpack
from connectors.scans.detect import Kind, detect
from connectors.scans.readers import SCANS, VEX, read_contents
from connectors.scans.sbom import read_sbom
from meddojo.errors import InputError
from meddojo.sbom import Sbom

NOW = datetime(2025, 1, 1, tzinfo=UTC)
TOOLS = ("jq", "xsltproc", "awk")
Counts = tuple[int, int, int]

PAIRS = """
  | (reduce $refs[] as $r ({}; .[$r] = true)) as $known
  | [$refs | length, ($edges | map(select($known[.[0]] and $known[.[1]])) | unique | length), $vulnerabilities]
"""
CYCLONEDX = (
    """
def ref: (."bom-ref" // .purl // "\\(.name)@\\(.version // "")");
def all: recurse(.components[]?);
[(.metadata.component // empty | all), (.components[]? | all)] as $parts
  | ([$parts[] | ref] | unique) as $refs
  | ([.dependencies[]? | .ref as $r | (.dependsOn[]?, .provides[]?) | [$r, .]]
     + [$parts[] | ref as $r | .components[]? | [$r, ref]]) as $edges
  | ([.vulnerabilities[]?.id] | unique | length) as $vulnerabilities
"""
    + PAIRS
)
SPDX2 = (
    """
def forward: test("^(CONTAINS|DEPENDS_ON|DYNAMIC_LINK|STATIC_LINK|HAS_PREREQUISITE)$");
def backward: test("^(CONTAINED_BY|PACKAGE_OF|PREREQUISITE_FOR|EXPANDED_FROM_ARCHIVE|FILE_ADDED|DATA_FILE_OF)$")
  or test("^(([A-Z]+_)?DEPENDENCY_OF|(BUILD|DEV|TEST)_TOOL_OF|TEST_OF|TEST_CASE_OF)$")
  or test("^(OPTIONAL_COMPONENT_OF|DOCUMENTATION_OF|EXAMPLE_OF)$");
(.sbom? // .) | ([.packages[].SPDXID] | unique) as $refs
  | [.relationships[]? | if .relationshipType | forward then [.spdxElementId, .relatedSpdxElement]
     elif .relationshipType | backward then [.relatedSpdxElement, .spdxElementId] else empty end] as $edges
  | 0 as $vulnerabilities
"""
    + PAIRS
)
SPDX3 = (
    """
[."@graph"[] | select(.type | IN("software_Package", "ai_AIPackage", "dataset_DatasetPackage")).spdxId] as $refs
  | [."@graph"[] | select(.relationshipType? // "" | test("^(contains|dependsOn|expandsTo|usesTool)$")
       or test("^has(AddedFile|DynamicLink|StaticLink|Prerequisite|ProvidedDependency|DataFile|Optional.*)$")
       or test("^has(Test|TestCase|Example|Documentation)$")) | .from as $f | .to[] | [$f, .]] as $edges
  | 0 as $vulnerabilities
"""
    + PAIRS
)
SYFT = (
    """
([.source.id // empty, .artifacts[].id]
 + [.distro | select((.id // .name // "") != "") | "distro"]) as $refs
  | ([.artifactRelationships[] | if .type | test("dependency-of$") then [.child, .parent]
      elif .type | test("^(contains|ownership-by-file-overlap)$") then [.parent, .child] else empty end]
     + [["distro", .source.id], [.source.id, "distro"]][1:]) as $edges
  | 0 as $vulnerabilities
"""
    + PAIRS
)
AWK = """
/^PackageName:/ { package = 1 }
/^FileName:/ { package = 0 }
package && /^SPDXID:/ { known[$2] = 1; components++; package = 0 }
/^Relationship:/ && $3 ~ /^(CONTAINS|DEPENDS_ON|DYNAMIC_LINK|STATIC_LINK|HAS_PREREQUISITE)$/ { edge[$2 " " $4] = 1 }
/^Relationship:/ && $3 ~ /(DEPENDENCY|TOOL|TEST|CASE|COMPONENT|DOCUMENTATION|EXAMPLE|PACKAGE|DATA_FILE)_OF$/ {
  edge[$4 " " $2] = 1
}
/^Relationship:/ && $3 ~ /^(PREREQUISITE_FOR|CONTAINED_BY)$/ { edge[$4 " " $2] = 1 }
END {
  for (pair in edge) { split(pair, ends, " "); if (ends[1] in known && ends[2] in known) edges++ }
  print components + 0, edges + 0, 0
}
"""
STYLESHEET = """
<x:stylesheet version="1.0" xmlns:x="http://www.w3.org/1999/XSL/Transform">
<x:output method="text"/>
<x:template match="text()"/>
<x:template match="*[local-name()='tools' or local-name()='pedigree' or local-name()='evidence']"/>
<x:template match="*[local-name()='component'][parent::*[local-name()='components' or local-name()='metadata']]">
  <x:variable name="ref"><x:call-template name="ref"/></x:variable>
  <x:value-of select="concat('part&#9;', $ref, '&#10;')"/>
  <x:for-each select="*[local-name()='components']/*[local-name()='component']">
    <x:value-of select="concat('edge&#9;', $ref, '&#9;')"/><x:call-template name="ref"/><x:text>&#10;</x:text>
  </x:for-each>
  <x:apply-templates/>
</x:template>
<x:template match="/*/*[local-name()='dependencies']/*">
  <x:for-each select="*"><x:value-of select="concat('edge&#9;', ../@ref, '&#9;', @ref, '&#10;')"/></x:for-each>
</x:template>
<x:template match="*[local-name()='vulnerabilities']/*[local-name()='vulnerability']">
  <x:value-of select="concat('vulnerability&#9;', *[local-name()='id'], '&#10;')"/>
</x:template>
<x:template match="/Document/packages"><x:value-of select="concat('part&#9;', SPDXID, '&#10;')"/></x:template>
<x:template match="/Document/relationships[contains('.CONTAINS.DEPENDS_ON.DYNAMIC_LINK.STATIC_LINK.HAS_PREREQUISITE.',
    concat('.', relationshipType, '.'))]">
  <x:value-of select="concat('edge&#9;', spdxElementId, '&#9;', relatedSpdxElement, '&#10;')"/>
</x:template>
<x:template match="/Document/relationships[contains(relationshipType, 'DEPENDENCY_OF')
    or contains(relationshipType, 'TOOL_OF') or contains('.CONTAINED_BY.PACKAGE_OF.PREREQUISITE_FOR.TEST_OF.',
    concat('.', relationshipType, '.'))]">
  <x:value-of select="concat('edge&#9;', relatedSpdxElement, '&#9;', spdxElementId, '&#10;')"/>
</x:template>
<x:template name="ref"><x:choose>
  <x:when test="@bom-ref"><x:value-of select="@bom-ref"/></x:when>
  <x:when test="*[local-name()='purl']"><x:value-of select="*[local-name()='purl']"/></x:when>
  <x:otherwise><x:value-of select="concat(*[local-name()='name'], '@', *[local-name()='version'])"/></x:otherwise>
</x:choose></x:template>
</x:stylesheet>
"""
"""Writes a line for each component, dependency and vulnerability."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, help="SBOMs, or folders of them")
    arguments = parser.parse_args()
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    paths = arguments.paths or [feeds.SHARED / "sbom"]
    if missing or not all(path.exists() for path in paths):
        print(f"missing: {', '.join([*missing, *(str(path) for path in paths if not path.exists())])}")
        return 0
    files = sorted(file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file())
    wrong = 0
    print(f"{'components':>20} {'dependencies':>20} {'vulnerabilities':>18}   MedDojo / independent")
    for file in files:
        try:
            data = unpack(file.read_bytes(), str(file))
            kind = detect(data, str(file))
            counter = counter_of(kind, data)
        except InputError:
            continue  # a README, a graph of another make
        if counter is None:
            continue
        ours, theirs = count(file.name, data, kind), counter(data)
        wrong += ours != theirs
        cells = (f"{own:,} / {other:,}" for own, other in zip(ours, theirs, strict=True))
        columns = " ".join(f"{cell:>{width}}" for cell, width in zip(cells, (20, 20, 18), strict=True))
        print(f"{columns}   {'' if ours == theirs else 'DIFFERENT  '}{kind} {file.name}")
    print(f"{wrong} files differ")
    wrong += compare_twins(files)
    return int(wrong > 0)


def compare_twins(files: Sequence[Path]) -> int:
    """Print whether the serialisations of one SBOM (files of one name but for the last ending) read the same."""
    wrong = 0
    read: dict[Path, list[tuple[str, Sbom]]] = {}
    for file in files:
        with suppress(InputError):
            sbom = read_sbom(file.read_bytes(), file.name)
            read.setdefault(file.with_suffix(""), []).append((file.name, sbom))
    for twins in read.values():
        (name, first), *others = twins
        for other, sbom in others:
            known = {part.ref: part for part in first.components}
            parts = sum(known.get(part.ref) != part for part in sbom.components)
            same = set(first.dependencies) == set(sbom.dependencies) and len(known) == len(sbom.components)
            wrong += not same
            print(
                f"{name} and {other}: graph {'the same' if same else 'DIFFERENT'}, {parts} components stated otherwise"
            )
    return wrong


def count(name: str, data: bytes, kind: Kind) -> Counts:
    """MedDojo's own counts."""
    sbom = read_sbom(data, name)
    found: set[str] = set()
    if kind in SCANS or kind in VEX:
        contents = read_contents(data, name, NOW)
        found |= {match.vulnerability.id for match in contents.report.matches} if contents.report else set()
        found |= {each.vulnerability for each in contents.statements.statements} if contents.statements else set()
    return len(sbom.components), len(sbom.dependencies), len(found)


def counter_of(kind: Kind, data: bytes) -> Callable[[bytes], Counts] | None:
    """Who counts a file of this kind independently; None for what is no SBOM."""
    first = data.lstrip()[:1]
    if kind in (Kind.CYCLONEDX, Kind.CYCLONEDX_VDR, Kind.CYCLONEDX_VEX):
        return xslt if first == b"<" else jq(CYCLONEDX)
    if kind is Kind.SYFT:
        return jq(SYFT)
    if kind is not Kind.SPDX:
        return None
    if first == b"<":
        return xslt
    if first == b"{":
        return jq(SPDX3 if b'"@graph"' in data else SPDX2)
    return yaml_jq if b"spdxVersion" in data else awk


def jq(program: str) -> Callable[[bytes], Counts]:
    return lambda data: _numbers(["jq", "-c", program], data)


def xslt(data: bytes) -> Counts:
    with tempfile.NamedTemporaryFile("w", suffix=".xsl") as sheet:
        sheet.write(STYLESHEET.strip())
        sheet.flush()
        text = _output(["xsltproc", "--huge", sheet.name, "-"], data)
    lines = {tuple(line.split("\t")) for line in text.splitlines()}
    parts = {line[1] for line in lines if line[0] == "part"}
    edges = {line for line in lines if line[0] == "edge" and parts.issuperset(line[1:])}
    return len(parts), len(edges), sum(line[0] == "vulnerability" for line in lines)


def awk(data: bytes) -> Counts:
    one, two, three = _output(["awk", AWK], data).split()
    return int(one), int(two), int(three)


def yaml_jq(data: bytes) -> Counts:
    import yaml

    return jq(SPDX2)(json.dumps(yaml.safe_load(data), default=str).encode())


def _numbers(command: list[str], data: bytes) -> Counts:
    one, two, three = json.loads(_output(command, data))
    return one, two, three


def _output(command: list[str], data: bytes) -> str:
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.decode(errors='replace')[:300]}")
    return done.stdout.decode()


if __name__ == "__main__":
    sys.exit(main())
