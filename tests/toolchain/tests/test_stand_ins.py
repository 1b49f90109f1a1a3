"""What only the stand-in plugins do: they say so where they cannot help."""

import pytest

from toolchain import Toolchain
from toolchain.tests.conftest import NewBench

pytestmark = pytest.mark.toolchain


@pytest.mark.parametrize(
    ("type_", "program", "released"),
    [
        (
            "heroku:app/app:App",
            "import pulumiverse_heroku as h; h.app.App('a', name='a', region='us')",
            "pulumiverse heroku",
        ),
        (
            "command:remote:Command",
            "from pulumi_command import remote; remote.Command('a', connection={'host': '127.0.0.1'}, create='true')",
            "pulumi-command",
        ),
    ],
)
def test_an_unknown_type_is_refused_with_the_released_plugin_to_use(
    new_bench: NewBench, toolchain: Toolchain, type_: str, program: str, released: str
) -> None:
    if toolchain.origin != "built":
        pytest.skip(f"the plugins are {toolchain.origin}, so they may be the released ones")
    bench = new_bench({})
    bench.program(program)

    preview = bench.stack.pulumi("preview")

    said = preview.stdout + preview.stderr
    assert preview.code != 0
    assert f"for {type_} the released plugin of {released}" in said
    assert "PULUMI_TOOLCHAIN" in said
