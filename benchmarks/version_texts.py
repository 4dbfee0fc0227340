"""Version texts of the real CISA advisories: how many are read, as what, and what a packaging library makes of them.

The alternative is `univers` (the reference implementation of ``vers:``) where it is installed, else
`packaging.specifiers`: both read the text as published, with the pipe of a ``vers:`` expression as their separator.

    python benchmarks/version_texts.py [--list] [--sample 200] [--seed 1]
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import zstandard
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion
from packaging.version import Version as PackageVersion

from analyzers.matching.versions.reader import (
    Conditional,
    Designation,
    Except,
    Union,
    Unparsed,
    VersionSet,
    contains,
    format_versions,
    fully_parsed,
    parse_versions,
)

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
FILES = [SHARED / f"cisa_csaf_{name}.jsonl.zst" for name in ("icsma", "icsa")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print every text that is not read, or names a model")
    parser.add_argument("--sample", type=int, default=0, help="print so many distinct texts with their readings")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not all(file.is_file() for file in FILES):
        print("skipped: the real data folder ../shared/data is not on this machine")
        return
    leaves = Counter(text for file in FILES for text in _leaves(file))
    if options.sample:
        for text in random.Random(options.seed).sample(sorted(leaves), options.sample):
            print(f"{text!r} -> {format_versions(parse_versions(text))}")
        return
    _count(leaves)
    if options.list:
        for kind in (Unparsed, Designation):
            print(f"\n{kind.__name__}:")
            for text in sorted(leaves):
                if kind.__name__ in _kinds(parse_versions(text)):
                    print(f"{leaves[text]:5} {text!r} -> {format_versions(parse_versions(text))}")


def _leaves(file: Path) -> Iterator[str]:
    with file.open("rb") as handle, zstandard.ZstdDecompressor().stream_reader(handle) as reader:
        for line in reader.read().splitlines():
            yield from _names(json.loads(line).get("product_tree", {}).get("branches", []))


def _names(branches: list[dict[str, Any]]) -> Iterator[str]:
    for branch in branches:
        if "product" in branch and str(branch["category"]).startswith("product_version"):
            yield branch["name"]
        yield from _names(branch.get("branches", []))


def _count(leaves: Counter[str]) -> None:
    total = leaves.total()
    started = time.perf_counter()
    read = {text: parse_versions(text) for text in leaves}
    spent = time.perf_counter() - started
    print(f"{total:,} leaves, {len(leaves):,} distinct texts, read in {spent:.2f} s")
    kinds: Counter[str] = Counter()
    for text, count in leaves.items():
        kinds[type(read[text]).__name__] += count
    for kind, count in kinds.most_common():
        print(f"  {kind:<12} {count:6,} {count / total:7.2%}")
    ours = {text for text, versions in read.items() if fully_parsed(versions)}
    unread = total - sum(leaves[text] for text in ours)
    print(f"not read, whole or in part: {unread:,} leaves ({unread / total:.2%}), {len(leaves) - len(ours)} texts")
    designated = sum(count for text, count in leaves.items() if "Designation" in _kinds(read[text]))
    print(f"models and parts in the version branch: {designated:,} leaves ({designated / total:.2%})")
    installed = [f"{major}.{minor}" for major in range(10) for minor in range(10)]
    started = time.perf_counter()
    done = sum(1 for versions in list(read.values())[:1000] for version in installed if contains(versions, version))
    print(f"{done / (time.perf_counter() - started):,.0f} comparisons of an installed version with a text per second")
    name, reads = _alternative()
    theirs = {text for text in leaves if reads(text)}
    for what, weigh in (("leaves", leaves.__getitem__), ("distinct texts", lambda _: 1)):
        everything = sum(map(weigh, leaves))
        mine, other = sum(map(weigh, ours)) / everything, sum(map(weigh, theirs)) / everything
        print(f"{what:<15} read here {mine:.2%}, by {name} {other:.2%}: {mine / other:.2f} times as many")


def _kinds(versions: VersionSet) -> set[str]:
    own = {type(versions).__name__}
    match versions:
        case Union(parts):
            return own.union(*map(_kinds, parts))
        case Conditional(inner) | Except(inner) | Designation(_, inner):
            return own | _kinds(inner)
        case _:
            return own


def _alternative() -> tuple[str, Callable[[str], bool]]:
    if find_spec("univers") is None:
        print("univers is not installed, packaging.specifiers is the alternative")
        return "packaging", _packaging_reads
    return "univers", _univers_reads


def _univers_reads(text: str) -> bool:
    from univers.version_range import VersionRange

    stated = text.strip() if text.startswith("vers:") else f"vers:generic/{text.strip()}"
    try:
        VersionRange.from_string(stated.replace("vers:all/", "vers:generic/"))
    except Exception:  # its parsers raise whatever comes
        return False
    return True


def _packaging_reads(text: str) -> bool:
    bare = re.sub(r"^vers:[\w.-]+/", "", text.strip()).replace("|", ",")
    try:
        SpecifierSet(bare)
    except InvalidSpecifier:
        try:
            PackageVersion(bare)
        except InvalidVersion:
            return bare == "*"
    return True


if __name__ == "__main__":
    main()
