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
from typing import Any

from pydantic import SecretStr, ValidationError

from meddojo.config_sections import (
    AdvisoryTextConfig,
    AnalyzerConfig,
    Config,
    DefectDojoConfig,
    DeliveryConfig,
    EngineConfig,
    FeedConfig,
    InventoryConfig,
    JobConfig,
    NetworkConfig,
    ReportConfig,
    ScanConfig,
    Section,
    StoreConfig,
    VexConfig,
)
from meddojo.errors import ConfigError

__all__ = [
    "AdvisoryTextConfig",
    "AnalyzerConfig",
    "Config",
    "DefectDojoConfig",
    "DeliveryConfig",
    "EngineConfig",
    "FeedConfig",
    "InventoryConfig",
    "JobConfig",
    "NetworkConfig",
    "ReportConfig",
    "ScanConfig",
    "StoreConfig",
    "VexConfig",
    "load_config",
]

DEFAULT_FILE = "meddojo.toml"
ENVIRONMENT_PREFIX = "MEDDOJO_"
_NOT_SETTINGS = {"MEDDOJO_CONFIG", "MEDDOJO_TEST_POSTGRES_URL"}


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
    _refuse_inner_network(values, str(file))
    base = file.resolve().parent
    if path or file.exists():
        _name_default_paths(values)
    _resolve_paths(values, base)
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError(*_explain(error, str(file), variables)) from None
    names = [job.name for job in config.jobs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"{file}: two [[jobs]] are called {twice[0]!r}", "give each a name of its own")
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
            sections = difflib.get_close_matches(keys[0], Config.model_fields, n=1)
            known = [_variable([sections[0], *keys[1:]])] if sections and len(keys) > 1 else _variable_names()
            near = difflib.get_close_matches(name, known, n=1)
            raise ConfigError(
                f"the environment variable {name} is not a setting",
                f"did you mean {near[0]}?" if near else "they are called MEDDOJO_<SECTION>__<KEY>",
            )
        values = _merge(values, _nest(keys, text))
    if "token_file" in values.get("defectdojo", {}):  # it goes before a token of the file
        values = _merge({"defectdojo": {"token": ""}}, values)
    for name, key in (
        ("DEFECTDOJO_URL", "url"),
        ("DEFECTDOJO_TOKEN_FILE", "token_file"),
        ("DEFECTDOJO_TOKEN", "token"),
    ):
        if variables.get(name):
            values = _merge(values, {"defectdojo": {key: variables[name]}})
            if key == "token_file":
                values["defectdojo"]["token"] = ""
    return values


def _variable_names() -> list[str]:
    names = []
    for section, field in Config.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            names += [_variable([section, key]) for key in kind.model_fields]
    return names


def _variable(location: Iterable[str]) -> str:
    return ENVIRONMENT_PREFIX + "__".join(location).upper()


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


def _refuse_inner_network(values: Mapping[str, Any], file: str) -> None:
    """``[network]`` holds for everything; a table of its own further down would be overwritten without a word."""
    feeds = values.get("feeds")
    tables = {f"feeds.{name}": table for name, table in feeds.items()} if isinstance(feeds, dict) else {}
    for name, table in {**tables, "defectdojo": values.get("defectdojo")}.items():
        if isinstance(table, dict) and "network" in table:
            raise ConfigError(f"{file}: unknown key {name + '.network'!r}", "did you mean 'network'? It holds for all")


def _name_default_paths(values: dict[str, Any]) -> None:
    """Write the default paths in, so that they are relative to the file like those it names."""
    for section, key in (("inventory", "file"), ("store", "url"), ("report", "directory")):
        table = values.setdefault(section, {})
        if isinstance(table, dict):
            table.setdefault(key, getattr(getattr(Config(), section), key))


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
        for key in ("file", "folder"):
            if isinstance(scan, dict) and isinstance(scan.get(key), str) and scan[key]:
                scan[key] = str(base / scan[key])
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


def _explain(error: ValidationError, file: str, variables: Mapping[str, str]) -> tuple[str, str]:
    """The problem of a validation that explains most, as message and hint: a wrong name before what it leaves out."""
    problems = error.errors(include_input=False, include_url=False)
    problem = next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])
    location = [str(part) for part in problem["loc"]]
    dotted = ".".join(location)
    if problem["type"] == "extra_forbidden":
        valid = _valid_keys(location[:-1])
        near = difflib.get_close_matches(location[-1], valid, n=1, cutoff=0.4)
        if _variable(location) in variables:
            hint = f"did you mean {_variable([*location[:-1], near[0]])}?" if near else f"valid: {', '.join(valid)}"
            return f"the environment variable {_variable(location)} is not a setting", hint
        hint = f"did you mean {'.'.join([*location[:-1], near[0]])!r}?" if near else f"valid keys: {', '.join(valid)}"
        return f"{file}: unknown key {dotted!r}", hint
    return f"{file}: {dotted}: {problem['msg']}", "see the comments that `meddojo init` writes"


def _valid_keys(location: Iterable[str]) -> list[str]:
    """Keys that are allowed in the table at `location`."""
    sections: dict[str, type[Section]] = {"feeds": FeedConfig, "scans": ScanConfig, "jobs": JobConfig}
    parts = list(location)
    if not parts:
        return list(Config.model_fields)
    kind = sections.get(parts[0]) or Config.model_fields[parts[0]].annotation
    hidden = {"network"} if parts[0] in ("feeds", "defectdojo") else set()
    return (
        [key for key in kind.model_fields if key not in hidden]
        if isinstance(kind, type) and issubclass(kind, Section)
        else []
    )
