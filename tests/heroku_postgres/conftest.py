"""A recorder of everything that a program registers, with what Pulumi's own mocks leave out."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks, rpc, settings

from heroku_changeover.terms.facts import Facts
from heroku_postgres import Database, DatabaseArgs, database, looking
from heroku_postgres.known import Known
from kit.heroku_world import app, facts, known, wish


@dataclass(slots=True)
class Registration:
    """One resource as it was asked for."""

    name: str
    type: str
    parent: str
    inputs: dict[str, Any]
    protect: bool
    import_id: str
    ignore_changes: list[str]
    depends_on: list[str]
    provider: str
    retain_on_delete: bool


class Nothing(mocks.Mocks):
    """Resources come to be as they were asked for; a Command prints its own name."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return f"{args.name}-id", {**args.inputs, "stdout": f'{{"report":{{}},"of":"{args.name}"}}', "stderr": ""}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


@dataclass
class Recorder:
    """What was registered, in order, and what was said."""

    registrations: list[Registration] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    news: threading.Condition = field(default_factory=threading.Condition)

    def __getitem__(self, name: str) -> Registration:
        return next(r for r in self.registrations if r.name == name)

    @property
    def names(self) -> list[str]:
        return [r.name for r in self.registrations]

    def wait_for(self, name: str) -> None:
        """Until a resource of that name is registered, from another thread than the program's."""
        with self.news:
            if not self.news.wait_for(lambda: name in self.names, timeout=30):
                raise AssertionError(f"{name} is not registered, only {self.names}")

    def keep(self, request: Any) -> None:
        with self.news:
            self.registrations.append(_registration(request))
            self.news.notify_all()


def _registration(request: Any) -> Registration:
    return Registration(
        name=request.name,
        type=request.type,
        parent=_last(request.parent),
        inputs=rpc.deserialize_properties(request.object),
        protect=request.protect,
        import_id=request.importId,
        ignore_changes=list(request.ignoreChanges),
        depends_on=[_last(urn) for urn in request.dependencies],
        provider=_last(request.provider.rpartition("::")[0]),
        retain_on_delete=request.retainOnDelete,
    )


def _last(urn: str) -> str:
    return urn.rpartition("::")[2]


class RecordingMonitor(mocks.MockMonitor):
    """Keeps each request before it is answered."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(Nothing())
        self.recorder = recorder

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        self.recorder.keep(request)
        return super().RegisterResource(request)  # type: ignore[no-untyped-call] # as the library has it

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        self.recorder.outputs[_last(request.urn)] = rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call] # as the library has it


class Consumer(pulumi.CustomResource):
    """A resource of the user's own."""

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("own:index:Consumer", name, props, opts)


def _reading(knowing: Known | None, seen: Facts | Callable[[], Facts], args: dict[str, Any]) -> Any:
    """Of a stack that has all that is there, unless a test says what it knows."""
    facts = BEFORE_ANY if callable(seen) else seen
    wanted = wish(plan=str(args.get("plan")), adopt=args.get("adopt"))

    def read(*_: Any) -> Known:
        return known(wanted, facts) if knowing is None else knowing

    return read


BEFORE_ANY = facts(app())

Declare = Callable[..., Recorder]
Options = Callable[[], pulumi.ResourceOptions] | None


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Declare]:
    """Declares a Database named `db` for given facts and returns what was registered when all is quiet."""

    def run(
        seen: Facts | Callable[[], Facts],
        folder: Path | None = None,
        opts: Options = None,
        recorder: Recorder | None = None,
        consumer: bool = False,
        reads: str = "",
        knowing: Known | None = None,
        **args: Any,
    ) -> Recorder:
        recorder = recorder or Recorder()
        monkeypatch.setattr(looking, "look", lambda _apps, **_likely: seen() if callable(seen) else seen)
        monkeypatch.setattr(database, "read_known", _reading(knowing, seen, args))
        monkeypatch.setattr(pulumi, "warn", lambda message, *_: recorder.said.append(message))
        monkeypatch.setattr(pulumi, "info", lambda message, *_: recorder.said.append(message))
        monkeypatch.setattr("heroku_postgres.database.STARTED_IN", folder or Path(os.sep))
        mocks.set_mocks(Nothing(), project="shop", stack="test", monitor=RecordingMonitor(recorder))

        @pulumi.runtime.test  # type: ignore[untyped-decorator] # as the library has it
        def program() -> None:
            made = Database("db", DatabaseArgs(app="shop", **args), opts() if opts else None)  # type: ignore[typeddict-item] # tests leave things out
            if consumer:
                Consumer("consumer", {}, pulumi.ResourceOptions(depends_on=[made]))
            if reads:
                Consumer("reader", {"of": getattr(made, reads)})

        program()
        return recorder

    yield run
    settings.reset_options()
