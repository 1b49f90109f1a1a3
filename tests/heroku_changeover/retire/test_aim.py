"""What a command line of the engine aims at."""

import shlex

import pytest

from heroku_changeover.retire.aim import is_aimed, is_update
from heroku_changeover.terms.command import teardown_text
from heroku_changeover.terms.order import STEPS

TYPES = "heroku-postgres:index:Database$heroku-postgres:index:Generation"
URN = f"urn:pulumi:production::shop::{TYPES}::db-1"
AIMED = [
    f"pulumi destroy --target {URN}",
    f"pulumi destroy --yes --target={URN} --skip-preview",
    "pulumi down -t **::db-1",
    "pulumi dn -t=**::db-1**",
    "pulumi destroy -t**db-1",
    "pulumi -C stacks --non-interactive destroy --target **::db-1-database",
    "pulumi destroy --target **::other --target **::db-1-retire-guard",
    f"pulumi destroy --target 'urn:pulumi:*::*::{TYPES}$command:local:Command::db-1-restore'",
    "/opt/bin/pulumi destroy --target urn:pulumi:old-name::shop::**::db-1",
    teardown_text(URN, STEPS, "shop-db-1"),
]
NOT_AIMED = [
    "",
    "pulumi",
    "pulumi destroy",
    "pulumi destroy --exclude-protected --continue-on-error",
    "pulumi destroy --target **",
    "pulumi destroy --target",
    "pulumi destroy --target **::db-10",
    "pulumi destroy --target **::my-db-1",
    "pulumi destroy --target **::db-1-own",
    "pulumi destroy --target **::db",
    "pulumi destroy --exclude **::db-1",
    "pulumi destroy --message --target=**::db-1",
    "pulumi destroy -- --target **::db-1",
    "pulumi up --target **::db-1",
    "pulumi -s destroy up --target **::db-1",
    f"pulumi destroy --target 'urn:pulumi:*::*::own:index:Team${TYPES}::db-1'",
]


@pytest.mark.parametrize("line", AIMED)
def test_a_destroy_with_a_target_that_names_a_generation_is_aimed_at_it(line: str) -> None:
    assert is_aimed(shlex.split(line), URN)


@pytest.mark.parametrize("line", NOT_AIMED)
def test_whatever_else_is_run_is_aimed_at_nothing(line: str) -> None:
    assert not is_aimed(shlex.split(line), URN)


def test_without_a_urn_nothing_is_aimed_at() -> None:
    assert not is_aimed(("pulumi", "destroy", "--target", "**::db-1"), "")


@pytest.mark.parametrize("line", ["pulumi up", "pulumi update --yes", "pulumi --cwd destroy up"])
def test_an_update_is_told_from_a_destroy(line: str) -> None:
    assert is_update(shlex.split(line))
