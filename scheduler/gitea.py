"""``meddojo init gitea``: the workflow of a scheduled Gitea job."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from meddojo.errors import ConfigError

WORKFLOW = Path(".gitea", "workflows", "meddojo.yml")


def write_workflow(folder: Path, force: bool = False) -> str:
    """Write the workflow into a repository, and say what comes next.

    Raises
    ------
    ConfigError
        If it is there already and `force` is False, or cannot be written.
    """
    target = folder / WORKFLOW
    if target.exists() and not force:
        raise ConfigError(f"{target} is there already", "use --force to replace it")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(files("templates").joinpath("gitea", "meddojo.yml").read_text("utf-8"), "utf-8")
    except OSError as error:
        raise ConfigError(f"{target}: {error.strerror}", "check the folder and its permissions") from None
    return (
        f"wrote {target}\n"
        "next: commit it beside meddojo.toml and inventory.toml, set the secrets its first lines name, "
        "and start it once by hand (Actions > MedDojo > Run workflow)"
    )
