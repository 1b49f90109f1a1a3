"""What the stand-in for the language host of Node.js has in common with the released one, on the real engine."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from toolchain import Stack, Toolchain, Unavailable, node
from toolchain.tests.test_python_host import only_from, outputs, plugin, stack_of

pytestmark = pytest.mark.toolchain

PROGRAM = """\
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const stash = new pulumi.Stash("stash", { input: config.require("kept") });
export const kept: pulumi.Output<any> = stash.output;
export const secret = config.requireSecret("hidden");
"""
USES_COMPONENT = """\
import * as tiny from "@pulumi/tiny";

export const text = new tiny.Greeting("it", { whom: "Ada" }).text;
"""


@pytest.fixture(scope="session")
def packages() -> Path:
    """Return a folder with what a program in TypeScript needs."""
    try:
        return node.folder(print)
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def project(toolchain: Toolchain, packages: Path, tmp_path: Path) -> Stack:
    """Return a stack of an empty project in TypeScript, without any package installed."""
    if not (toolchain.folder / "pulumi-language-nodejs").exists():
        pytest.skip(f"the {toolchain.origin} toolchain has no language host of Node.js")
    folder = tmp_path / "project"
    folder.mkdir()
    config = {key: {"type": "string", "default": key} for key in ("kept", "hidden")}
    (folder / "Pulumi.yaml").write_text(json.dumps({"name": "said", "runtime": "nodejs", "config": config}))
    (folder / "package.json").write_text('{"name": "said", "main": "index.ts"}')
    return stack_of(toolchain, folder, **only_from(tmp_path / "wheels"), npm_config_offline="true")


def install(stack: Stack, packages: Path) -> Path:
    """Put into a project what npm would, and return where packages of Pulumi's lie."""
    modules = stack.project / "node_modules"
    (modules / "@pulumi").mkdir(parents=True)
    for source in (packages / "node_modules").iterdir():
        if source.name != "@pulumi":
            (modules / source.name).symlink_to(source)
    (modules / "@pulumi" / "pulumi").symlink_to(packages / "node_modules" / "@pulumi" / "pulumi")
    return modules / "@pulumi"


def test_a_program_in_typescript_gets_its_config_and_keeps_what_it_makes(project: Stack, packages: Path) -> None:
    install(project, packages)
    (project.project / "index.ts").write_text(PROGRAM)

    assert outputs(project) == {"kept": "kept", "secret": "hidden"}
    assert project.pulumi("preview", "--expect-no-changes").code == 0


def test_a_program_that_does_not_compile_fails_with_what_the_compiler_says(project: Stack, packages: Path) -> None:
    install(project, packages)
    (project.project / "index.ts").write_text('const one: number = "two";\n')

    preview = project.pulumi("preview")

    assert preview.code != 0
    assert "Type 'string' is not assignable to type 'number'" in str(preview)


def test_a_program_without_an_sdk_is_told_to_install_it(project: Stack) -> None:
    (project.project / "index.ts").write_text(PROGRAM)

    preview = project.pulumi("preview")

    assert preview.code != 0
    assert "Have you run pulumi install?" in str(preview)


def test_the_sdk_made_for_typescript_compiles_and_a_program_runs_with_it(
    project: Stack, packages: Path, tmp_path: Path
) -> None:
    plugin(tmp_path / "plugin")
    project.pulumi("package", "gen-sdk", "../plugin", "--language", "nodejs", "--out", "sdk", check=True)
    sdk = project.project / "sdk" / "nodejs"
    pulumis = install(project, packages)
    compiler = packages / "node_modules" / "typescript" / "bin" / "tsc"

    compiled = subprocess.run(["node", compiler], cwd=sdk, capture_output=True, text=True, timeout=100, check=False)
    shutil.copy(sdk / "package.json", sdk / "bin")
    (pulumis / "tiny").symlink_to(sdk)
    (project.project / "index.ts").write_text(USES_COMPONENT)
    about = {"name": "said", "runtime": "nodejs", "packages": {"tiny": "../plugin"}}
    (project.project / "Pulumi.yaml").write_text(json.dumps(about))

    assert compiled.returncode == 0, compiled.stdout
    assert outputs(project) == {"text": "hello, Ada"}
