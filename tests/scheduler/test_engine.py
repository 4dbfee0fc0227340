"""Whatever the engine: the same findings, in the order of the devices, and a dead process costs one device."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.inventory import read_inventory
from meddojo.config import Config, EngineConfig, StoreConfig, load_config
from meddojo.device import Device
from meddojo.errors import ConfigError, TransientError
from meddojo.interface import Skipped
from scheduler import engine
from scheduler.cases import build_case, build_cases
from scheduler.engine import Cluster, InProcess, Judged, Order, Processes, choose_engine
from scheduler.judging import analyzers
from scheduler.pipeline import Outcome
from tests.scheduler.conftest import Hospital

NOW = datetime(2024, 9, 1, tzinfo=UTC)

# Analyzers that a worker finds as it finds those of third parties: by the entry points of what is installed.
PLUGIN = """
import os

class Deadly:
    name = "deadly"

    def judge(self, case, findings):
        if case.device.id in os.environ.get("DEADLY", "").split(","):
            os._exit(9)
        return findings

def build(config):
    return Deadly()
"""


def devices_of(hospital: Hospital) -> tuple[Device, ...]:
    return read_inventory(hospital.folder / "inventory.toml").devices


def order_of(hospital: Hospital) -> Order:
    config = load_config(hospital.config, {})
    return Order(config.store.url, config.analyzers.model_dump_json(), NOW)


@pytest.fixture
def expected(whole: Hospital) -> Iterator[list[Judged]]:
    """The findings of all devices, judged one after the other."""
    with whole.store() as store:
        steps = analyzers(load_config(whole.config, {}).analyzers)
        yield list(InProcess(store, steps, NOW).judge(devices_of(whole)))


@pytest.fixture
def deadly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed analyzer that ends the process of some devices."""
    about = tmp_path / "plugin" / "deadly-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[meddojo.analyzers]\ndeadly = deadly:build\n")
    (tmp_path / "plugin" / "deadly.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path / "plugin")
    monkeypatch.setattr(engine, "BATCH", 2)


def test_several_processes_judge_like_one(
    whole: Hospital, expected: list[Judged], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BATCH", 4)
    assert list(Processes(2, order_of(whole)).judge(devices_of(whole))) == expected
    assert sum(map(len, (each for each in expected if not isinstance(each, Skipped)))) > 50


def test_no_devices_are_no_work(whole: Hospital) -> None:
    assert list(Processes(2, order_of(whole)).judge(())) == []


@pytest.mark.usefixtures("deadly")
def test_a_process_that_dies_costs_its_device_only(
    whole: Hospital, expected: list[Judged], monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = devices_of(whole)[:6]
    monkeypatch.setenv("DEADLY", f"{devices[1].id},{devices[4].id}")
    judged = list(Processes(2, order_of(whole)).judge(devices))
    skipped = {number: each for number, each in enumerate(judged) if isinstance(each, Skipped)}
    assert {number: each.origin for number, each in skipped.items()} == {1: devices[1].id, 4: devices[4].id}
    assert all("died" in each.reason for each in skipped.values())
    assert [each for number, each in enumerate(judged) if number not in skipped] == [
        each for number, each in enumerate(expected[:6]) if number not in skipped
    ]


def test_a_machine_that_starts_no_process_is_told_from_a_deadly_device(
    whole: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_begin", os.abort)
    with pytest.raises(TransientError, match=r"engine\.processes = 1"):
        list(Processes(2, order_of(whole)).judge(devices_of(whole)))


def test_a_dask_cluster_judges_like_one_process(whole: Hospital, expected: list[Judged]) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    with (
        distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster,
        whole.store() as store,
    ):
        judged = list(Cluster(cluster.scheduler_address, order_of(whole), store).judge(devices_of(whole)))
    assert judged == expected


def test_a_cluster_without_dask_says_what_to_install(whole: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with whole.store() as store, pytest.raises(ConfigError, match=r"meddojo\[cluster\]"):
        list(Cluster("tcp://127.0.0.1:1", order_of(whole), store).judge(devices_of(whole)))


def test_a_small_inventory_stays_in_this_process(whole: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_processors", lambda: 8)
    config = load_config(whole.config, {})
    chosen = [type(choose_engine(config, number, None, (), NOW)) for number in (0, 31, 499, 500)]  # type: ignore[arg-type]
    assert chosen == [InProcess, InProcess, InProcess, Processes]
    large = choose_engine(config, 1000, None, (), NOW)  # type: ignore[arg-type]
    assert isinstance(large, Processes) and large.number == 4


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_store_in_memory_is_nobody_elses(url: str) -> None:
    config = Config(store=StoreConfig(url=url), engine=EngineConfig(processes=4))
    assert isinstance(choose_engine(config, 9, None, (), NOW), InProcess)  # type: ignore[arg-type]


def test_cases_built_together_are_those_built_alone(whole: Hospital) -> None:
    with whole.store() as store:
        devices = devices_of(whole)
        assert build_cases(devices, store, NOW) == [build_case(device, store, NOW) for device in devices]


def test_a_run_on_two_processes_is_the_run_on_one(fresh: Hospital, first_run: tuple[Path, Outcome]) -> None:
    fresh.config.write_text(fresh.config.read_text() + "\n[engine]\nprocesses = 2\n")
    outcome = fresh.run()
    assert list(dict.fromkeys(each.device.id for each in outcome.results)) == [each.id for each in devices_of(fresh)]
    assert fresh.contents()["finding"] == Hospital(first_run[0]).contents()["finding"]


WAITING = """
import sys, time
from pathlib import Path
from scheduler.engine import _pool

def main():
    with _pool(2) as pool:
        list(pool.map(abs, range(4)))
        print(*pool._processes, flush=True)
        running = pool.submit(time.sleep, 60)
        running.result()

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_workers_end_with_the_run(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C goes to the whole process group, a kill to the parent alone."""
    script = tmp_path / "waiting.py"
    script.write_text(WAITING)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        start_new_session=True,
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        workers = [int(word) for word in parent.stdout.readline().split()]
        assert len(workers) == 2
        time.sleep(0.3)
        (os.killpg if number is signal.SIGINT else os.kill)(parent.pid, number)
        assert parent.wait(20) != 0
    deadline = time.monotonic() + 10
    while any(_alive(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_alive(worker) for worker in workers)


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
