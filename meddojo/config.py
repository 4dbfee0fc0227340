"""``meddojo.toml`` and the environment, as one typed `Config`.

Order of precedence, highest first: ``DEFECTDOJO_URL`` and ``DEFECTDOJO_TOKEN`` (or ``DEFECTDOJO_TOKEN_FILE``),
``MEDDOJO_<SECTION>__<KEY>`` variables, the file, the defaults below. Relative paths in the file are relative to it.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from meddojo.errors import ConfigError
from meddojo.severity import Severity

DEFAULT_FILE = "meddojo.toml"
ENVIRONMENT_PREFIX = "MEDDOJO_"
_NOT_SETTINGS = {"MEDDOJO_CONFIG", "MEDDOJO_TEST_POSTGRES_URL"}

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Seconds = Annotated[float, Field(gt=0.0)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InventoryConfig(_Section):
    """``[inventory]``: the devices you answer for."""

    file: str = "inventory.toml"


class StoreConfig(_Section):
    """``[store]``: the embedded database; ``postgresql+psycopg://`` URLs work too."""

    url: str = "sqlite:///meddojo.db"


class NetworkConfig(_Section):
    """``[network]``: how every HTTP request is made."""

    proxy: str = ""
    ca_file: str = ""
    timeout_seconds: Seconds = 30.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 4


class FeedConfig(_Section):
    """``[feeds.NAME]``: one source of advisories, vulnerabilities, KEV or EPSS.

    Attributes
    ----------
    source
        A directory, a file or a URL; empty means the feed's own default.
    options
        Free-form settings for feeds of third parties.
    network
        Filled in from ``[network]`` when the configuration is loaded.
    """

    enabled: bool = True
    source: str = ""
    api_key: SecretStr = SecretStr("")
    options: dict[str, Any] = Field(default_factory=dict)
    network: NetworkConfig = NetworkConfig()


class ScanConfig(_Section):
    """``[[scans]]``: a scan report and the device it belongs to."""

    device: str
    file: str


class AnalyzerConfig(_Section):
    """``[analyzers]``: what is delivered, and what only after review.

    Attributes
    ----------
    threshold
        Matches at or above this probability are delivered.
    review_threshold
        Matches from here up to `threshold` are delivered as "needs review"; below it they are only counted.
    disabled
        Names of analyzers to leave out.
    """

    threshold: Fraction = 0.8
    review_threshold: Fraction = 0.5
    disabled: tuple[str, ...] = ()
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)


class ReportConfig(_Section):
    """``[report]``: the local report."""

    directory: str = "report"


class DefectDojoConfig(_Section):
    """``[defectdojo]``: where findings are pushed to; inactive without a URL."""

    url: str = ""
    token: SecretStr = SecretStr("")
    token_file: str = ""
    product_type: str = "Medical devices"
    engagement: str = "MedDojo surveillance"
    test_type: str = "MedDojo"
    timeout_seconds: Seconds = 1800.0
    network: NetworkConfig = NetworkConfig()


class DeliveryConfig(_Section):
    """``[delivery]``: when old findings may be closed, and when the run fails.

    Attributes
    ----------
    shrink_limit
        A stream that lost more than this share of its findings since the last delivery closes nothing.
    fail_on
        Lowest severity of an undecided finding that trips the gate; unset means no gate.
    """

    shrink_limit: Fraction = 0.5
    fail_on: Severity | None = None


class Config(_Section):
    """Everything ``meddojo.toml`` and the environment say."""

    inventory: InventoryConfig = InventoryConfig()
    store: StoreConfig = StoreConfig()
    network: NetworkConfig = NetworkConfig()
    feeds: dict[str, FeedConfig] = Field(default_factory=dict)
    scans: tuple[ScanConfig, ...] = ()
    analyzers: AnalyzerConfig = AnalyzerConfig()
    report: ReportConfig = ReportConfig()
    defectdojo: DefectDojoConfig = DefectDojoConfig()
    delivery: DeliveryConfig = DeliveryConfig()


def load_config(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Config:
    """Read the configuration.

    Parameters
    ----------
    path
        The TOML file; None takes ``meddojo.toml`` of the working directory if there is one.
    environment
        Variables to read; None takes the process environment.

    Raises
    ------
    ConfigError
        On a missing or malformed file, an unknown key (naming the nearest valid one) or a bad value.
    """
    variables = os.environ if environment is None else environment
    file = path or Path(DEFAULT_FILE)
    values = _read_file(file) if path or file.exists() else {}
    values = _merge(values, _from_environment(variables))
    base = file.resolve().parent
    _resolve_paths(values, base)
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError(*_explain(error, str(file))) from None
    if config.analyzers.review_threshold > config.analyzers.threshold:
        raise ConfigError(
            f"{file}: analyzers.review_threshold lies above analyzers.threshold",
            "the review band ends where delivery begins; lower review_threshold",
        )
    return _spread_network(_read_token(config))


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as handle:
            return tomllib.load(handle)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file", "write one with: meddojo init") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "check the path and its permissions") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}", "correct that line") from None


def _from_environment(variables: Mapping[str, str]) -> dict[str, Any]:
    """``MEDDOJO_FEEDS__NVD__API_KEY=x`` -> ``{"feeds": {"nvd": {"api_key": "x"}}}``."""
    values: dict[str, Any] = {}
    for name, text in sorted(variables.items()):
        if not name.startswith(ENVIRONMENT_PREFIX) or name in _NOT_SETTINGS:
            continue
        keys = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        section = Config.model_fields.get(keys[0])
        if len(keys) < 2 or section is None:
            known = [ENVIRONMENT_PREFIX + variable for variable in _variable_names()]
            near = difflib.get_close_matches(name, known, n=1)
            raise ConfigError(
                f"the environment variable {name} is not a setting",
                f"did you mean {near[0]}?" if near else "they are called MEDDOJO_<SECTION>__<KEY>",
            )
        values = _merge(values, _nest(keys, text))
    for name, key in (
        ("DEFECTDOJO_URL", "url"),
        ("DEFECTDOJO_TOKEN", "token"),
        ("DEFECTDOJO_TOKEN_FILE", "token_file"),
    ):
        if variables.get(name):
            values = _merge(values, {"defectdojo": {key: variables[name]}})
    return values


def _variable_names() -> list[str]:
    names = []
    for section, field in Config.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, _Section):
            names += [f"{section}__{key}".upper() for key in kind.model_fields]
    return names


def _nest(keys: list[str], text: str) -> dict[str, Any]:
    value: Any = text
    for key in reversed(keys):
        value = {key: value}
    nested: dict[str, Any] = value
    return nested


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _resolve_paths(values: dict[str, Any], base: Path) -> None:
    """Make the file's relative paths absolute, so that a command works from any folder."""
    for section, key in (
        ("inventory", "file"),
        ("report", "directory"),
        ("network", "ca_file"),
        ("defectdojo", "token_file"),
    ):
        table = values.get(section)
        if isinstance(table, dict) and isinstance(table.get(key), str) and table[key]:
            table[key] = str(base / table[key])
    feeds = values.get("feeds")
    for feed in feeds.values() if isinstance(feeds, dict) else ():
        source = feed.get("source") if isinstance(feed, dict) else None
        if isinstance(source, str) and source and "://" not in source:
            feed["source"] = str(base / source)
    scans = values.get("scans")
    for scan in scans if isinstance(scans, list) else ():
        if isinstance(scan, dict) and isinstance(scan.get("file"), str):
            scan["file"] = str(base / scan["file"])
    store = values.get("store")
    url = store.get("url") if isinstance(store, dict) else None
    if isinstance(store, dict) and isinstance(url, str) and url.startswith("sqlite:///") and ":memory:" not in url:
        store["url"] = "sqlite:///" + str(base / url.removeprefix("sqlite:///"))


def _read_token(config: Config) -> Config:
    section = config.defectdojo
    if section.token.get_secret_value() or not section.token_file:
        return config
    try:
        token = Path(section.token_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(
            f"defectdojo.token_file {section.token_file}: {reason}", "write the API token into it"
        ) from None
    return config.model_copy(update={"defectdojo": section.model_copy(update={"token": SecretStr(token)})})


def _spread_network(config: Config) -> Config:
    network = config.network
    feeds = {name: feed.model_copy(update={"network": network}) for name, feed in config.feeds.items()}
    dojo = config.defectdojo
    slow = network.model_copy(update={"timeout_seconds": dojo.timeout_seconds})
    return config.model_copy(update={"feeds": feeds, "defectdojo": dojo.model_copy(update={"network": slow})})


def _explain(error: ValidationError, file: str) -> tuple[str, str]:
    """First problem of a validation, as message and hint."""
    problem = error.errors(include_input=False, include_url=False)[0]
    location = [str(part) for part in problem["loc"]]
    dotted = ".".join(location)
    if problem["type"] == "extra_forbidden":
        valid = _valid_keys(location[:-1])
        near = difflib.get_close_matches(location[-1], valid, n=1, cutoff=0.4)
        hint = f"did you mean {'.'.join([*location[:-1], near[0]])!r}?" if near else f"valid keys: {', '.join(valid)}"
        return f"{file}: unknown key {dotted!r}", hint
    return f"{file}: {dotted}: {problem['msg']}", "see the comments that `meddojo init` writes"


def _valid_keys(location: Iterable[str]) -> list[str]:
    """Keys that are allowed in the table at `location`."""
    sections: dict[str, type[_Section]] = {"feeds": FeedConfig, "scans": ScanConfig}
    parts = list(location)
    if not parts:
        return list(Config.model_fields)
    kind = sections.get(parts[0]) or Config.model_fields[parts[0]].annotation
    hidden = {"network"} if parts[0] in ("feeds", "defectdojo") else set()
    return (
        [key for key in kind.model_fields if key not in hidden]
        if isinstance(kind, type) and issubclass(kind, _Section)
        else []
    )
