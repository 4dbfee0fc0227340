"""Random histories of findings, people, lost answers, killed runs and lost ledgers, without a network in between."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pydantic import SecretStr

from connectors.http import HttpUnavailableError
from connectors.sinks.defectdojo.client import Policy, RemoteTest
from connectors.sinks.defectdojo.plan import RemoteFinding, make_plan
from connectors.sinks.defectdojo.sink import NAME, DefectDojoSink
from connectors.sinks.generic_findings import Row, row
from meddojo.config import Config, DefectDojoConfig
from meddojo.device import Device
from meddojo.errors import MeddojoError
from meddojo.finding import Finding, Stream
from meddojo.interface import Delivery, RunContext, StreamResult
from meddojo.severity import Severity
from meddojo.store import Store
from tests.connectors.sinks.defectdojo_ward import counts, finding
from tests.standin import DefectDojoStandin, shapes
from tests.standin.context import run_upload
from tests.standin.form import Form
from tests.standin.serializer import close_finding, patch_finding

DEVICE = Device("pump-1", "Acme", "Infuser 3000", "1.0")
NUMBERS = st.integers(1, 4)
# People here use a severity that sources never do, so that it is always known whose it is.
SEVERITIES = st.sampled_from([Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL])
PERSONS = Severity.INFO
STATUS = ("false_p", "out_of_scope", "risk_accepted", "is_mitigated")


class Killed(BaseException):
    """The process is no more."""


class Direct:
    """The client's calls, straight to the stand-in's tables; some answers get lost.

    Parameters
    ----------
    fate
        What happens to each changing call in turn: "" nothing, "before" or "after" the answer is lost before or after
        the server did it, "killed before" or "killed after" the process is.
    """

    url = "http://stand-in"
    requests_sent = 1

    def __init__(self, dojo: DefectDojoStandin, fate: Sequence[str]) -> None:
        self._dojo = dojo
        self._fate = list(fate)
        self._user = dojo.person("admin")

    def test_type_id(self) -> int | None:
        found = self._dojo.state.last("test_types", name="MedDojo Scan (Generic Findings Import)")
        return found and found["id"]

    def tests(self, **filters: Any) -> Iterator[RemoteTest]:
        for test in self._dojo.state.where("tests", **filters):
            shown = shapes.test_shape(self._dojo.state, test)
            policy = Policy(shown["deduplication_algorithm"], ())
            yield RemoteTest(test["id"], test["title"], test["engagement"], test["percent_complete"], policy)

    def test(self, number: int) -> RemoteTest | None:
        return next((test for test in self.tests() if test.id == number), None)

    def findings(self, **filters: Any) -> Iterator[Mapping[str, Any]]:
        rows = [shapes.finding_shape(self._dojo.state, each) for each in self._dojo.findings]
        return iter(json.loads(json.dumps(rows)))

    def reimport(self, findings: Sequence[Row], target: Mapping[str, str], *, version: str) -> None:
        report = json.dumps({"type": "MedDojo", "findings": findings}).encode()
        fields = {"scan_type": "Generic Findings Import", "close_old_findings": "false", **target}
        form = Form({name: [text] for name, text in fields.items()}, {"file": ("meddojo.json", report)})
        with self._met():
            run_upload(self._dojo.state, form, self._user, for_reimport=True)

    def patch(self, number: int, changes: Mapping[str, Any]) -> None:
        with self._met():
            patch_finding(self._dojo.state, self._dojo.finding(number), dict(changes), self._user)

    def close(self, number: int, note: str) -> None:
        with self._met():
            close_finding(
                self._dojo.state, self._dojo.finding(number), {"is_mitigated": True, "note": note}, self._user
            )

    def _met(self) -> Fate:
        return Fate(self._fate.pop(0) if self._fate else "")


class Fate:
    """What happens to one call."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __enter__(self) -> None:
        self._strike("before")

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._strike("after")

    def _strike(self, moment: str) -> None:
        if self._kind == moment:
            raise HttpUnavailableError("the answer was lost", "")
        if self._kind == f"killed {moment}":
            raise Killed


class Histories(RuleBasedStateMachine):
    """What sources report, what people decide, and runs that go well or not."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.dojo = DefectDojoStandin()
        self.truth: dict[int, tuple[Severity, float]] = {}
        self.decided: dict[int, dict[str, Any]] = {}
        self.severities: set[int] = set()
        self.reopened: set[int] = set()
        self.stores = 0
        self.lose_ledger()

    def teardown(self) -> None:
        self.store.close()
        self.dojo._server.server_close()
        shutil.rmtree(self.folder)

    def wanted(self) -> tuple[Finding, ...]:
        return tuple(finding(number, severity, epss) for number, (severity, epss) in self.truth.items())

    def shown(self) -> dict[int, Row]:
        names = {finding(number).identity: number for number in range(1, 5)}
        rows = [each for each in self.dojo.findings if each["unique_id_from_tool"] in names]
        found = {names[each["unique_id_from_tool"]]: each for each in rows}
        assert len(found) == len(rows), "a finding was doubled"
        return found

    def remote(self) -> tuple[RemoteFinding, ...]:
        return tuple(RemoteFinding.read(each) for each in Direct(self.dojo, ()).findings())

    # The world.

    @rule(number=NUMBERS, severity=SEVERITIES, percent=st.integers(0, 100))
    def report(self, number: int, severity: Severity, percent: int) -> None:
        self.truth[number] = severity, percent / 100

    @rule(number=NUMBERS)
    def vanish(self, number: int) -> None:
        self.truth.pop(number, None)

    # People.

    @rule(number=NUMBERS, decision=st.sampled_from(["false_p", "out_of_scope", "risk_accepted", "mitigated"]))
    def decide(self, number: int, decision: Any) -> None:
        row = self.shown().get(number)
        if row is None or (decision == "risk_accepted" and row["is_mitigated"]):
            return
        if decision == "mitigated":
            close_finding(
                self.dojo.state, row, {"is_mitigated": True, "note": "Replaced it."}, self.dojo.person("nurse")
            )
        else:
            self.dojo.decide(row["id"], decision)
        self.reopened.discard(number)
        self.decided[number] = {name: row[name] for name in STATUS}

    @rule(number=NUMBERS)
    def reopen(self, number: int) -> None:
        row = self.shown().get(number)
        if row is None or not row["is_mitigated"]:
            return
        (remote,) = [each for each in self.remote() if each.id == row["id"]]
        if remote.closed_by_us and remote.verdict is None and number not in self.truth:
            self.reopened.add(number)
        self.dojo.edit(row["id"], active=True)
        self.decided.pop(number, None)

    @rule(number=NUMBERS)
    def rate(self, number: int) -> None:
        row = self.shown().get(number)
        if row is not None:
            self.dojo.edit(row["id"], severity=PERSONS.value)
            self.severities.add(number)

    # The suite.

    @rule()
    def lose_ledger(self) -> None:
        if self.stores:
            self.store.close()
        self.stores += 1
        self.store = Store(f"sqlite:///{self.folder}/{self.stores}.db")

    @rule(
        complete=st.booleans(),
        fate=st.lists(st.sampled_from(["", "", "before", "after", "killed before", "killed after"]), max_size=5),
    )
    def disturbed_run(self, complete: bool, fate: list[str]) -> None:
        try:
            self.deliver(complete, fate)
        except (MeddojoError, Killed):
            return

    @precondition(lambda self: self.truth or self.dojo.findings)
    @rule(complete=st.booleans())
    def run(self, complete: bool) -> None:
        before = {number: each["is_mitigated"] for number, each in self.shown().items()}
        self.deliver(complete, [])
        shown = self.shown()
        assert set(self.truth) <= set(shown)
        for number, each in shown.items():
            if number in self.decided:
                continue
            if number in self.truth:
                assert not each["is_mitigated"]
                assert abs(each["epss_score"] - self.truth[number][1]) < 1e-5
            elif not complete:
                assert each["is_mitigated"] == before[number]
            elif not each["notes"]:
                assert each["is_mitigated"]
        assert counts(self.deliver(complete, [])) == (0, 0, 0, 0)
        rows = [row(each, DEVICE) for each in self.wanted()]
        memory = self.store.ledger.delivered(NAME, DEVICE.id, Stream.VULNERABILITIES)
        assert make_plan(rows, self.remote(), memory, complete=complete).empty

    def deliver(self, complete: bool, fate: Sequence[str]) -> Delivery:
        self.reopened -= set(self.truth)
        config = Config(defectdojo=DefectDojoConfig(url="http://stand-in", token=SecretStr("x")))
        client: Any = Direct(self.dojo, fate)
        sink = DefectDojoSink(config, self.store, client, lambda seconds: None)
        list(sink.listen([DEVICE]))
        result = StreamResult(DEVICE, Stream.VULNERABILITIES, self.wanted(), complete)
        return replace(sink.deliver([result], RunContext(datetime.now(UTC), ())))

    @invariant()
    def people_have_the_last_word(self) -> None:
        shown = self.shown()
        for number, status in self.decided.items():
            assert {name: shown[number][name] for name in STATUS} == status
        for number in self.reopened:
            assert not shown[number]["is_mitigated"]
        for number in self.severities:
            assert shown[number]["severity"] == PERSONS.value


class TestHistories(Histories.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(
        max_examples=10, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
