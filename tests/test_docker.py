"""The image and the composition, as far as they can be judged without an engine (`make lint` runs hadolint, too)."""

from __future__ import annotations

import configparser
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
DOCKER = REPOSITORY / "docker"
JOBS = {"initializer", "meddojo"}
"""Services that end by themselves."""


@dataclass(frozen=True)
class Stage:
    name: str
    base: str
    instructions: tuple[tuple[str, str], ...]

    def of(self, instruction: str) -> list[str]:
        return [argument for name, argument in self.instructions if name == instruction]


def parse(text: str) -> dict[str, Stage]:
    """Stages of a Dockerfile by name."""
    code = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    instructions = [line.split(maxsplit=1) for line in re.sub(r"\\\n\s*", "", code).splitlines() if line.strip()]
    stages: dict[str, Stage] = {}
    for name, argument in instructions:
        if name == "FROM":
            base, _, title = argument.split()
            stages[title] = Stage(title, base, ())
        elif stages:
            stage = list(stages.values())[-1]
            stages[stage.name] = Stage(stage.name, stage.base, (*stage.instructions, (name, argument)))
    return stages


@pytest.fixture(scope="module")
def stages() -> dict[str, Stage]:
    return parse((DOCKER / "Dockerfile").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yml").read_text(encoding="utf-8"))
    return loaded


def test_there_is_a_core_image_and_an_imaging_image_on_top_of_it(stages: dict[str, Stage]) -> None:
    assert set(stages) == {"build", "core", "imaging"}
    assert stages["imaging"].base == "core"
    assert not any("imaging.txt" in argument for argument in stages["core"].of("RUN") + stages["build"].of("RUN"))


@pytest.mark.parametrize("name", ["core", "imaging"])
def test_an_image_runs_as_nobody_in_particular(stages: dict[str, Stage], name: str) -> None:
    user, _, group = stages[name].of("USER")[-1].partition(":")
    assert int(user) >= 1000
    assert int(group) >= 1000


def test_the_image_is_the_command_with_its_state_in_a_volume_and_a_health_check(stages: dict[str, Stage]) -> None:
    core = stages["core"]
    assert json.loads(core.of("ENTRYPOINT")[0]) == ["meddojo"]
    (folder,) = json.loads(core.of("VOLUME")[0])
    assert f"MEDDOJO_STORE__URL=sqlite:///{folder}/" in core.of("ENV")[0]
    assert core.of("HEALTHCHECK")[0].endswith('CMD ["meddojo", "status"]')


def test_everything_that_is_installed_is_locked(stages: dict[str, Stage]) -> None:
    installs = [run for stage in stages.values() for run in stage.of("RUN") if "pip install" in run]
    assert len(installs) == 3
    for run in installs:
        assert "--require-hashes" in run or ("--no-index" in run and "--no-deps" in run), run


def test_every_room_is_copied_and_let_through(stages: dict[str, Stage]) -> None:
    copies = [copy.split() for stage in stages.values() for copy in stage.of("COPY") if not copy.startswith("--from")]
    sources = {source for copy in copies for source in copy[:-1]}
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    setup = configparser.ConfigParser(delimiters=("=",))
    setup.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    rooms = {line for line in setup["options.packages.find"]["include"].split() if "." not in line}
    assert rooms <= sources
    assert ignored[0] == "*"
    for source in sources:
        assert (REPOSITORY / source).exists(), source
        assert f"!{source}" in ignored, source
    assert not any(stage.of("ADD") for stage in stages.values())


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert re.fullmatch(r"[\w./-]+:\$\{\w+_VERSION:-\d[\w.-]*\}", service["image"]), name
    assert compose["services"]["uwsgi"]["image"].startswith("defectdojo/defectdojo-django:${DEFECTDOJO_VERSION:-3.2.0}")
    assert compose["services"]["nginx"]["image"].startswith("defectdojo/defectdojo-nginx:${DEFECTDOJO_VERSION:-3.2.0}")


def test_only_nginx_is_reachable_and_only_from_this_machine(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert list(published) == ["nginx"]
    assert all(port.startswith("127.0.0.1:") for port in published["nginx"])
    assert compose["networks"]["inside"]["internal"] is True
    outside = {name for name, service in compose["services"].items() if "outside" in service["networks"]}
    assert outside == {"nginx", "meddojo"}


def test_no_secret_has_a_value_or_a_default(compose: dict[str, Any]) -> None:
    assert all(set(secret) == {"environment"} for secret in compose["secrets"].values())
    for name, service in compose["services"].items():
        assert set(service.get("secrets", ())) <= set(compose["secrets"]), name
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|_KEY|TOKEN", key):
                assert key.endswith("_FILE"), f"{name}: {key}"
                assert value.removeprefix("/run/secrets/") in service["secrets"], f"{name}: {key}"


def test_every_service_is_watched_and_waits_for_what_it_needs(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        assert name in JOBS or service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
        for other, needed in service.get("depends_on", {}).items():
            condition = "service_completed_successfully" if other in JOBS else "service_healthy"
            assert needed == {"condition": condition}, f"{name}: {other}"
            assert other in services


def test_what_is_named_is_declared(compose: dict[str, Any], stages: dict[str, Stage]) -> None:
    for name, service in compose["services"].items():
        assert set(service["networks"]) <= set(compose["networks"]), name
        volumes = {volume.split(":")[0] for volume in service.get("volumes", ()) if not volume.startswith("$")}
        assert volumes <= set(compose["volumes"]), name
    build = compose["services"]["meddojo"]["build"]
    assert (DOCKER / build["context"]).resolve() == REPOSITORY
    assert (REPOSITORY / build["dockerfile"]).is_file()
    assert build["target"] in stages


def test_the_shipped_example_is_what_the_composition_mounts(compose: dict[str, Any], stages: dict[str, Stage]) -> None:
    mount = compose["services"]["meddojo"]["volumes"][0]
    found = re.fullmatch(r"\$\{MEDDOJO_FOLDER:-(?P<source>[^}]+)\}:(?P<target>[^:]+):ro", mount)
    assert found
    assert (DOCKER / found["source"] / "meddojo.toml").is_file()
    assert f"MEDDOJO_CONFIG={found['target']}/meddojo.toml" in stages["core"].of("ENV")[0]
