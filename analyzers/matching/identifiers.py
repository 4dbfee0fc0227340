"""Identification helpers: CPE 2.3 names (NISTIR 7695, section 6.2) and package URLs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_FIELDS = re.compile(r"(?<!\\):")
_ESCAPED = re.compile(r"\\(.)")
_FIRMWARE = re.compile(r"_(?:firmware|software|fw)$")


@dataclass(frozen=True, slots=True)
class Cpe:
    """The attributes of a CPE 2.3 formatted string that matching needs, unescaped.

    Attributes
    ----------
    part
        ``a`` application, ``o`` operating system or firmware, ``h`` hardware.
    version, update
        ``*`` any, ``-`` not applicable.
    target
        ``target_sw``: the software environment (``node.js``, ``python``).
    target_hardware
        ``target_hw``: the architecture (``x64``).
    """

    part: str
    vendor: str
    product: str
    version: str
    update: str
    target: str
    target_hardware: str = "*"


@lru_cache(maxsize=65536)
def parse_cpe(text: str) -> Cpe | None:
    """Read a CPE 2.3 formatted string; None when it is not one."""
    fields = _FIELDS.split(text.strip())
    if len(fields) < 5 or fields[:2] != ["cpe", "2.3"]:
        return None
    padded = [_ESCAPED.sub(r"\1", field) for field in fields[2:]] + ["*"] * 11
    part, vendor, product, version, update = padded[:5]
    return Cpe(part, vendor, product, version, update, padded[8], padded[9])


@lru_cache(maxsize=65536)
def cpe_names(text: str) -> tuple[str, str] | None:
    """Vendor and product of a CPE as plain words, ``_firmware`` left out; None without a CPE."""
    cpe = parse_cpe(text)
    if cpe is None:
        return None
    return cpe.vendor.replace("_", " "), _FIRMWARE.sub("", cpe.product).replace("_", " ").replace("\\", "/")


def cpe_key(text: str) -> str:
    """Index key of a CPE, the same for a device and its firmware; empty without one."""
    cpe = parse_cpe(text)
    return f"cpe:{cpe.vendor}:{_FIRMWARE.sub('', cpe.product)}".lower() if cpe else ""


@lru_cache(maxsize=65536)
def purl_key(text: str) -> str:
    """Type, namespace and name of a package URL, its version left out; empty when it is none."""
    from packageurl import PackageURL

    if not text:
        return ""
    try:
        purl = PackageURL.from_string(text)
    except ValueError:
        return ""
    return f"purl:{purl.type}/{purl.namespace or ''}/{purl.name}".lower()


def purl_version(text: str) -> str:
    """Version of a package URL; empty when it has none."""
    from packageurl import PackageURL

    try:
        return PackageURL.from_string(text).version or "" if text else ""
    except ValueError:
        return ""


@lru_cache(maxsize=65536)
def purl_namespace(text: str) -> str:
    """Namespace of a package URL (``org.apache.commons``, ``@angular``); empty when it has none."""
    from packageurl import PackageURL

    try:
        return PackageURL.from_string(text).namespace or "" if text else ""
    except ValueError:
        return ""


@lru_cache(maxsize=65536)
def purl_qualifier(text: str, name: str) -> str:
    """A qualifier of a package URL (``distro``, ``upstream``); empty when it has none."""
    from packageurl import PackageURL

    if f"{name}=" not in text:
        return ""
    try:
        qualifiers = PackageURL.from_string(text).qualifiers
    except ValueError:
        return ""
    return str(qualifiers.get(name, "")) if isinstance(qualifiers, dict) else ""


def source_key(text: str) -> str:
    """Like `purl_key`, of the source package that a binary one says it is built from; empty when it does not.

    ``pkg:deb/debian/libssl3@3.0.11-1?upstream=openssl`` -> ``purl:deb/debian/openssl``. RPM names a file there.
    """
    source = purl_qualifier(text, "upstream").partition("@")[0].lower()
    kind = purl_key(text).rpartition("/")[0]
    return f"{kind}/{source}" if source and kind.startswith(("purl:deb/", "purl:apk/")) else ""
