"""One CVE record, asked for by hand, through nvdlib."""

from __future__ import annotations

from typing import Any

from connectors.feeds.nvd.record import parse_record
from meddojo.errors import ConfigError, InputError, RemoteError, TransientError
from meddojo.vulnerability import CVE_PATTERN, Vulnerability

_ORIGIN = "NVD"
_KEYED_PAUSE_SECONDS = 0.6


def look_up(cve: str, api_key: str = "", proxy: str = "") -> Vulnerability:
    """Ask NVD itself for one record; without a key it takes six seconds longer, which NVD asks for.

    Raises
    ------
    ConfigError
        If `cve` is not a CVE id.
    RemoteError
        If NVD has no such record, or refuses the key.
    TransientError
        If NVD cannot be reached, or was asked too often.
    InputError
        If its answer is not a CVE record.
    """
    name = cve.strip().upper()
    if not CVE_PATTERN.fullmatch(name):
        raise ConfigError(f"{cve[:40]!r} is not a CVE id", "write it like CVE-2021-44228")
    records = _ask(name, api_key, proxy)
    if not records:
        raise RemoteError(f"NVD has no record {name}", "check the number; one that is only reserved is not there yet")
    record = parse_record(records[0], _ORIGIN)
    if record.id != name:
        raise InputError(_ORIGIN, "/id", f"{record.id} was sent where {name} was asked for")
    return record


def _ask(name: str, api_key: str, proxy: str) -> list[Any]:
    # Half a second of import.
    import nvdlib  # type: ignore[import-untyped]
    import requests

    # nvdlib accepts a pause with a key only; without one it waits six seconds by itself.
    keyed: dict[str, Any] = {"key": api_key, "delay": _KEYED_PAUSE_SECONDS} if api_key else {}
    proxies = {"http": proxy, "https": proxy} if proxy else None
    try:
        return list(nvdlib.searchCVE(cveId=name, proxies=proxies, asDict=True, **keyed))
    except requests.HTTPError as error:
        raise _refusal(name, error) from None
    except (requests.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(_ORIGIN, "", f"its answer is no CVE record ({type(error).__name__})", "try later") from None
    except requests.RequestException as error:
        raise TransientError(f"NVD could not be reached ({type(error).__name__})", "check proxy and firewall") from None
    except LookupError as error:
        raise RemoteError(f"NVD says: {str(error)[:200]}", "check the CVE id") from None


def _refusal(name: str, error: Any) -> RemoteError | TransientError:
    status = error.response.status_code if error.response is not None else 0
    reason = error.response.headers.get("message", "")[:200] if error.response is not None else ""
    if "apikey" in reason.lower():
        return RemoteError("NVD does not know the API key", "check feeds.nvd.api_key")
    if status in (403, 429) or status >= 500:
        return TransientError(f"NVD answered HTTP {status}", "it limits how often one may ask; wait half a minute")
    return RemoteError(f"NVD answered HTTP {status} about {name}: {reason or 'no reason given'}", "check the CVE id")
