"""More conversations: how findings live through reimports, matching, lists, access."""

from __future__ import annotations

from collections.abc import Callable

from tests.standin_tests.scenarios import FINDING, Json, Talk, state_of

TITLES = (
    "openssl: heap overflow in foo",
    "a flaw in the parser",
    "CVE-2024-1234 - buffer overflow",
    "ALL CAPS TITLE OF A BUG",
    "use-after-free in x/y and the z",
    "libxml2 2.9.1 is vulnerable to xxe",
    "the end of",
    "what: an issue",
    "iPhone e-mail client",
    "src/main.c overflow",
    "http://example.com/path is open",
    "café überlauf straße",
    "xml rpc tcp st",
    "two\nlines of text",
    "(in parentheses) a word",
    "DICOM C-STORE SCP accepts any AE title",
    "v1.2 vs. v1.3",
    "mcdonald and dr who's o'neil",
    "1abc 2.0-rc1",
    "",
)


def titles(talk: Talk) -> Json:
    """How titles are stored."""
    report = {"findings": [FINDING | {"title": title, "description": f"d{n}"} for n, title in enumerate(TITLES)]}
    talk.upload(report)
    return {row["description"]: row["title"] for row in talk.findings()}


CHANGES: dict[str, dict[str, Json]] = {
    "title case": {"title": "T"},
    "title": {"title": "u"},
    "description": {"description": "e"},
    "description space at the end": {"description": "d "},
    "description space inside": {"description": "d  x"},
    "cwe": {"cwe": 79},
    "cwe null": {"cwe": None},
    "line": {"line": 4},
    "file": {"file_path": "a"},
    "service": {"service": "s"},
    "severity": {"severity": "Low"},
    "component": {"component_name": "c", "component_version": "1"},
    "unique id": {"unique_id_from_tool": "other"},
    "vulnerability ids": {"vulnerability_ids": ["CVE-2024-9"]},
    "mitigation": {"mitigation": "m"},
    "endpoints": {"endpoints": ["https://h/p"]},
    "all at once": {
        "severity": "Critical",
        "mitigation": "new",
        "epss_score": 0.9,
        "epss_percentile": 0.8,
        "known_exploited": True,
        "cvssv3_score": 5.0,
        "tags": ["new"],
        "date": "2024-01-01",
        "fix_available": True,
        "fix_version": "9",
        "vulnerability_ids": ["CVE-2024-1"],
        "component_name": "late",
        "references": "r",
        "verified": True,
    },
    "fix alone": {"fix_available": True, "fix_version": "9"},
}
UPDATED = (
    "severity mitigation epss_score known_exploited cvssv3_score tags fix_available fix_version component_name "
    "references verified vulnerability_ids cwe cwes"
).split()


def matching(talk: Talk) -> Json:
    """What makes a finding another one, and what is updated when it is the same."""
    seen = {}
    base = FINDING | {"unique_id_from_tool": "one"}
    for number, (label, changes) in enumerate(CHANGES.items()):
        title = f"M{number}"
        talk.upload({"findings": [base]}, title)
        delta = talk.delta({"findings": [base | changes]}, title)
        again = talk.delta({"findings": [base | changes]}, title)
        rows = talk.findings(title)
        seen[label] = {"delta": delta, "again": again, "first": {name: rows[0][name] for name in UPDATED}}
    return seen


def lifecycle(talk: Talk) -> Json:
    """Triage against reimports, step by step."""
    seen: list[Json] = []
    report: Json = {"findings": [FINDING]}
    empty: Json = {"findings": []}

    def step(label: str, outcome: Json) -> None:
        seen.append([label, outcome, state_of(talk.findings()[0])])

    def patch(**body: Json) -> int:
        return talk.call("PATCH", f"findings/{talk.findings()[0]['id']}/", json=body).status_code

    step("first", talk.delta(report))
    step("again", talk.delta(report))
    step("empty, not closing", talk.delta(empty, close_old_findings="false"))
    step("empty", talk.delta(empty))
    step("empty again", talk.delta(empty))
    step("back, not reactivating", talk.delta(report, do_not_reactivate="true"))
    step("back, not reactivating again", talk.delta(report, do_not_reactivate="true"))
    step("back", talk.delta(report))
    product = talk.get(f"products/?name_exact={talk.product}")["results"][0]["id"]
    talk.call("PATCH", f"products/{product}/", json={"enable_simple_risk_acceptance": True})
    step("accepting an active one", patch(risk_accepted=True))
    step("accepting", patch(risk_accepted=True, active=False))
    step("accepted, reported", talk.delta(report))
    step("accepted, missing, not closing", talk.delta(empty, close_old_findings="false"))
    step("accepted, missing", talk.delta(empty))
    step("back after acceptance", talk.delta(report))
    step("accepting again", patch(risk_accepted=True, active=False))
    step("taking back", patch(risk_accepted=False))
    for name in ("false_p", "out_of_scope"):
        step(name, patch(**{name: True}))
        step(f"{name}, reported", talk.delta(report))
        step(f"{name}, missing", talk.delta(empty))
        step(f"{name}, reported, active", talk.delta(report, active="true"))
        step(f"{name} reopened", patch(active=True))
    step("under review", patch(under_review=True))
    step("under review, reported", talk.delta(report))
    step("verified form", talk.delta(report, verified="true"))
    step("verified", patch(verified=True))
    step("verified, reported", talk.delta(report))
    step("mitigated report", talk.delta({"findings": [FINDING | {"is_mitigated": True, "active": False}]}))
    step("mitigated report again", talk.delta({"findings": [FINDING | {"is_mitigated": True, "active": False}]}))
    step("back, verified false", talk.delta(report, verified="false"))
    step("report says false positive", talk.delta({"findings": [FINDING | {"false_p": True}]}))
    step("reported", talk.delta(report))
    step("reopened", patch(active=True))
    step("report accepts", talk.delta({"findings": [FINDING | {"risk_accepted": True}]}))
    step("reported", talk.delta(report))
    step("missing by severity", talk.delta(report, minimum_severity="Critical"))
    return seen


def services(talk: Talk) -> Json:
    """Services keep findings apart, in matching and in closing."""
    two = {"findings": [FINDING, FINDING | {"title": "u"}]}
    one = {"findings": [FINDING]}
    return [
        talk.delta(two),
        talk.delta(two, service="a"),
        talk.delta(one, service="a"),
        talk.delta({"findings": []}, service="b"),
        talk.delta(one),
        talk.delta({"findings": [FINDING | {"service": "a"}]}),
        [[row["title"], row["service"], row["active"]] for row in talk.findings()],
    ]


def repetitions(talk: Talk) -> Json:
    """Findings that stand twice in a report."""
    twice = {"findings": [FINDING, FINDING, FINDING | {"title": "u"}]}
    grown = {"findings": [FINDING, FINDING, FINDING | {"title": "u"}, *[FINDING | {"title": "w"}] * 2]}
    return [talk.delta(twice), talk.delta(twice), talk.delta(grown), talk.delta(grown)]


def stamps(talk: Talk) -> Json:
    """Tags and stamps of a test, and what an answer echoes."""
    seen: list[Json] = []
    report = {
        "findings": [FINDING | {"tags": ["own"]}],
        "type": "Stamp",
        "version": "9",
        "description": "D",
        "name": "N",
    }
    shown = (
        "title description version build_id branch_tag commit_hash tags percent_complete "
        "test_type_name scan_type deduplication_algorithm hash_code_fields"
    ).split()
    forms: list[dict[str, Json]] = [
        {"version": "1", "build_id": "b", "tags": ["x", "y"]},
        {},
        {"tags": "z,w", "apply_tags_to_findings": "true", "commit_hash": "c"},
        {"scan_date": "2025-01-02", "branch_tag": "main"},
    ]
    for form in forms:
        answer = talk.upload(report, **form).json()
        test = talk.tests("T")[-1]
        row = talk.findings()[0]
        history = talk.get(f"test_imports/?test={test['id']}")["results"][0]
        actions = [action["action"] for action in history["test_import_finding_action_set"]]
        seen.append({name: test[name] for name in shown} | {"finding": row["tags"]})
        seen.append([history["type"], history["version"], actions, history["import_settings"]])
        seen.append({name: answer[name] for name in answer if not name.endswith("_id") and name not in ("test", "pro")})
        seen[-1].pop("product_name")
    return seen


def imports(talk: Talk) -> Json:
    """import-scan makes a new test each time and closes in others of the type only when told."""
    report, other = {"findings": [FINDING], "type": "A"}, {"findings": [FINDING | {"title": "u"}], "type": "A"}
    another = {"findings": [], "type": "B"}
    outcome: list[Json] = [
        talk.delta(report, "I1", kind="import"),
        talk.delta(other, "I2", kind="import"),
        [state_of(row) for row in talk.findings("I1")],
        talk.delta(another, "I3", kind="import", close_old_findings="true"),
        [row["active"] for row in talk.findings("I1")],
        talk.delta(other, "I4", kind="import", close_old_findings="true"),
        [[row["active"] for row in talk.findings(title)] for title in ("I1", "I2", "I4")],
    ]
    return [*outcome, len(talk.tests("I1")), talk.delta(report, "I1", kind="import"), len(talk.tests("I1"))]


def lists(talk: Talk) -> Json:
    """Filters and pages."""
    report = {
        "findings": [
            FINDING | {"title": f"n{n}", "unique_id_from_tool": f"Uid-{n}", "severity": severity, "tags": [f"t{n}"]}
            for n, severity in enumerate(("Low", "High", "Info", "Medium", "Critical", "Low", "High"))
        ]
    }
    test = talk.upload(report).json()["test_id"]
    queries = (
        "unique_id_from_tool=uid-1 unique_id_from_tool=-3 severity=Low severity=Low,High severity=zzz active=true "
        "active=false active=maybe engagement=1 zork=1 limit=3 limit=3&offset=3 limit=3&offset=6 limit=0 limit=abc "
        "offset=99 exact_title=N1 title=n id=x o=id o=zork tag=t1 is_mitigated=true known_exploited=false service=s"
    ).split()
    seen: dict[str, Json] = {}
    for query in queries:
        answer = talk.call("GET", f"findings/?test={test}&{query}")
        if answer.status_code != 200:
            seen[query] = talk.refusal(answer)
            continue
        body = answer.json()
        links = [bool(body[name]) for name in ("next", "previous")]
        seen[query] = [body["count"], links, [row["title"] for row in body["results"]], sorted(body)]
    elsewhere = (
        "findings/?test=abc findings/?test=99999999 tests/?engagement=99999999 tests/?id=x test_imports/?test=99999999 "
        "engagements/?product=99999999 findings/?test__engagement=x"
    ).split()
    seen |= {query: talk.refusal(talk.call("GET", query)) for query in elsewhere}
    name = talk.product
    for query in (name, name.lower(), name[:-1]):
        shown = query.replace(name[:-1], "N")
        seen[f"name {len(query) - len(name)}"] = talk.get(f"products/?name={query}")["count"]
        seen[f"name_exact {shown[:1]} {len(query) - len(name)}"] = talk.get(f"products/?name_exact={query}")["count"]
    return seen


def access(talk: Talk) -> Json:
    """Tokens, methods, media types and addresses."""
    talk.upload({"findings": [FINDING]})
    row = talk.findings()[0]["id"]
    json_type = {"Content-Type": "application/json"}
    calls: dict[str, tuple[str, str, dict[str, Json]]] = {
        "no token": ("GET", "findings/", {"headers": {"Authorization": None}}),
        "wrong token": ("GET", "findings/", {"headers": {"Authorization": "Token nope"}}),
        "bearer": ("GET", "findings/", {"headers": {"Authorization": f"Bearer {talk.token}"}}),
        "wrong token for an upload": ("POST", "reimport-scan/", {"headers": {"Authorization": "Token x"}}),
        "method": ("DELETE", "findings/", {}),
        "method of an action": ("GET", f"findings/{row}/close/", {}),
        "unknown address": ("GET", "nosuch/", {}),
        "unknown finding": ("GET", "findings/99999999/", {}),
        "unknown test": ("PATCH", "tests/99999999/", {"json": {}}),
        "bad JSON": ("PATCH", f"findings/{row}/", {"data": "{bad", "headers": json_type}),
        "list": ("PATCH", f"findings/{row}/", {"json": []}),
        "text": ("PATCH", f"findings/{row}/", {"data": "x", "headers": {"Content-Type": "text/plain"}}),
        "empty note": ("POST", f"findings/{row}/notes/", {"json": {"entry": ""}}),
        "tag": ("POST", f"findings/{row}/tags/", {"json": {"tags": ["q"]}}),
        "tag with space": ("POST", f"findings/{row}/tags/", {"json": {"tags": ["q r"]}}),
        "tags": ("GET", f"findings/{row}/tags/", {}),
        "metadata of nothing": ("POST", "metadata/", {"json": {"name": "n", "value": "v"}}),
        "wrong password": ("POST", "api-token-auth/", {"json": {"username": "admin", "password": "x"}}),
        "type again": ("POST", "product_types/", {"json": {"name": "Parity"}}),
        "product without type": ("POST", "products/", {"json": {"name": "x"}}),
    }
    seen = {label: talk.refusal(talk.call(method, path, **more)) for label, (method, path, more) in calls.items()}
    meta = {"finding": row, "name": "n", "value": "v"}
    statuses = [talk.call("POST", "metadata/", json=meta) for _ in range(2)]
    note = talk.call("POST", f"findings/{row}/notes/", json={"entry": "hello", "private": True})
    seen["metadata"] = [statuses[0].status_code, talk.refusal(statuses[1])]
    seen["note"] = [note.status_code, sorted(note.json())]
    seen["without slash"] = talk.call("GET", "findings?limit=1").status_code
    profile = talk.get("user_profile/")
    seen["profile"] = [sorted(profile), sorted(profile["user"])]
    seen["keys"] = [sorted(talk.get(f"{name}/?limit=1")["results"][0]) for name in ("products", "engagements", "tests")]
    seen["finding"] = sorted(talk.get(f"findings/{row}/"))
    return seen


LIFECYCLES: dict[str, Callable[[Talk], Json]] = {
    "titles": titles,
    "matching": matching,
    "lifecycle": lifecycle,
    "services": services,
    "repetitions": repetitions,
    "stamps": stamps,
    "imports": imports,
    "lists": lists,
    "access": access,
}
