"""The plugin as the engine starts it: a process that is spoken to over gRPC, and that says what it wants to declare."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime import rpc
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

PLUGIN = (str(Path(sys.executable).with_name("pulumi-resource-heroku-postgres")),)
DATABASE_TYPE = "heroku-postgres:index:Database"
FEATURES = (resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS, resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES)
LONGEST_ANSWER = 60.0


class Engine(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """Takes every resource as it is asked for; remembers their names, and what a user would read."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.said: list[str] = []

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the call
        return resource_pb2.DeploymentInfo(supportedFeatures=FEATURES)

    def RegisterPackage(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the call
        return resource_pb2.RegisterPackageResponse(ref=request.name)

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the call
        self.names.append(request.name)
        urn = f"urn:pulumi:test::shop::{request.type}::{request.name}"
        return resource_pb2.RegisterResourceResponse(urn=urn, id=f"{request.name}-id", object=request.object)

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the call
        """What the state of a stack has that was never updated."""
        answer = provider_pb2.InvokeResponse()
        getattr(answer, "return").update({"outputs": {}})
        return answer

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the call
        return Empty()

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the call
        if request.severity != engine_pb2.DEBUG:
            self.said.append(request.message)
        return Empty()


@dataclass
class Plugin:
    """A plugin that runs, and the engine that it speaks to."""

    address: str
    engine: Engine
    channel: Any
    errors: IO[str] = field(repr=False)

    def construct(self, inputs: Mapping[str, Any], name: str = "db", preview: bool = True) -> dict[str, Any]:
        """
        The outputs of a database that a program asks for.

        Raises:
            grpc.RpcError: its `details()` are what the engine shows to the user.
        """
        request = provider_pb2.ConstructRequest(
            type=DATABASE_TYPE, name=name, project="shop", stack="test", dryRun=preview, monitorEndpoint=self.address
        )
        request.inputs.update(inputs)
        answer = provider_pb2_grpc.ResourceProviderStub(self.channel).Construct(request, timeout=LONGEST_ANSWER)
        return dict(rpc.deserialize_properties(answer.state))

    def schema(self) -> str:
        """The schema as the engine gets it."""
        request = provider_pb2.GetSchemaRequest()
        answer = provider_pb2_grpc.ResourceProviderStub(self.channel).GetSchema(request, timeout=LONGEST_ANSWER)
        return str(answer.schema)

    def refusal(self, inputs: Mapping[str, Any], preview: bool = True) -> str:
        """What a user reads who asks for a database that is refused."""
        try:
            outputs = self.construct(inputs, preview=preview)
        except grpc.RpcError as error:
            return str(error.details())
        raise AssertionError(f"it was not refused: {outputs}")

    def printed(self) -> str:
        """What it wrote on its standard error, which the engine shows as well."""
        self.errors.seek(0)
        return self.errors.read()


@contextmanager
def hosted(environ: Mapping[str, str], command: Sequence[str] = PLUGIN, folder: Path | None = None) -> Iterator[Plugin]:
    """Runs the plugin and the engine that it speaks to; both end with the block."""
    with ExitStack() as stack:
        engine, server = Engine(), grpc.server(stack.enter_context(ThreadPoolExecutor(8)))
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(engine, server)
        engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
        address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        stack.callback(lambda: server.stop(None).wait())
        errors = stack.enter_context(tempfile.TemporaryFile("w+"))
        port = stack.enter_context(_started([*command, address], environ, folder, errors))
        channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}"))
        yield Plugin(address, engine, channel, errors)


@contextmanager
def _started(command: Sequence[str], environ: Mapping[str, str], folder: Path | None, errors: IO[str]) -> Iterator[int]:
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder, env={**os.environ, **environ}
    ) as process:
        try:
            port = process.stdout.readline() if process.stdout else ""
            if not port:
                errors.seek(0)
                raise AssertionError(f"the plugin did not start:\n{errors.read()}")
            yield int(port)
        finally:
            process.kill()
