"""Names of packages in OSV's ecosystems as package URLs (package-url/purl-spec, types)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

_TYPES: Mapping[str, str] = {
    "npm": "npm",
    "PyPI": "pypi",
    "Go": "golang",
    "Maven": "maven",
    "crates.io": "cargo",
    "RubyGems": "gem",
    "NuGet": "nuget",
    "Packagist": "composer",
    "Hex": "hex",
    "Pub": "pub",
    "SwiftURL": "swift",
    "ConanCenter": "conan",
    "Hackage": "hackage",
    "CRAN": "cran",
    "Bitnami": "bitnami",
    "GitHub Actions": "github",
}
"""Ecosystem -> type of package URL, for those whose packages are named as there."""

_DISTRIBUTIONS: Mapping[str, tuple[str, str]] = {
    "Debian": ("deb", "debian"),
    "Ubuntu": ("deb", "ubuntu"),
    "Alpine": ("apk", "alpine"),
    "Wolfi": ("apk", "wolfi"),
    "Chainguard": ("apk", "chainguard"),
    "Red Hat": ("rpm", "redhat"),
    "AlmaLinux": ("rpm", "almalinux"),
    "Rocky Linux": ("rpm", "rocky"),
    "SUSE": ("rpm", "suse"),
    "openSUSE": ("rpm", "opensuse"),
    "openEuler": ("rpm", "openeuler"),
    "Photon OS": ("rpm", "photon"),
    "Mageia": ("rpm", "mageia"),
}
"""Ecosystem -> type and namespace; behind a colon follows the release: ``Debian:12``, ``Alpine:v3.18``."""

_RELEASE = re.compile(r"\d+(?:\.\d+)*")


@lru_cache(maxsize=4096)
def package_url(ecosystem: str, name: str) -> str:
    """Package URL without a version, for a distribution with its release (``distro=debian-12``); empty if unknown."""
    from packageurl import PackageURL

    kind, _, release = ecosystem.strip().partition(":")
    name = name.strip()
    if not name:
        return ""
    try:
        if kind in _DISTRIBUTIONS:
            package, namespace = _DISTRIBUTIONS[kind]
            number = _RELEASE.search(release)
            qualifiers = {"distro": f"{namespace}-{number.group()}"} if number else None
            return PackageURL(package, namespace, name, qualifiers=qualifiers).to_string()
        if kind not in _TYPES:
            return ""
        divider = ":" if kind == "Maven" else "/"
        namespace, _, last = name.rpartition(divider)
        return PackageURL(_TYPES[kind], namespace or None, last).to_string()
    except ValueError:
        return ""
