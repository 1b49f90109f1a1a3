"""Where a command's text says that the program is: the text has to be true here, and on other machines later."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from heroku_changeover.terms.command import shell_text
from heroku_changeover.terms.errors import BadInput
from heroku_postgres.program import search_folder

SHOUTS = "#!/bin/sh\necho found in $0\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with nothing in it, and a PATH without the program."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return home


def installed_in(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of the package, which is the one that declares."""
    program = prefix / "bin" / "heroku-changeover"
    program.parent.mkdir(parents=True)
    program.write_text(SHOUTS)
    program.chmod(0o755)
    monkeypatch.setattr(sys, "prefix", str(prefix))
    return program


def run_from(folder: Path, search: str) -> str:
    """What the shell line says that the engine runs in a folder."""
    text = shell_text(["promote"], search)
    ran = subprocess.run(["/bin/sh", "-c", text], cwd=folder, capture_output=True, text=True, check=False)
    return ran.stdout.strip() or ran.stderr


def project_in(folder: Path) -> Path:
    """A project whose program has a folder of its own."""
    program = folder / "stacks"
    program.mkdir(parents=True)
    (folder / "Pulumi.yaml").touch()
    return program


@pytest.mark.parametrize("environment", [".venv", "venv", "tools/environment"])
def test_an_environment_in_the_project_is_named_from_the_programs_folder(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    program = project_in(tmp_path / "shop")
    installed_in(tmp_path / "shop" / environment, monkeypatch)

    search = search_folder(program, str(tmp_path / "shop"))

    assert search == f"../{environment}/bin"
    assert run_from(program, search) == f"found in {search}/heroku-changeover"


def test_an_environment_elsewhere_in_the_repository_is_named_from_there_too(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a workspace of uv, whose members share one."""
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    program = project_in(tmp_path / "repository" / "deploy" / "shop")
    installed_in(tmp_path / "repository" / ".venv", monkeypatch)

    search = search_folder(program, str(program.parent))

    assert search == "../../../.venv/bin"
    assert "found in" in run_from(program, search)


def test_an_environment_in_the_home_of_whoever_runs_it_is_named_from_home(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As poetry's, in its cache."""
    program = project_in(tmp_path / "shop")
    installed_in(home / ".cache" / "pypoetry" / "shop-py3.11", monkeypatch)

    search = search_folder(program, str(tmp_path / "shop"))

    assert search == "$HOME/.cache/pypoetry/shop-py3.11/bin"
    assert "found in" in run_from(program, search)


@pytest.mark.parametrize("variable", [None, "pulumi-home"])
def test_the_environment_of_a_plugin_is_named_from_pulumis_home_wherever_that_is(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    pulumi_home = tmp_path / variable if variable else home / ".pulumi"
    if variable:
        monkeypatch.setenv("PULUMI_HOME", str(pulumi_home))
    plugin = pulumi_home / "plugins" / "resource-heroku-postgres-v0.1.0"
    installed_in(plugin / "venv", monkeypatch)
    program = project_in(tmp_path / "shop")

    search = search_folder(program, str(program.parent))

    assert search.startswith("${PULUMI_HOME:-$HOME/.pulumi}/plugins/resource-heroku-postgres-v0.1.0/venv/bin")
    assert "found in" in run_from(program, search)


@pytest.mark.parametrize("home_name", [".pulumi", "home of $5"])
def test_a_plugin_that_was_replaced_by_a_newer_one_is_found_there(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home_name: str
) -> None:
    """The text of a guard is stored by the version that declared it first, and is used years later."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / home_name))
    plugins = tmp_path / home_name / "plugins"
    installed_in(plugins / "resource-git.example_shop-v0.9.0" / "plugin" / "venv", monkeypatch)
    search = search_folder(project_in(tmp_path / "shop"), None)
    shutil.rmtree(plugins)
    newer = installed_in(plugins / "resource-git.example_shop-v0.10.0" / "plugin" / "venv", monkeypatch)
    other = installed_in(plugins / "resource-git.example_shop-vans-v1.0.0" / "plugin" / "venv", monkeypatch)

    assert run_from(tmp_path, search) == f"found in {newer}"
    shutil.rmtree(newer.parent)
    assert "found in" not in run_from(tmp_path, search)
    assert other.is_file()


def test_an_environment_anywhere_else_is_named_in_full(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = project_in(tmp_path / "shop")
    installed_in(tmp_path / 'opt of $5 "and" `more`', monkeypatch)

    search = search_folder(program, str(tmp_path / "shop"))

    assert search.startswith(str(tmp_path))
    assert run_from(program, search) == f"found in {sys.prefix}/bin/heroku-changeover"


@pytest.mark.parametrize("value", [None, "", "/", "relative"])
def test_without_a_home_of_ones_own_the_place_is_named_in_full(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """As for a service, or for the nameless user of a container: the shell of a later step may have another."""
    monkeypatch.delenv("HOME") if value is None else monkeypatch.setenv("HOME", value)
    program = project_in(tmp_path / "shop")
    installed_in(tmp_path / "environment", monkeypatch)

    assert search_folder(program, str(program.parent)) == str(tmp_path / "environment" / "bin")


def test_a_home_under_version_control_is_not_taken_for_a_repository(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".git").mkdir()
    program = project_in(home / "work" / "shop")
    installed_in(home / ".cache" / "environment", monkeypatch)

    assert search_folder(program, str(program.parent)) == "$HOME/.cache/environment/bin"


def test_a_checkout_that_is_reached_by_a_link_has_the_text_of_any_other(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = project_in(tmp_path / "deep" / "down" / "shop")
    (tmp_path / "shop").symlink_to(tmp_path / "deep" / "down" / "shop")
    installed_in(tmp_path / "shop" / ".venv", monkeypatch)

    assert search_folder(program, str(tmp_path / "shop")) == "../.venv/bin"


@pytest.mark.parametrize("root", [None, "", "elsewhere"])
def test_where_steps_run_in_an_unknown_folder_the_place_is_named_in_full(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str | None
) -> None:
    """As in a program that a service runs inline, in whatever folder it was started."""
    program = project_in(tmp_path / "shop")
    installed_in(tmp_path / "shop" / ".venv", monkeypatch)

    search = search_folder(program, str(tmp_path / root) if root else root)

    assert search == str(tmp_path / "shop" / ".venv" / "bin")


def test_on_a_machine_without_that_folder_the_program_on_path_is_found(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = installed_in(tmp_path / "global", monkeypatch)
    monkeypatch.setenv("PATH", f"{other.parent}:/usr/bin:/bin")

    assert run_from(tmp_path, "../.venv/bin") == f"found in {other}"


def test_an_installation_outside_of_any_environment_is_found_on_path(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = installed_in(tmp_path / "global", monkeypatch)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "nothing"))
    monkeypatch.setattr("sysconfig.get_path", lambda *_: str(tmp_path / "nothing"))
    monkeypatch.setenv("PATH", f"{other.parent}:/usr/bin:/bin")

    assert search_folder(project_in(tmp_path / "shop"), "") == str(other.parent)


def test_a_program_that_is_nowhere_is_refused_with_what_installs_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda *_: str(tmp_path))

    with pytest.raises(BadInput, match="install the package heroku-postgres"):
        search_folder(tmp_path, "")


def test_windows_is_refused_with_where_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")

    with pytest.raises(BadInput, match="run Pulumi in WSL, on Linux or on macOS"):
        search_folder(tmp_path, "")


def test_the_text_is_the_same_in_every_checkout(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searches = set()
    for checkout in ("laptop", "runner"):
        program = project_in(tmp_path / checkout)
        installed_in(tmp_path / checkout / ".venv", monkeypatch)
        searches.add(search_folder(program, str(tmp_path / checkout)))

    assert searches == {f"..{os.sep}.venv{os.sep}bin"}
