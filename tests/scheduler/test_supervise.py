"""Child processes: limited, stopped, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from scheduler.supervise import Ending, supervise

REPOSITORY = Path(__file__).parents[2]


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()


def soon(condition: object) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def test_code_lines_and_last_words_of_a_child() -> None:
    lines: list[str] = []
    code = "import sys; print('reading'); print('error: no feed\\n  hint: x', file=sys.stderr); print(); sys.exit(3)"
    ended = supervise(python(code), limit_seconds=20, relay=lines.append)
    assert (ended.code, ended.why, ended.last_words) == (3, Ending.FINISHED, "error: no feed")
    assert lines == ["reading", "error: no feed", "  hint: x"]


def test_a_child_that_ignores_its_end_is_killed_with_what_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"p = subprocess.Popen(['sleep', '60']); open({str(note)!r}, 'w').write(str(p.pid)); time.sleep(60)"
    )
    ended = supervise(python(code), limit_seconds=1.0, kill_grace_seconds=0.2)
    assert (ended.code, ended.why) == (-signal.SIGKILL, Ending.TIME_LIMIT)
    assert 1.0 <= ended.seconds < 5
    assert soon(lambda: gone(int(note.read_text())))


def test_a_child_ends_when_it_is_told_to_stop() -> None:
    begun = time.monotonic()
    ended = supervise(
        python("import time; time.sleep(60)"), limit_seconds=60, stop=lambda: time.monotonic() > begun + 0.3
    )
    assert (ended.code, ended.why) == (-signal.SIGTERM, Ending.STOPPED)


def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    child = (
        "import os, time; from scheduler.child import die_with_parent; die_with_parent(); "
        f"open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    )
    code = (
        f"from scheduler.supervise import supervise; supervise([{sys.executable!r}, '-c', {child!r}], limit_seconds=60)"
    )
    parent = subprocess.Popen(python(code), env=os.environ | {"PYTHONPATH": str(REPOSITORY)})
    assert soon(lambda: note.exists() and note.read_text())
    parent.kill()
    parent.wait()
    assert soon(lambda: gone(int(note.read_text())))
