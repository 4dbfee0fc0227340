from __future__ import annotations

from pathlib import Path

import pytest

from meddojo.config import AnalyzerConfig, Config, FeedConfig
from meddojo.errors import ConfigError
from meddojo.interface import Analyzer, Feed, Sink, load, plugins
from meddojo.store import Store


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package whose entry points lead nowhere."""
    folder = tmp_path / "broken-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    points = "aaa = no_such_module:build\nzzz = meddojo.errors:no_such_name\n"
    (folder / "entry_points.txt").write_text(f"[meddojo.feeds]\n{points}")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_plugins_come_in_alphabetical_order(installed: None) -> None:
    names = list(plugins("meddojo.feeds"))
    assert names == sorted(names) and names[0] == "aaa" and names[-1] == "zzz"
    assert {"csaf", "epss", "kev", "nvd"} < set(names)


@pytest.mark.parametrize("name", ["csaf", "epss", "kev", "nvd"])
def test_every_feed_of_ours_keeps_to_the_protocol(name: str) -> None:
    feed = load("meddojo.feeds", name)(FeedConfig(source="nowhere"))
    assert isinstance(feed, Feed) and feed.name == name


def test_every_analyzer_of_ours_keeps_to_the_protocol() -> None:
    for name in ("matching", "enrichment"):
        analyzer = load("meddojo.analyzers", name)(AnalyzerConfig())
        assert isinstance(analyzer, Analyzer) and analyzer.name == name


def test_every_sink_of_ours_keeps_to_the_protocol(tmp_path: Path) -> None:
    config = Config.model_validate({"defectdojo": {"url": "https://dojo.example.org", "token": "x"}})
    with Store(f"sqlite:///{tmp_path}/store.db") as store:
        for name in ("report", "defectdojo"):
            sink = load("meddojo.sinks", name)(config, store)
            assert isinstance(sink, Sink) and sink.name == name


def test_what_is_no_plugin_does_not_keep_to_a_protocol() -> None:
    assert not isinstance(object(), Feed | Analyzer | Sink)


@pytest.mark.parametrize(
    ("group", "name", "told"),
    [
        ("meddojo.feeds", "csef", "no feed is called 'csef'.*did you mean 'csaf'"),
        ("meddojo.analyzers", "macthing", "no analyzer is called.*did you mean 'matching'"),
        ("meddojo.sinks", "xyz", "no sink is called 'xyz'.*known: .*defectdojo, report"),
        ("meddojo.nothing", "xyz", "none; is meddojo installed"),
    ],
)
def test_an_unknown_name_names_the_nearest_plugin(group: str, name: str, told: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){told}"):
        load(group, name)


@pytest.mark.parametrize(("name", "cause"), [("aaa", "no_such_module"), ("zzz", "no_such_name")])
def test_a_broken_package_is_named(installed: None, name: str, cause: str) -> None:
    with pytest.raises(ConfigError, match=f"the feed '{name}' cannot be loaded: .*{cause}") as caught:
        load("meddojo.feeds", name)
    assert caught.value.hint == "install its package again"
