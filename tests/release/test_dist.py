"""What a release is made of: built from a copy of the checkout, installed where nothing of the project is."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from kit.checkout import ROOT, copy_to
from kit.hosted_plugin import hosted

OFFLINE = {**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
VERSION = version("heroku-postgres")
WHEEL, SDIST = f"heroku_postgres-{VERSION}-py3-none-any.whl", f"heroku_postgres-{VERSION}.tar.gz"


def done(*command: str | Path, folder: Path) -> str:
    """What a command printed that has to succeed."""
    environ = {name: value for name, value in OFFLINE.items() if name != "PYTHONPATH"}
    ended = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make dist` fills, without an index."""
    folder = tmp_path_factory.mktemp("checkout")
    copy_to(folder)
    done("make", "dist", f"VENV={sys.prefix}", f"--old-file={sys.prefix}/.ready", folder=folder)
    return folder / "dist"


def new_environment(folder: Path) -> Path:
    """An interpreter that has what the package depends on, and not the package."""
    done(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder.parent)
    ours = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    Path(ours, "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "python"


def install(python: Path, *what: str | Path, folder: Path) -> None:
    done(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        *what,
        folder=folder,
    )


def package_files() -> set[str]:
    """Every file of the two packages, as it is imported."""
    top = ROOT / "components"
    files = {path.relative_to(top).as_posix() for path in top.rglob("*.py")}
    return files | {"heroku_postgres/py.typed", "heroku_changeover/py.typed"}


def test_both_have_the_package_with_its_types_and_its_license(dist: Path) -> None:
    with zipfile.ZipFile(dist / WHEEL) as wheel:
        in_wheel = set(wheel.namelist())
    with tarfile.open(dist / SDIST) as sdist:
        in_sdist = {name.partition("/")[2] for name in sdist.getnames()}

    assert {path.name for path in dist.iterdir()} == {WHEEL, SDIST}
    assert package_files() <= in_wheel
    assert {f"components/{name}" for name in package_files()} <= in_sdist
    assert f"heroku_postgres-{VERSION}.dist-info/licenses/LICENSE" in in_wheel
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"} <= in_sdist
    assert {f"plugin/{name}" for name in ("PulumiPlugin.yaml", "requirements.txt", "__main__.py")} <= in_sdist


def test_the_wheel_has_nothing_but_the_package_and_the_readme_as_its_description(dist: Path) -> None:
    with zipfile.ZipFile(dist / WHEEL) as wheel:
        folders = {name.split("/")[0] for name in wheel.namelist()}
        described = wheel.read(f"heroku_postgres-{VERSION}.dist-info/METADATA").decode()

    assert folders == {"heroku_postgres", "heroku_changeover", f"heroku_postgres-{VERSION}.dist-info"}
    assert (ROOT / "README.md").read_text().strip() in described


def test_the_wheel_works_where_it_is_installed(dist: Path, tmp_path: Path) -> None:
    python = new_environment(tmp_path / "venv")
    install(python, dist / WHEEL, folder=tmp_path)

    where = done(
        python,
        "-c",
        "import heroku_postgres; from heroku_postgres import Database, DatabaseArgs; print(heroku_postgres.__file__)",
        folder=tmp_path,
    )
    usage = done(python.with_name("heroku-changeover"), "--help", folder=tmp_path)
    with hosted({}, (str(python.with_name("pulumi-resource-heroku-postgres")),), tmp_path) as plugin:
        schema = json.loads(plugin.schema())

    assert Path(where.strip()).is_relative_to(tmp_path / "venv")
    assert "usage: " in usage
    assert schema["version"] == VERSION


def test_the_plugin_runs_from_the_source_as_the_engine_installs_it(dist: Path, tmp_path: Path) -> None:
    """The engine gives pip the list in the folder `plugin`, from within it, then runs the folder."""
    with tarfile.open(dist / SDIST) as sdist:
        sdist.extractall(tmp_path, filter="data")
    folder = tmp_path / SDIST.removesuffix(".tar.gz") / "plugin"
    python = new_environment(tmp_path / "venv")
    install(python, "-r", "requirements.txt", folder=folder)

    with hosted({}, (str(python), str(folder)), tmp_path) as plugin:
        schema = json.loads(plugin.schema())
        printed = plugin.printed()

    assert list(schema["resources"]) == ["heroku-postgres:index:Database"]
    assert schema["version"] == VERSION
    assert printed == ""
