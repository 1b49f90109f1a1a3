"""What an engine that is killed leaves of its state."""

from pathlib import Path

import pytest

from toolchain import Toolchain
from toolchain.tests.bench import Bench

pytestmark = pytest.mark.toolchain


def test_all_that_is_kept_of_a_stack_is_files_that_are_replaced_whole(toolchain: Toolchain, tmp_path: Path) -> None:
    bench = Bench(toolchain, tmp_path)
    bench.program("")

    assert bench.stack.pulumi("up", "--yes", "--skip-preview").code == 0
    assert list(bench.stack.backend.rglob("*.json"))
    assert not list(bench.stack.backend.rglob("*.attrs"))
