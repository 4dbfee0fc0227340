"""What a user installs: the wheel, its metadata, and the locked requirements."""

from __future__ import annotations

import ast
import configparser
import email.message
import email.parser
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import meddojo

REPOSITORY = Path(__file__).resolve().parent.parent
ROOMS = ("meddojo", "connectors", "analyzers", "imaging", "scheduler", "templates")
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", ".meddojo", "*.db*"
)
LOCKS = ("core", "dev", "imaging")
WITHOUT_IMPORT = {"psycopg"}  # SQLAlchemy loads it by the name in the URL
ON_DEMAND = {"distributed"}  # the extra "cluster", imported where engine.cluster asks for it


@pytest.fixture(scope="module")
def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    return parser


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel every front end builds, from a copy of the whole tree."""
    tree = tmp_path_factory.mktemp("packaging") / "tree"
    shutil.copytree(REPOSITORY, tree, ignore=LEFT_OUT)
    build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tree / "wheels")], cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    (built,) = (tree / "wheels").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.parser.BytesParser().parsebytes(archive.read(name))


def lines(text: str) -> list[str]:
    return [line for line in text.strip().splitlines() if line]


def declared(setup_cfg: configparser.ConfigParser) -> dict[str, list[Requirement]]:
    """Requirements by extra; the core's under an empty name."""
    extras = {
        name: [Requirement(line) for line in lines(text)] for name, text in setup_cfg["options.extras_require"].items()
    }
    return {"": [Requirement(line) for line in lines(setup_cfg["options"]["install_requires"])], **extras}


def locked(name: str) -> dict[str, str]:
    """Versions by distribution; of several for several Pythons, the last."""
    text = (REPOSITORY / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return {
        canonicalize_name(found[1]): found[2] for found in re.finditer(r"^([\w.-]+)==([\w.+-]+)", text, re.MULTILINE)
    }


def imported(folder: Path) -> Iterator[str]:
    """Top-level names a room imports."""
    for source in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.split(".")[0]


def test_the_wheel_holds_every_file_of_the_rooms_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = {
        path.relative_to(REPOSITORY).as_posix()
        for room in ROOMS
        for path in (REPOSITORY / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped == files
    assert any(name.startswith("templates/") and name.endswith((".html", ".j2")) for name in shipped)


def test_the_metadata_of_the_wheel_is_that_of_setup_cfg(
    metadata: email.message.Message, setup_cfg: configparser.ConfigParser
) -> None:
    assert metadata["Name"] == "meddojo"
    assert metadata["Version"] == meddojo.__version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert "MIT" in (metadata["License-Expression"], metadata["License"])
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Summary"] == setup_cfg["metadata"]["description"]
    assert metadata.get_all("Classifier") == lines(setup_cfg["metadata"]["classifiers"])
    assert set(metadata.get_all("Provides-Extra")) == set(setup_cfg["options.extras_require"])
    core = {str(requirement) for requirement in declared(setup_cfg)[""]}
    assert {line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line} == core


def test_every_entry_point_loads(wheel: Path, setup_cfg: configparser.ConfigParser) -> None:
    points = [
        EntryPoint(*map(str.strip, line.split("=")), group=group)
        for group, text in setup_cfg["options.entry_points"].items()
        for line in lines(text)
    ]
    assert {point.group for point in points} == {
        "console_scripts",
        "meddojo.feeds",
        "meddojo.analyzers",
        "meddojo.sinks",
    }
    for point in points:
        assert callable(point.load()), point
        assert point in entry_points(group=point.group), f"{point} is not installed; run make test"


def test_the_wheel_works_away_from_the_tree(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    script = (
        "import sys, templates, scheduler.cli\n"
        "assert templates.__file__.startswith(sys.argv[1]) and scheduler.cli.__file__.startswith(sys.argv[1])\n"
        "sys.argv = ['meddojo', '--help']\n"
        "scheduler.cli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "site")],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "site"), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "run" in done.stdout


def test_pyproject_names_every_field_that_setup_cfg_fills(setup_cfg: configparser.ConfigParser) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project) == {"name", "dynamic"}
    assert project["name"] == setup_cfg["metadata"]["name"]
    assert {"dependencies", "entry-points", "optional-dependencies", "requires-python", "scripts", "version"} <= set(
        project["dynamic"]
    )


def test_the_core_declares_what_it_imports_and_imports_what_it_declares(setup_cfg: configparser.ConfigParser) -> None:
    distributions = packages_distributions()
    names = {name for room in ROOMS if room != "imaging" for name in imported(REPOSITORY / room)}
    foreign = names - set(ROOMS) - sys.stdlib_module_names - WITHOUT_IMPORT - ON_DEMAND
    used = {canonicalize_name(distributions[name][0]) for name in foreign if name in distributions}
    assert foreign <= set(distributions)
    core, train = ({canonicalize_name(each.name) for each in declared(setup_cfg)[extra]} for extra in ("", "train"))
    assert used == core | train


def test_the_tests_import_only_what_an_extra_declares(setup_cfg: configparser.ConfigParser) -> None:
    distributions = packages_distributions()
    own = {*ROOMS, "tests", *(path.stem for path in (REPOSITORY / "tests").rglob("*"))}
    foreign = set(imported(REPOSITORY / "tests")) - own - sys.stdlib_module_names
    known = {
        canonicalize_name(wanted.name)
        for extra in ("", "dev", "imaging", "postgres", "train")
        for wanted in declared(setup_cfg)[extra]
    }
    assert {name for name in foreign if canonicalize_name(distributions.get(name, [name])[0]) not in known} == set()


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_has_hashes_and_names_no_index(name: str) -> None:
    text = (REPOSITORY / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^--", text, re.MULTILINE)
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert blocks
    for block in blocks:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block.splitlines()[0]


@pytest.mark.parametrize(("name", "extras"), [("core", ()), ("dev", ("dev", "postgres")), ("imaging", ("imaging",))])
def test_a_lock_file_satisfies_setup_cfg(
    name: str, extras: tuple[str, ...], setup_cfg: configparser.ConfigParser
) -> None:
    versions = locked(name)
    for extra in ("", *extras):
        for requirement in declared(setup_cfg)[extra]:
            version = versions.get(canonicalize_name(requirement.name), "missing")
            assert version != "missing", f"{requirement}: not in {name}.txt; run make lock"
            assert version in requirement.specifier, f"{requirement}: {name}.txt has {version}; run make lock"


def test_the_locks_agree_so_that_one_environment_serves_all() -> None:
    core = locked("core")
    for name in ("dev", "imaging"):
        other = locked(name)
        assert {package: other[package] for package in core.keys() & other.keys()} == {
            package: core[package] for package in core.keys() & other.keys()
        }


def test_the_lock_can_build_the_package() -> None:
    """An installation without build isolation finds the build requirements among the locked ones."""
    build = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    for requirement in map(Requirement, build):
        assert locked("core")[canonicalize_name(requirement.name)] in requirement.specifier
