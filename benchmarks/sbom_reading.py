"""Reading large SBOMs: CPU seconds and peak memory by format and size, beside json.loads and cyclonedx-python-lib.

The SBOMs are generated: parts of realistic names with licence, hash and properties, each needing a few others, most of
them popular ones. Every measurement is a process of its own, so that its peak memory is its own; reading the file and
importing the reader are not part of the seconds.

    python benchmarks/sbom_reading.py --sizes 10000 50000 100000
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

NEEDED = (0, 1, 1, 2, 2, 3, 4, 8)
"""How many others a part needs."""
XML_HEAD = '<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1">'
LIBRARY_SIZE = 10_000
"""cyclonedx-python-lib is measured up to this size."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 50_000, 100_000])
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure[0], Path(arguments.measure[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        for size in arguments.sizes:
            report(size, Path(folder))


def report(size: int, folder: Path) -> None:
    """Print every way of reading SBOMs of `size` components."""
    print(f"{size:,} components")
    parts = list(generated(size, random.Random(2026)))
    for write in (cyclonedx_json, cyclonedx_xml, spdx_json, spdx_tag_value, spdx_yaml, syft_json):
        file = folder / write.__name__
        file.write_text(write(parts), "utf-8")
        megabytes = file.stat().st_size / 1e6
        parsed = _child("parse", file) if write in (cyclonedx_json, spdx_json, syft_json) else None
        read = _child("read", file)
        line = f"  {write.__name__:<15} {megabytes:6.1f} MB: {read['seconds']:6.2f} s, {read['peak']:5.0f} MiB"
        line += f", {read['components']:,} components, {read['dependencies']:,} dependencies"
        if parsed:
            line += f"; {read['seconds'] / parsed['seconds']:.1f} times json.loads ({parsed['seconds']:.2f} s)"
        print(line, flush=True)
        if write is cyclonedx_json and size <= LIBRARY_SIZE:
            library = _child("library", file)
            print(
                f"    cyclonedx-python-lib: {library['seconds']:.2f} s, {library['peak']:.0f} MiB,"
                f" {library['seconds'] / read['seconds']:.1f} times as long"
            )
        file.unlink()


def _child(way: str, file: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", way, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def measure(way: str, file: Path) -> None:
    """Read one file and print seconds, peak memory and what was found."""
    data = file.read_bytes()
    act = WAYS[way]()
    begun = time.process_time()
    components, dependencies = act(data)
    seconds = time.process_time() - begun
    found = {"components": components, "dependencies": dependencies}
    print(json.dumps({"seconds": seconds, "peak": _peak_memory(), **found}))


def _peak_memory() -> float:
    """Largest resident set of this process, in MiB; `resource` would count that of the parent before it, too."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _reader() -> Callable[[bytes], tuple[int, int]]:
    from connectors.scans.sbom import read_sbom

    def act(data: bytes) -> tuple[int, int]:
        sbom = read_sbom(data, "generated")
        return len(sbom.components), len(sbom.dependencies)

    return act


def _parser() -> Callable[[bytes], tuple[int, int]]:
    return lambda data: (len(json.loads(data)), 0)


def _library() -> Callable[[bytes], tuple[int, int]]:
    from cyclonedx.model.bom import Bom

    def act(data: bytes) -> tuple[int, int]:
        bom = Bom.from_json(json.loads(data))  # type: ignore[attr-defined]
        return len(bom.components), sum(len(each.dependencies) for each in bom.dependencies)

    return act


WAYS = {"read": _reader, "parse": _parser, "library": _library}
Part = tuple[str, str, str, list[int]]


def generated(size: int, chance: random.Random) -> Iterator[Part]:
    """Name, version, SHA-512 and what it needs, of each part; the first needs are earlier ones, so the root is 0."""
    for number in range(size):
        version = f"{chance.randrange(9)}.{chance.randrange(20)}.{chance.randrange(30)}"
        # the square makes some parts popular, as in every ecosystem
        needed = {int(size * chance.random() ** 2) for _ in range(chance.choice(NEEDED))} - {number}
        yield f"library-{number}", version, f"{chance.getrandbits(512):0128x}", sorted(needed)


def _purl(part: Part) -> str:
    return f"pkg:npm/{part[0]}@{part[1]}"


def cyclonedx_json(parts: list[Part]) -> str:
    components = [
        {
            "type": "library",
            "bom-ref": _purl(part),
            "name": part[0],
            "version": part[1],
            "description": f"What {part[0]} does, in one sentence of the usual length",
            "licenses": [{"license": {"id": "MIT"}}],
            "hashes": [{"alg": "SHA-512", "content": part[2]}],
            "purl": _purl(part),
            "properties": [{"name": "cdx:npm:package:path", "value": f"node_modules/{part[0]}"}],
        }
        for part in parts
    ]
    needs = [{"ref": _purl(part), "dependsOn": [_purl(parts[index]) for index in part[3]]} for part in parts]
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components, "dependencies": needs})


def cyclonedx_xml(parts: list[Part]) -> str:
    components = (
        f'<component type="library" bom-ref="{_purl(part)}"><name>{part[0]}</name><version>{part[1]}</version>'
        f"<description>What {part[0]} does, in one sentence of the usual length</description>"
        f'<hashes><hash alg="SHA-512">{part[2]}</hash></hashes><licenses><license><id>MIT</id></license></licenses>'
        f'<purl>{_purl(part)}</purl><properties><property name="cdx:npm:package:path">node_modules/{part[0]}</property>'
        "</properties></component>"
        for part in parts
    )
    needs = (
        f'<dependency ref="{_purl(part)}">'
        + "".join(f'<dependency ref="{_purl(parts[index])}"/>' for index in part[3])
        + "</dependency>"
        for part in parts
    )
    whole = f"<components>{''.join(components)}</components><dependencies>{''.join(needs)}</dependencies>"
    return f"{XML_HEAD}{whole}</bom>"


def _spdx(parts: list[Part]) -> dict[str, Any]:
    packages = [
        {
            "SPDXID": f"SPDXRef-{part[0]}",
            "name": part[0],
            "versionInfo": part[1],
            "downloadLocation": "NOASSERTION",
            "licenseDeclared": "MIT",
            "checksums": [{"algorithm": "SHA512", "checksumValue": part[2]}],
            "externalRefs": [
                {
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": _purl(part),
                }
            ],
        }
        for part in parts
    ]
    relationships = [
        {
            "spdxElementId": f"SPDXRef-{parts[index][0]}",
            "relationshipType": "DEPENDENCY_OF",
            "relatedSpdxElement": f"SPDXRef-{part[0]}",
        }
        for part in parts
        for index in part[3]
    ]
    return {"spdxVersion": "SPDX-2.3", "packages": packages, "relationships": relationships}


def spdx_json(parts: list[Part]) -> str:
    return json.dumps(_spdx(parts))


def spdx_yaml(parts: list[Part]) -> str:
    import yaml

    return yaml.dump(_spdx(parts), Dumper=yaml.CSafeDumper)


def spdx_tag_value(parts: list[Part]) -> str:
    packages = (
        f"PackageName: {part[0]}\nSPDXID: SPDXRef-{part[0]}\nPackageVersion: {part[1]}\nPackageLicenseDeclared: MIT\n"
        f"PackageChecksum: SHA512: {part[2]}\nExternalRef: PACKAGE-MANAGER purl {_purl(part)}\n\n"
        for part in parts
    )
    relationships = (
        f"Relationship: SPDXRef-{parts[index][0]} DEPENDENCY_OF SPDXRef-{part[0]}\n"
        for part in parts
        for index in part[3]
    )
    return f"SPDXVersion: SPDX-2.3\n{''.join(packages)}{''.join(relationships)}"


def syft_json(parts: list[Part]) -> str:
    artifacts = [
        {
            "id": part[0],
            "name": part[0],
            "version": part[1],
            "type": "npm",
            "foundBy": "javascript-package-cataloger",
            "locations": [{"path": f"/srv/node_modules/{part[0]}/package.json"}],
            "licenses": [{"value": "MIT", "spdxExpression": "MIT", "type": "declared"}],
            "cpes": [{"cpe": f"cpe:2.3:a:{part[0]}:{part[0]}:{part[1]}:*:*:*:*:*:*:*", "source": "syft-generated"}],
            "purl": _purl(part),
        }
        for part in parts
    ]
    relationships = [
        {"parent": parts[index][0], "child": part[0], "type": "dependency-of"} for part in parts for index in part[3]
    ]
    head = {"source": {"id": "s", "name": "generated"}, "descriptor": {"name": "syft"}, "schema": {"version": "16"}}
    return json.dumps({"artifacts": artifacts, "artifactRelationships": relationships, **head})


if __name__ == "__main__":
    main()
