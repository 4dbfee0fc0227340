"""The sections of ``meddojo.toml``, their keys and defaults; `meddojo.config` loads them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from meddojo.severity import Severity

ACTIONS = ("run", "pull", "push", "bundle")

Exposure = Literal["open", "internal", "restricted"]
"""Who can reach a network zone: anybody, the whole house, or only what is let in by a filter between the networks."""

ZONES: Mapping[str, Exposure] = {"internet": "open", "guest": "open", "dmz": "open", "office": "internal"}
"""Exposure of zones whose name leaves no doubt. Only the hospital knows which of its zones are filtered."""

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Seconds = Annotated[float, Field(gt=0.0, le=86_400.0)]
Minutes = Annotated[float, Field(gt=0.0, le=44_640.0)]
Hours = Annotated[float, Field(gt=0.0, le=8_784.0)]


def _split(value: Any) -> Any:
    """A list written into an environment variable."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Section(BaseModel):
    """A table of the file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class InventoryConfig(Section):
    """``[inventory]``: the devices you answer for."""

    file: str = "inventory.toml"


class StoreConfig(Section):
    """``[store]``: the embedded database; ``postgresql+psycopg://`` URLs work too."""

    url: str = "sqlite:///meddojo.db"


class NetworkConfig(Section):
    """``[network]``: how every HTTP request is made."""

    proxy: str = ""
    ca_file: str = ""
    timeout_seconds: Seconds = 30.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 4


class FeedConfig(Section):
    """``[feeds.NAME]``: one source of advisories, vulnerabilities, KEV or EPSS.

    Attributes
    ----------
    type
        What kind of feed it is (``csaf``, ``nvd`` ...); empty means the kind that is called like the section. With it a
        kind can have several sections: ``[feeds.siemens]`` with ``type = "csaf"``.
    source
        A directory, a file or a URL; empty means the feed's own default.
    stale_after_hours
        Without a success for so long, the feed raises an alarm.
    options
        Settings of this kind of feed only.
    network
        Filled in from ``[network]`` when the configuration is loaded.
    """

    enabled: bool = True
    type: str = ""
    source: str = ""
    stale_after_hours: Hours = 36.0
    api_key: SecretStr = SecretStr("")
    options: dict[str, Any] = Field(default_factory=dict)
    network: NetworkConfig = NetworkConfig()


class ScanConfig(Section):
    """``[[scans]]``: a scan report or VEX document and the device it belongs to, or a whole folder of them.

    Attributes
    ----------
    folder, pattern
        Every file of the folder whose path in it fits the pattern. ``{device}`` stands for the device's id, ``*`` for
        anything up to the next slash.
    device, file
        One file; not together with a folder.
    """

    folder: str = ""
    pattern: str = "{device}.json"
    device: Annotated[str, Field(validate_default=True)] = ""
    file: Annotated[str, Field(validate_default=True)] = ""

    @field_validator("pattern")
    @classmethod
    def _one_placeholder(cls, pattern: str) -> str:
        if pattern.count("{device}") != 1:
            raise ValueError("has to hold {device} once, where the device's id stands")
        return pattern

    @field_validator("device", "file")
    @classmethod
    def _file_or_folder(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("folder"):
            if value:
                raise ValueError("a folder stands for itself; leave it out")
        elif not value:
            raise ValueError("is missing")
        return value


class AnalyzerConfig(Section):
    """``[analyzers]``: what is delivered, and what only after review.

    Attributes
    ----------
    threshold
        Matches at or above this probability are delivered.
    review_threshold
        Matches from here up to `threshold` are delivered as "needs review"; below it they are only counted.
    disabled
        Names of analyzers to leave out; in a variable, with commas between them.
    severity
        Whose band is delivered: that of the CVSS environmental score, where what is known of the device changes the
        published one, or always the published one.
    zones
        Network zone of the inventory -> how exposed it is; added to `ZONES`.
    sbom_submission
        Whose reviewers an SBOM has to satisfy: what it lacks for a submission to FDA becomes findings; empty for
        nobody's, as in a hospital.
    """

    threshold: Fraction = 0.8
    review_threshold: Fraction = 0.5
    disabled: Annotated[tuple[str, ...], BeforeValidator(_split)] = ()
    severity: Literal["environmental", "published"] = "environmental"
    sbom_submission: Literal["fda", ""] = "fda"
    zones: dict[str, Exposure] = Field(default_factory=dict)
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)

    def exposure(self, zone: str) -> Exposure | None:
        """How exposed a network zone is; None when neither `zones` nor `ZONES` names it."""
        known = {name.casefold(): exposure for name, exposure in {**ZONES, **self.zones}.items()}
        return known.get(zone.strip().casefold())


class EngineConfig(Section):
    """``[engine]``: where devices are judged; the findings are the same everywhere.

    Attributes
    ----------
    processes
        How many at a time on this machine; 0 for as many as it has processors, when the inventory is large.
    cluster
        Address of a Dask scheduler whose workers judge instead; needs the extra ``cluster``.
    """

    processes: Annotated[int, Field(ge=0, le=256)] = 0
    cluster: str = ""


class ReportConfig(Section):
    """``[report]``: the local report."""

    directory: str = "report"


class AdvisoryTextConfig(Section):
    """``[advisory_text]``: a language model that may point out products in bulletins; inactive without an address.

    Attributes
    ----------
    llm_url
        With it the text of every imported bulletin is sent there: ``http://127.0.0.1:11434`` (Ollama),
        ``http://127.0.0.1:8000/v1`` (OpenAI-compatible).
    llm_api
        How the server is spoken to: ``openai`` or ``ollama``.
    llm_model, llm_key
        Name of the model, and the key the server wants, if any.
    """

    llm_url: str = ""
    llm_api: Literal["openai", "ollama"] = "openai"
    llm_model: str = ""
    llm_key: SecretStr = SecretStr("")
    llm_timeout_seconds: Seconds = 120.0


class DefectDojoConfig(Section):
    """``[defectdojo]``: where findings are pushed to; inactive without a URL."""

    url: str = ""
    token: SecretStr = SecretStr("")
    token_file: str = ""
    product_type: str = "Medical devices"
    engagement: str = "MedDojo surveillance"
    test_type: str = "MedDojo"
    timeout_seconds: Seconds = 1800.0
    network: NetworkConfig = NetworkConfig()


class VexConfig(Section):
    """``[vex]``: who speaks in the VEX documents we write; needed by ``meddojo vex`` only.

    Attributes
    ----------
    author, namespace
        Your organisation, and an address of its own that tells it from all others.
    role
        ``user`` for a hospital, ``vendor`` for a manufacturer (CSAF 2.0, section 3.2.1.8.1).
    tlp
        Traffic Light Protocol label of the documents.
    """

    author: str = ""
    namespace: str = ""
    role: Literal["coordinator", "discoverer", "other", "translator", "user", "vendor"] = "user"
    tlp: Literal["AMBER", "GREEN", "RED", "WHITE"] = "AMBER"


class DeliveryConfig(Section):
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


class JobConfig(Section):
    """``[[jobs]]``: a command of MedDojo, and when ``meddojo schedule`` runs it.

    Attributes
    ----------
    cron
        Five fields as in crontab(5), in UTC.
    action
        The command without its program: ``run``, ``pull nvd``, ``push``, ``bundle export FILE`` ...
    time_limit_minutes
        A run that takes longer is stopped.
    misfire_grace_minutes
        How late a run that could not begin in time may still begin; later it counts as missed.
    """

    name: Annotated[str, Field(pattern=r"^[\w.-]{1,100}$")]
    cron: Annotated[str, Field(max_length=200)]
    action: str = "run"
    time_limit_minutes: Minutes = 240.0
    misfire_grace_minutes: Minutes = 360.0

    @field_validator("action")
    @classmethod
    def _known_action(cls, action: str) -> str:
        words = shlex.split(action)
        if not words or words[0] not in ACTIONS:
            raise ValueError(f"begins with none of the commands {', '.join(ACTIONS)}")
        return action


class Config(Section):
    """Everything ``meddojo.toml`` and the environment say."""

    inventory: InventoryConfig = InventoryConfig()
    store: StoreConfig = StoreConfig()
    network: NetworkConfig = NetworkConfig()
    feeds: dict[str, FeedConfig] = Field(default_factory=dict)
    scans: tuple[ScanConfig, ...] = ()
    jobs: tuple[JobConfig, ...] = ()
    analyzers: AnalyzerConfig = AnalyzerConfig()
    advisory_text: AdvisoryTextConfig = AdvisoryTextConfig()
    engine: EngineConfig = EngineConfig()
    report: ReportConfig = ReportConfig()
    defectdojo: DefectDojoConfig = DefectDojoConfig()
    delivery: DeliveryConfig = DeliveryConfig()
    vex: VexConfig = VexConfig()
