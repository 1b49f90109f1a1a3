"""What the stand-in for Python's language host has in common with the released one, on the real engine."""

import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest

from toolchain import Stack, Toolchain

pytestmark = pytest.mark.toolchain

SAYS_WHERE = """\
import os, sys
import pulumi
from pulumi.runtime.settings import get_root_directory

pulumi.export("prefix", sys.prefix)
pulumi.export("executable", sys.executable)
pulumi.export("activated", os.environ.get("VIRTUAL_ENV", ""))
pulumi.export("root", get_root_directory())
pulumi.export("folder", os.getcwd())
"""


def virtualenv(folder: Path) -> Path:
    """Make one that has what this Python has, without a registry."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "same.pth").write_text(sysconfig.get_path("purelib"))
    return folder


def project(folder: Path, options: dict[str, str], program: str = SAYS_WHERE, **more: object) -> Path:
    """Make a project in Python."""
    about = {"name": "said", "runtime": {"name": "python", "options": options}, **more}
    main = folder / str(more.get("main", ""))
    main.mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text(json.dumps(about))
    (main / "__main__.py").write_text(program)
    return folder


def stack_of(toolchain: Toolchain, project: Path, **environment: str) -> Stack:
    """Make a stack of a project beside it."""
    parent = project.parent
    stack = Stack(toolchain, project, parent / "home", parent / "state", environment)
    stack.create()
    return stack


def outputs(stack: Stack) -> dict[str, Any]:
    """Update and return what the program says."""
    stack.pulumi("up", "--yes", "--skip-preview", check=True)
    return stack.outputs()


@pytest.mark.parametrize("where", [".venv", "../x"])
def test_a_program_runs_in_the_environment_that_its_project_names_relative_to_itself(
    toolchain: Toolchain, tmp_path: Path, where: str
) -> None:
    folder = project(tmp_path / "project", {"toolchain": "pip", "virtualenv": where})
    made = virtualenv((folder / where).resolve())

    said = outputs(stack_of(toolchain, folder))

    assert said["prefix"] == said["activated"] == str(made)
    assert said["executable"] == str(made / "bin" / "python")


def test_a_program_is_told_where_its_project_is_although_it_runs_elsewhere(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    folder = project(tmp_path / "project", {"virtualenv": sys.prefix}, main="stacks/")

    said = outputs(stack_of(toolchain, folder))

    assert said["root"] == str(folder)
    assert said["folder"] == str(folder / "stacks")


def test_an_environment_that_is_not_there_yet_is_made_before_a_program_runs(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    folder = project(tmp_path / "project", {"toolchain": "pip", "virtualenv": "venv"}, "")
    stack = stack_of(toolchain, folder, **only_from(tmp_path / "wheels"))

    preview = stack.pulumi("preview")

    assert (folder / "venv" / "bin" / "python").exists()
    assert "It looks like the Pulumi SDK has not been installed" in str(preview)


def test_pulumi_install_makes_the_environment_with_what_the_requirements_name(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    folder = project(tmp_path / "project", {"toolchain": "pip", "virtualenv": "venv"}, "")
    wheel(tmp_path / "wheels", "greeting", {"greeting.py": ""})
    (folder / "requirements.txt").write_text("greeting\n")
    stack = stack_of(toolchain, folder, **only_from(tmp_path / "wheels"))

    stack.pulumi("install", check=True)

    subprocess.run([folder / "venv" / "bin" / "python", "-c", "import greeting"], check=True, timeout=60)


def only_from(folder: Path) -> dict[str, str]:
    """Return what keeps pip to a folder of wheels; there are those that every new environment gets."""
    for name in ("pip", "setuptools", "wheel"):
        wheel(folder, name, {})
    no_isolation = {"PIP_NO_BUILD_ISOLATION": "0"}  # pip reads it the other way round
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "UV_OFFLINE": "1", **no_isolation}


def wheel(folder: Path, name: str, files: dict[str, str]) -> None:
    """Make a package with these files that can be installed; it is older than every real one."""
    folder.mkdir(exist_ok=True)
    about = f"{name}-0.0.1.dist-info"
    content = {
        **files,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0.1\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    content[f"{about}/RECORD"] = "".join(f"{file},,\n" for file in [*content, f"{about}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-0.0.1-py3-none-any.whl", "w") as archive:
        for file, text in content.items():
            archive.writestr(file, text)


COMPONENT = """\
from typing import TypedDict

import pulumi


class GreetingArgs(TypedDict):
    whom: pulumi.Input[str]


class Greeting(pulumi.ComponentResource):
    text: pulumi.Output[str]

    def __init__(self, name: str, args: GreetingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tiny:index:Greeting", name, dict(args), opts)
        self.text = pulumi.Output.concat("hello, ", args["whom"])
        self.register_outputs({"text": self.text})
"""
MAIN = """\
from greeting import Greeting
from pulumi.provider.experimental import component_provider_host

component_provider_host(name="tiny", components=[Greeting])
"""
PACKAGE = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "greeting"
version = "1"

[tool.setuptools]
py-modules = ["greeting"]
"""


def plugin(folder: Path) -> Path:
    """Make a plugin that is a folder of Python with one component."""
    folder.mkdir()
    about = {"runtime": {"name": "python", "options": {"virtualenv": str(virtualenv(folder / "venv"))}}}
    (folder / "PulumiPlugin.yaml").write_text(json.dumps(about))
    (folder / "__main__.py").write_text(MAIN)
    (folder / "greeting.py").write_text(COMPONENT)
    return folder


def test_a_program_in_yaml_uses_a_component_of_a_plugin_that_is_a_folder_of_python(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    plugin(tmp_path / "plugin")
    folder = tmp_path / "project"
    folder.mkdir()
    resources = {"it": {"type": "tiny:Greeting", "properties": {"whom": "Ada"}}}
    about = {"name": "said", "runtime": "yaml", "resources": resources, "outputs": {"text": "${it.text}"}}
    (folder / "Pulumi.yaml").write_text(json.dumps(about))
    stack = stack_of(toolchain, folder, **only_from(tmp_path / "wheels"))

    stack.pulumi("package", "add", "../plugin", check=True)

    assert outputs(stack) == {"text": "hello, Ada"}


def test_a_program_in_python_uses_it_through_the_sdk_that_package_add_makes_and_links(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    plugin(tmp_path / "plugin")
    program = 'import pulumi, pulumi_tiny\npulumi.export("text", pulumi_tiny.Greeting("it", whom="Ada").text)\n'
    folder = project(tmp_path / "project", {"toolchain": "pip", "virtualenv": "venv"}, program)
    virtualenv(folder / "venv")
    (folder / "requirements.txt").write_text("")
    stack = stack_of(toolchain, folder, **only_from(tmp_path / "wheels"))

    added = stack.pulumi("package", "add", "../plugin", check=True)

    assert "import pulumi_tiny" in added.stdout
    assert (folder / "requirements.txt").read_text().strip() == "sdks/tiny"
    assert outputs(stack) == {"text": "hello, Ada"}


def test_a_plugin_without_a_main_is_a_package_whose_components_are_found(toolchain: Toolchain, tmp_path: Path) -> None:
    folder = plugin(tmp_path / "plugin")
    (folder / "__main__.py").unlink()
    (folder / "pyproject.toml").write_text(PACKAGE)
    a_project = project(tmp_path / "project", {"virtualenv": sys.prefix}, "")
    stack = stack_of(toolchain, a_project, **only_from(tmp_path / "wheels"))

    schema = stack.pulumi("package", "get-schema", "../plugin", check=True)

    assert "greeting:index:Greeting" in json.loads(schema.stdout)["resources"]


def uv_on(folder: Path) -> str:
    """Return a PATH that has uv, and not the python beside it, in front."""
    folder.mkdir()
    (folder / "uv").symlink_to(Path(sys.prefix, "bin", "uv"))
    return str(folder)


@pytest.mark.parametrize("options", [{"toolchain": "uv"}, {}], ids=["named", "found by its lock file"])
def test_a_program_of_a_uv_project_runs_in_the_environment_that_uv_made(
    toolchain: Toolchain, tmp_path: Path, options: dict[str, str]
) -> None:
    folder = project(tmp_path / "project", options)
    (folder / "pyproject.toml").write_text("[project]\nname = 'said'\nversion = '1'\nrequires-python = '>=3.11'\n")
    made = virtualenv(folder / ".venv")
    path = f"{uv_on(tmp_path / 'bin')}:{toolchain.environment()['PATH']}"
    stack = stack_of(toolchain, folder, PATH=path, UV_PYTHON=sys.executable, **only_from(tmp_path / "wheels"))
    subprocess.run([Path(sys.prefix, "bin", "uv"), "lock", "--offline"], cwd=folder, check=True, timeout=60)

    said = outputs(stack)

    assert said["prefix"] == said["activated"] == str(made)


def test_a_poetry_project_is_run_with_poetry(toolchain: Toolchain, tmp_path: Path) -> None:
    made = virtualenv(tmp_path / "of-poetry")
    poetry = tmp_path / "bin" / "poetry"
    poetry.parent.mkdir()
    poetry.write_text(f"""#!/bin/sh
case "$*" in --version*) echo "Poetry (version 2.1.0)" ;; "env info --path") echo {made} ;; *) exit 1 ;; esac
""")
    poetry.chmod(0o755)
    path = f"{poetry.parent}:{toolchain.folder}:/usr/bin:/bin"
    folder = project(tmp_path / "project", {"toolchain": "poetry"})
    (folder / "poetry.lock").write_text("package = []\n")

    said = outputs(stack_of(toolchain, folder, PATH=path))

    assert said["prefix"] == said["activated"] == str(made)


def test_an_option_that_is_not_known_is_named(toolchain: Toolchain, tmp_path: Path) -> None:
    stack = stack_of(toolchain, project(tmp_path / "project", {"toolchain": "conda"}))

    assert "unsupported toolchain option: conda" in str(stack.pulumi("preview"))
