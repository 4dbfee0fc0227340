"""Grades of real SBOMs, and SPDX documents judged beside ``ntia-conformance-checker``, the SPDX project's own tool.

Both tools are asked for NTIA's seven data fields of the same documents: one that ``npm sbom`` writes, copies of it
that each lack one thing, the example hospital's, and every SPDX 2 file of ``--spdx``. Where they differ, the reason is
looked up in the document; what no reason explains is said.

    python benchmarks/sbom_quality.py --data ../shared/data [--spdx FOLDER] [--checker INTERPRETER]

``--checker`` is a Python that has ntia-conformance-checker 6 (PyPI), for it brings an RDF library along.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzers.sbom_quality.assessment import assess
from analyzers.sbom_quality.catalogues import NAMES, catalogue
from connectors.reading import read_bytes
from connectors.scans.sbom import read_sbom
from meddojo.errors import InputError

REPOSITORY = Path(__file__).resolve().parent.parent
SHIPPED = REPOSITORY / "examples" / "hospital" / "sboms"
PACKAGE = {"name": "ward-display", "version": "2.1.0", "dependencies": {"express": "4.21.2", "ws": "8.18.0"}}
LARGEST = 500_000  # bytes; the other tool takes minutes for more
ELEMENTS = ("author", "timestamp", "name", "version", "supplier", "identifier", "relationship")
# One file a line in, one answer a line out: what it finds missing, and what it looked at.
ASK = """
import json, logging, sys, time
logging.disable(logging.CRITICAL)
try:
    from ntia_conformance_checker import SbomChecker
except ImportError:
    sys.exit(7)
for line in sys.stdin:
    begun = time.perf_counter()
    checker = SbomChecker(line.strip(), validate=False)
    took = time.perf_counter() - begun
    lists = {each: getattr(checker, f"components_without_{each}s") for each in ("name", "version", "supplier",
        "identifier")}
    known = checker.doc is not None
    print(json.dumps({
        "parsed": known,
        "seconds": took,
        "missing": {each: [ref for _, ref in rows] for each, rows in lists.items()},
        "document": {"author": checker.doc_author, "timestamp": checker.doc_timestamp,
            "relationship": checker.dependency_relationships},
        "reachable": sorted(checker.reachable_component_ids),
        "people": known and any(each.actor_type.name != "TOOL" for each in checker.doc.creation_info.creators),
        "creators": [each.name for each in checker.doc.creation_info.creators] if known else [],
    }), flush=True)
"""


@dataclass(frozen=True)
class Verdict:
    """What one tool says: per element the components without it, or the document as ``""``."""

    missing: Mapping[str, frozenset[str]]
    seconds: float
    about: Mapping[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the real data")
    parser.add_argument("--spdx", type=Path, help="folder of further SPDX 2 documents (JSON, tag-value)")
    parser.add_argument("--checker", default=sys.executable, help="a Python that has ntia-conformance-checker")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = list(documents(Path(folder)))
        grades([*sorted((arguments.data / "sbom").rglob("*.*")), *sorted(SHIPPED.iterdir()), *made[:1]])
        given = sorted(arguments.spdx.rglob("*")) if arguments.spdx else []
        spdx = [*made, *SHIPPED.glob("*.spdx.json"), *(path for path in given if is_spdx2(path))]
        compare(spdx, arguments.checker)


def grades(paths: list[Path]) -> None:
    """Score and grade of every file by every catalogue."""
    print(f"{'file':<52} {'parts':>6}  " + "  ".join(f"{name:<10}" for name in NAMES))
    unread: Counter[str] = Counter()
    for path in paths:
        if path.suffix not in (".json", ".xml"):
            unread[f"a {path.suffix} file, no SBOM"] += 1
            continue
        try:
            sbom = read_sbom(read_bytes(path), str(path))
        except InputError as error:
            unread[error.cause] += 1
            continue
        told = [assess(sbom, catalogue(name)) for name in NAMES]
        cells = (f"{each.grade} {each.score:5.1f}{' !' if each.blocking else '  '} " for each in told)
        print(f"{'/'.join(path.parts[-3:])[-52:]:<52} {len(sbom.components):>6,}  " + "  ".join(cells))
    print("! a submission would be sent back. Not graded: " + "; ".join(f"{n} x {why}" for why, n in unread.items()))


def documents(folder: Path) -> Iterator[Path]:
    """An SBOM by npm, and copies that each lack one thing."""
    npm = shutil.which("npm")
    if npm is None:
        print("npm is missing: no document of its making")
        return
    (folder / "package.json").write_text(json.dumps(PACKAGE))
    lock = [npm, "install", "--package-lock-only", "--silent"]
    sbom = [npm, "sbom", "--package-lock-only", "--sbom-format", "spdx"]
    done = [subprocess.run(each, cwd=folder, capture_output=True, text=True, check=False) for each in (lock, sbom)]
    if any(each.returncode for each in done):
        print(f"npm wrote no SBOM ({done[0].stderr.strip()[:80]}): nothing of its making is compared")
        return
    document = json.loads(done[1].stdout)
    full = filled(document)
    for name, made in (("npm", document), ("npm, whole seconds", whole_seconds(document)), *changed(full)):
        path = folder / f"{name}.spdx.json"
        path.write_text(json.dumps(made))
        yield path


def whole_seconds(document: dict[str, Any]) -> dict[str, Any]:
    """The same without the milliseconds that npm writes: SPDX 2.3 (clause 6.9) has none, and the other tool refuses."""
    made = copy.deepcopy(document)
    made["creationInfo"]["created"] = re.sub(r"\.\d+Z$", "Z", made["creationInfo"]["created"])
    return made


def filled(document: dict[str, Any]) -> dict[str, Any]:
    """The same with what npm leaves out, and tied by DEPENDS_ON: the other tool does not follow DEPENDENCY_OF."""
    made = whole_seconds(document)
    made["creationInfo"]["creators"].append("Organization: Example Hospital Engineering (sbom@hospital.example)")
    for package in made["packages"]:
        package["supplier"] = "Organization: npm authors"
    for tie in made["relationships"]:
        if tie["relationshipType"].endswith("DEPENDENCY_OF"):
            ends = {"spdxElementId": tie["relatedSpdxElement"], "relatedSpdxElement": tie["spdxElementId"]}
            tie |= ends | {"relationshipType": "DEPENDS_ON"}
    return made


def changed(full: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    changes: dict[str, Callable[[dict[str, Any]], None]] = {
        "complete": lambda made: None,
        "a tool alone as author": lambda made: made["creationInfo"].update(creators=["Tool: npm-11"]),
        "a supplier missing": lambda made: made["packages"][3].pop("supplier"),
        "a supplier NOASSERTION": lambda made: made["packages"][3].update(supplier="NOASSERTION"),
        "a version missing": lambda made: made["packages"][4].pop("versionInfo"),
        "a version UNKNOWN": lambda made: made["packages"][4].update(versionInfo="UNKNOWN"),
        "a package URL missing": lambda made: made["packages"][5].pop("externalRefs"),
        "no relationship but DESCRIBES": lambda made: made.update(
            relationships=[each for each in made["relationships"] if each["relationshipType"] == "DESCRIBES"]
        ),
        "one package tied to nothing": lambda made: made["packages"].append(
            made["packages"][5] | {"SPDXID": "SPDXRef-loose", "name": "loose", "supplier": "NOASSERTION"}
        ),
    }
    for name, change in changes.items():
        made = copy.deepcopy(full)
        change(made)
        yield name, made


def is_spdx2(path: Path) -> bool:
    if not path.is_file() or path.suffix not in (".json", ".spdx") or path.stat().st_size > LARGEST:
        return False
    return b"SPDX-2." in path.read_bytes()


def compare(paths: list[Path], interpreter: str) -> None:
    """Both tools on the same documents."""
    lines = "".join(f"{path}\n" for path in paths)
    done = subprocess.run([interpreter, "-c", ASK], input=lines, capture_output=True, text=True, check=False)
    if done.returncode:
        print("ntia-conformance-checker is missing (--checker INTERPRETER): nothing compared")
        return
    same: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    refused: Counter[str] = Counter()
    seconds = [0.0, 0.0]
    for path, line in zip(paths, done.stdout.splitlines(), strict=True):
        theirs = theirs_of(json.loads(line))
        try:
            mine = mine_of(path)
        except InputError as error:
            refused[f"not read here: {error.cause[:60]}"] += 1
            continue
        if not theirs.about["parsed"]:
            lacking = ", ".join(each for each in ELEMENTS if mine.missing[each]) or "nothing"
            refused[f"refused there as invalid SPDX; missing by ours: {lacking}"] += 1
            continue
        seconds[0] += mine.seconds
        seconds[1] += theirs.seconds
        for element in ELEMENTS:
            one, other = mine.missing[element], theirs.missing[element]
            if one == other:
                same[f"{element} {'lacking' if one else 'passed'}"] += 1
            else:
                side = f"{element}: {'fails' if one else 'passes'} here, {'fails' if other else 'passes'} there"
                reasons[side, reason(element, mine, theirs)] += 1
    report(paths, same, reasons, refused, seconds)


def report(
    paths: list[Path],
    same: Counter[str],
    reasons: Counter[tuple[str, str]],
    refused: Counter[str],
    seconds: list[float],
) -> None:
    total = sum(same.values()) + sum(reasons.values())
    print(f"\n{len(paths)} SPDX documents, {total // len(ELEMENTS)} judged by both, {total:,} verdicts")
    print(f"the same, component by component: {sum(same.values()):,}")
    for element in ELEMENTS:
        print(f"  {element:<13} {same[f'{element} passed']:>4} pass both, {same[f'{element} lacking']:>4} fail both")
    print(f"otherwise: {sum(reasons.values()):,}")
    for (side, why), number in sorted(reasons.items(), key=lambda each: (-each[1], each[0])):
        print(f"  {number:>4} x {side}\n         {why}")
    for why, number in refused.most_common():
        print(f"{number:>4} x {why}")
    if seconds[0]:
        print(
            f"reading and judging: {seconds[0]:.2f} s here, {seconds[1]:.2f} s there ({seconds[1] / seconds[0]:.1f} x)"
        )


def mine_of(path: Path) -> Verdict:
    begun = time.perf_counter()
    sbom = read_sbom(read_bytes(path), str(path))
    results = assess(sbom, catalogue("ntia")).results
    took = time.perf_counter() - begun
    missing = {each.rule.id.removeprefix("ntia-"): frozenset(part.ref for part in each.missing) for each in results}
    about = {
        "refs": frozenset(component.ref for component in sbom.components),
        "versions": frozenset(each.ref for each in sbom.components if each.version.strip()),
    }
    return Verdict({element: missing[element] for element in ELEMENTS}, took, about)


def theirs_of(answer: dict[str, Any]) -> Verdict:
    missing = {element: frozenset(answer["missing"].get(element, ())) for element in ELEMENTS}
    for element, found in answer["document"].items():
        missing[element] = frozenset() if found else frozenset({""})
    if answer["parsed"] and not answer["reachable"]:
        # By its table an element is provided only where some component was looked at.
        for element in answer["missing"]:
            missing[element] = missing[element] or frozenset({"(nothing is reachable)"})
    return Verdict(missing, answer["seconds"], answer)


def reason(element: str, mine: Verdict, theirs: Verdict) -> str:
    """Why two verdicts differ, as the document shows."""
    one, other = mine.missing[element], theirs.missing[element]
    reachable = frozenset(theirs.about["reachable"])
    if element == "author" and one and not theirs.about["people"]:
        return "it takes a tool for an author; NTIA asks for the entity that creates the data"
    if element == "identifier" and not other:
        return "it takes the SPDXID, which every package has, for an identifier; here a PURL or CPE is asked for"
    if element == "relationship":
        if one and not other:
            return "it asks for one DESCRIBES; here something has to include every component"
        if not one:
            return "it asks for a DESCRIBES among the relationships and finds none"
        return "both fail; it names the document, here the components are named"
    if element == "author" and one and "unknown" in (name.lower() for name in theirs.about["creators"]):
        return "it takes Unknown for an author"
    if one == {""}:
        return "the document lists nothing but what it describes"
    if not reachable:
        return "it looks only at what DESCRIBES leads to, which is nothing"
    seen = one & reachable
    if seen == other & mine.about["refs"]:
        return (
            "it looks only at what DESCRIBES and the relationships it follows lead to; here every component is judged"
        )
    if element == "version" and seen - other <= mine.about["versions"] and other <= one:
        return "it takes UNKNOWN and the like for a version"
    if element == "supplier" and one < other:
        return "it asks for a supplier; where none is named, the reader here takes the originator"
    return f"unexplained: {sorted(one - other)[:2]} here, {sorted(other - one)[:2]} there"


if __name__ == "__main__":
    main()
