from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meddojo.config import Config, load_config
from meddojo.errors import ConfigError
from meddojo.severity import Severity

SECRET = "planted-0123456789abcdef"


def load(folder: Path, text: str = "", **variables: str) -> Config:
    file = folder / "meddojo.toml"
    file.write_text(text, "utf-8")
    return load_config(file, variables)


def refusal(folder: Path, text: str = "", **variables: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, **variables)
    assert caught.value.hint, "every error says what to do"
    return caught.value


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    config = load(tmp_path)
    assert config.analyzers.threshold == 0.8
    assert config.delivery.shrink_limit == 0.5
    assert config.delivery.fail_on is None
    assert not config.feeds and not config.scans and not config.defectdojo.url


def test_no_file_in_the_working_directory_gives_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config, defaults = load_config(None, {}), Config()
    assert config.model_dump(exclude={"defectdojo"}) == defaults.model_dump(exclude={"defectdojo"})


def test_default_paths_are_relative_to_the_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "meddojo.toml").write_text("[network]\nattempts = 7\n")
    monkeypatch.chdir(tmp_path / "elsewhere")
    config = load_config(tmp_path / "meddojo.toml", {})
    assert config.report.directory == str(tmp_path / "report")
    assert config.inventory.file == str(tmp_path / "inventory.toml")
    assert config.store.url == f"sqlite:///{tmp_path}/meddojo.db"


def test_the_file_of_the_working_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "meddojo.toml").write_text("[network]\nattempts = 7\n")
    assert load_config(None, {}).network.attempts == 7


def test_the_template_that_init_writes_is_a_valid_configuration(tmp_path: Path) -> None:
    from importlib.resources import files

    config = load(tmp_path, files("templates").joinpath("meddojo.toml").read_text("utf-8"))
    assert set(config.feeds) == {"csaf", "nvd", "kev", "epss"}


@pytest.mark.parametrize(
    ("text", "wrong", "nearest"),
    [
        ('stroe = "x"', "stroe", "store"),
        ('[stor]\nurl = "x"', "stor", "store"),
        ('[inventory]\nfiel = "x"', "inventory.fiel", "inventory.file"),
        ('[defectdojo]\ntoken_flie = "x"', "defectdojo.token_flie", "defectdojo.token_file"),
        ('[feeds.nvd]\nsorce = "x"', "feeds.nvd.sorce", "feeds.nvd.source"),
        ("[analyzers]\nreview_treshold = 0.5", "analyzers.review_treshold", "analyzers.review_threshold"),
        ('[[scans]]\ndevice = "a"\nfiel = "b"', "scans.0.fiel", "scans.0.file"),
        ('[[scans]]\ndevice = "a"\nfile = "b"\n[[scans]]\ndevce = "a"\nfile = "b"', "scans.1.devce", "scans.1.device"),
        ('[defectdojo.network]\nproxy = "x"', "defectdojo.network", "network"),
        ('[feeds.nvd.network]\nproxy = "x"', "feeds.nvd.network", "network"),
    ],
)
def test_an_unknown_key_names_the_nearest_valid_one(tmp_path: Path, text: str, wrong: str, nearest: str) -> None:
    error = refusal(tmp_path, text)
    assert error.message == f"{tmp_path / 'meddojo.toml'}: unknown key {wrong!r}"
    assert f"did you mean {nearest!r}?" in error.hint


def test_an_unknown_key_like_no_other_lists_the_valid_ones(tmp_path: Path) -> None:
    assert refusal(tmp_path, "[delivery]\nxyz = 1").hint == "valid keys: shrink_limit, fail_on"
    assert "network" not in refusal(tmp_path, "[feeds.nvd]\nxyz = 1").hint


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("MEDDOJO_STORE__ULR", "MEDDOJO_STORE__URL"),
        ("MEDDOJO_STOR__URL", "MEDDOJO_STORE__URL"),
        ("MEDDOJO_STORE", "MEDDOJO_STORE__URL"),
        ("MEDDOJO_STORE_URL", "MEDDOJO_STORE__URL"),
        ("MEDDOJO_FEEDS__NVD__APIKEY", "MEDDOJO_FEEDS__NVD__API_KEY"),
        ("MEDDOJO_FEDS__NVD__API_KEY", "MEDDOJO_FEEDS__NVD__API_KEY"),
        ("MEDDOJO_DEFECTDOJO__TOKN", "MEDDOJO_DEFECTDOJO__TOKEN"),
    ],
)
def test_an_unknown_variable_names_the_nearest_valid_one(tmp_path: Path, variable: str, nearest: str) -> None:
    error = refusal(tmp_path, **{variable: SECRET})
    assert error.message == f"the environment variable {variable} is not a setting"
    assert f"did you mean {nearest}?" in error.hint
    assert SECRET not in str(error)


def test_variables_of_others_are_left_alone(tmp_path: Path) -> None:
    assert load(tmp_path, MEDDOJO_CONFIG="elsewhere.toml", MEDDOJOY="1", PATH="/bin") == load(tmp_path)


def test_a_variable_goes_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    text = "[network]\nattempts = 7\ntimeout_seconds = 5\n"
    network = load(tmp_path, text, MEDDOJO_NETWORK__ATTEMPTS="9").network
    assert (network.attempts, network.timeout_seconds, network.proxy) == (9, 5.0, "")


def test_variables_reach_feeds_lists_switches_and_names(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        '[feeds.nvd]\nsource = "nvd"\n',
        MEDDOJO_FEEDS__NVD__API_KEY=SECRET,
        MEDDOJO_FEEDS__KEV__ENABLED="false",
        MEDDOJO_ANALYZERS__DISABLED="enrichment, traffic",
        MEDDOJO_DELIVERY__FAIL_ON="High",
    )
    assert config.feeds["nvd"].api_key.get_secret_value() == SECRET
    assert config.feeds["nvd"].source == str(tmp_path / "nvd")
    assert not config.feeds["kev"].enabled
    assert config.analyzers.disabled == ("enrichment", "traffic")
    assert config.delivery.fail_on is Severity.HIGH


def test_defectdojo_variables_go_before_everything(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        '[defectdojo]\nurl = "https://file"\ntoken = "of-the-file"\n',
        MEDDOJO_DEFECTDOJO__URL="https://section",
        MEDDOJO_DEFECTDOJO__TOKEN="of-the-section",
        DEFECTDOJO_URL="https://variable",
        DEFECTDOJO_TOKEN="of-the-variable",
    )
    assert config.defectdojo.url == "https://variable"
    assert config.defectdojo.token.get_secret_value() == "of-the-variable"


def test_a_token_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n")
    config = load(tmp_path, '[defectdojo]\ntoken_file = "token"\n')
    assert config.defectdojo.token.get_secret_value() == SECRET


@pytest.mark.parametrize("variable", ["DEFECTDOJO_TOKEN_FILE", "MEDDOJO_DEFECTDOJO__TOKEN_FILE"])
def test_a_token_file_named_by_the_environment_goes_before_a_token_in_the_file(tmp_path: Path, variable: str) -> None:
    (tmp_path / "token").write_text(SECRET)
    config = load(tmp_path, '[defectdojo]\ntoken = "stale"\n', **{variable: str(tmp_path / "token")})
    assert config.defectdojo.token.get_secret_value() == SECRET


def test_a_token_given_goes_before_a_token_file_of_the_same_level(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-the-file")
    config = load(tmp_path, DEFECTDOJO_TOKEN=SECRET, DEFECTDOJO_TOKEN_FILE=str(tmp_path / "token"))
    assert config.defectdojo.token.get_secret_value() == SECRET


def test_a_token_file_that_is_missing_or_binary_is_named(tmp_path: Path) -> None:
    error = refusal(tmp_path, DEFECTDOJO_TOKEN_FILE=str(tmp_path / "nothing"))
    assert "nothing: No such file" in error.message
    (tmp_path / "token").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8 text" in refusal(tmp_path, DEFECTDOJO_TOKEN_FILE=str(tmp_path / "token")).message


def test_relative_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
        inventory.file = "devices.toml"
        store.url = "sqlite:///data/m.db"
        report.directory = "out"
        network.ca_file = "ca.pem"
        feeds.csaf.source = "feeds/csaf"
        feeds.nvd.source = "https://example.org/nvd"
        feeds.kev = {}
        scans = [{device = "a", file = "scan.json"}]
    """
    monkeypatch.chdir("/")
    config = load(tmp_path, text)
    assert config.inventory.file == str(tmp_path / "devices.toml")
    assert config.store.url == f"sqlite:///{tmp_path}/data/m.db"
    assert config.report.directory == str(tmp_path / "out")
    assert config.network.ca_file == str(tmp_path / "ca.pem")
    assert config.feeds["csaf"].source == str(tmp_path / "feeds/csaf")
    assert config.feeds["nvd"].source == "https://example.org/nvd"
    assert config.feeds["kev"].source == ""
    assert config.scans[0].file == str(tmp_path / "scan.json")


def test_absolute_paths_and_other_databases_stay_as_they_are(tmp_path: Path) -> None:
    config = load(tmp_path, 'store.url = "sqlite:////var/m.db"\ninventory.file = "/etc/devices.toml"\n')
    assert (config.store.url, config.inventory.file) == ("sqlite:////var/m.db", "/etc/devices.toml")
    for url in ("postgresql+psycopg://u@h/name", "sqlite:///:memory:"):
        assert load(tmp_path, f'store.url = "{url}"').store.url == url


def test_network_settings_reach_feeds_and_defectdojo_which_keeps_its_own_patience(tmp_path: Path) -> None:
    text = "network.attempts = 2\nnetwork.timeout_seconds = 5\nfeeds.nvd = {}\ndefectdojo.timeout_seconds = 900\n"
    config = load(tmp_path, text)
    assert config.feeds["nvd"].network == config.network
    assert (config.defectdojo.network.attempts, config.defectdojo.network.timeout_seconds) == (2, 900.0)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("analyzers.threshold = 1.5", "analyzers.threshold"),
        ("analyzers.threshold = nan", "analyzers.threshold"),
        ("network.attempts = 0", "network.attempts"),
        ("network.timeout_seconds = 0", "network.timeout_seconds"),
        ("network.timeout_seconds = inf", "network.timeout_seconds"),
        ('delivery.fail_on = "severe"', "delivery.fail_on"),
        ("scans = 3", "scans"),
        ('[[scans]]\ndevice = "a"', "scans.0.file"),
        ('[[scans]]\nfile = "a"', "scans.0.device"),
        ('[[scans]]\nfolder = "a"\nfile = "b"', "scans.0.file"),
        ('[[scans]]\nfolder = "a"\npattern = "*.json"', "scans.0.pattern"),
        ('[vex]\nrole = "hospital"', "vex.role"),
        ("feeds = 3", "feeds"),
        ("feeds.nvd = 3", "feeds.nvd"),
        ("store = []", "store"),
    ],
)
def test_a_bad_value_names_its_key(tmp_path: Path, text: str, key: str) -> None:
    assert refusal(tmp_path, text).message.startswith(f"{tmp_path / 'meddojo.toml'}: {key}: ")


def test_a_review_band_above_the_threshold_is_refused(tmp_path: Path) -> None:
    assert "review_threshold" in refusal(tmp_path, "analyzers.review_threshold = 0.81").message
    assert load(tmp_path, "analyzers.review_threshold = 0.8").analyzers.review_threshold == 0.8


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file") as caught:
        load_config(tmp_path / "nothing.toml", {})
    assert "meddojo init" in caught.value.hint


@pytest.mark.parametrize("content", [b"a = \n", b"[store\n", b'x = "\xff"', b"a = 1\na = 2\n"])
def test_malformed_toml_names_the_file_and_why(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"bad\.toml: not valid TOML: .+"):
        load_config(file, {})


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        load_config(tmp_path, {})


@given(secret=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=0x2FFF), min_size=6, max_size=40))
def test_no_secret_shows_in_a_configuration(secret: str) -> None:
    secret = f"@{secret}@"
    config = load_config(None, {"DEFECTDOJO_TOKEN": secret, "MEDDOJO_FEEDS__NVD__API_KEY": secret})
    assert config.defectdojo.token.get_secret_value() == secret
    assert config.feeds["nvd"].api_key.get_secret_value() == secret
    shown = f"{config!r} {config} {config.model_dump()} {config.model_dump_json()} {config.feeds['nvd']!r}"
    assert secret not in shown and repr(secret)[1:-1] not in shown


@given(
    secret=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=0x2FFF), min_size=6, max_size=40),
    wrong=st.sampled_from(
        [
            {"MEDDOJO_DEFECTDOJO__TOKN": "{}"},
            {"MEDDOJO_DEFECTDOJO__TOKEN__X": "{}"},
            {"MEDDOJO_FEEDS__NVD__API_KEY__X": "{}"},
            {"MEDDOJO_FEEDS__NVD": "{}"},
            {"MEDDOJO_DEFECTDOJO": "{}"},
            {"DEFECTDOJO_TOKEN": "{}", "MEDDOJO_NETWORK__ATTEMPTS": "{}"},
            {"DEFECTDOJO_TOKEN": "{}", "MEDDOJO_DELIVERY__FAIL_ON": "{}"},
            {"DEFECTDOJO_TOKEN": "{}", "MEDDOJO_ANALYZERS__REVIEW_THRESHOLD": "0.9"},
        ]
    ),
)
def test_no_secret_shows_in_an_error(secret: str, wrong: dict[str, str]) -> None:
    secret = f"@{secret}@"
    with pytest.raises(ConfigError) as caught:
        load_config(None, {name: text.replace("{}", secret) for name, text in wrong.items()})
    assert secret not in str(caught.value) and secret not in repr(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None, "a traceback would show the value"


def test_exposure_of_network_zones() -> None:
    config = load_config(None, {"MEDDOJO_ANALYZERS__ZONES__MONITORING": "restricted"}).analyzers
    assert config.exposure(" Monitoring ") == "restricted"
    assert config.exposure("DMZ") == "open" and config.exposure("attic") is None and config.exposure("") is None
    assert config.severity == "environmental"


def test_a_zone_stated_goes_before_a_known_one(tmp_path: Path) -> None:
    file = tmp_path / "meddojo.toml"
    file.write_text('[analyzers.zones]\noffice = "restricted"\n')
    assert load_config(file, {}).analyzers.exposure("office") == "restricted"


@pytest.mark.parametrize("text", ['[analyzers.zones]\noffice = "far"\n', '[analyzers]\nseverity = "guessed"\n'])
def test_an_exposure_or_severity_that_is_none_is_an_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "meddojo.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"analyzers\.(zones\.office|severity)"):
        load_config(file, {})
