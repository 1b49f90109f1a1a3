"""A host of git repositories, as far as a client can tell: names of the internet, git over https, all on loopback."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LIMIT = 60.0
PIECE = 65_536
BACKEND = ("git", "http-backend")


class NoTool(Exception):
    """A program that is needed is not on this machine; the text says which."""


@dataclass(frozen=True)
class CodeHost:
    """
    Serves the repositories below `folder`, each as `<folder>/<owner>/<repository>.git`.

    Clients ask it under the names that it was started with: `environment` leads them through a proxy that knows only
    this host and lets them trust its certificate. A name alone rather than an address with a port, because the engine
    keeps what it downloads in a folder of that name, and Python makes no environment in a folder with a colon.
    """

    folder: Path
    environment: dict[str, str]

    def publish(self, source: Path, path: str, tag: str) -> None:
        """A commit of all that is in a folder, with a tag, in the repository of that path."""
        bare = self.folder / f"{path}.git"
        author = ("-c", "user.name=somebody", "-c", "user.email=somebody@shop.example")
        run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        run("git", "init", "--quiet", "--initial-branch=main", cwd=source)
        run("git", "add", "--all", cwd=source)
        run("git", *author, "commit", "--quiet", f"--message={tag}", cwd=source)
        run("git", "tag", tag, cwd=source)
        run("git", "push", "--quiet", str(bare), "main", tag, cwd=source)


def run(*words: str, cwd: Path | None = None) -> None:
    """Run a program that has to succeed, whatever the user's own git is set to. Raises NoTool, CalledProcessError."""
    if not shutil.which(words[0]):
        raise NoTool(f"{words[0]} is not on PATH; install it, then run this again")
    subprocess.run(words, cwd=cwd, env=_own_settings(), check=True, capture_output=True, timeout=LIMIT)


def _own_settings() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


@contextmanager
def code_host(folder: Path, *names: str) -> Iterator[CodeHost]:
    """Serves under these names until the block ends."""
    repositories, certificate, key = folder / "repositories", folder / "certificate.pem", folder / "key.pem"
    repositories.mkdir(parents=True)
    _make_certificate(certificate, key, names)
    with ExitStack() as stack:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        https = stack.enter_context(_serving(partial(_Git, repositories)))
        https.socket = tls.wrap_socket(https.socket, server_side=True, do_handshake_on_connect=False)
        proxy = stack.enter_context(_serving(partial(_Proxy, https.server_port, names)))
        yield CodeHost(repositories, _environment(proxy.server_port, _trusted_with(certificate)))


def _environment(port: int, trusted: Path) -> dict[str, str]:
    """
    Go reads the names in capitals first and Python those in small letters, so the engine asks this host, and pip, which
    the engine starts, whatever it asked before.
    """
    ambient = os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY") or ""
    return {"HTTPS_PROXY": f"http://127.0.0.1:{port}", "https_proxy": ambient, "SSL_CERT_FILE": str(trusted)}


def _make_certificate(certificate: Path, key: Path, names: tuple[str, ...]) -> None:
    words = ("openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj", "/CN=tests")
    also = ("-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
    run(*words, *also, "-out", str(certificate), "-keyout", str(key))


def _trusted_with(certificate: Path) -> Path:
    """Whatever this machine trusts, which pip needs, and this certificate."""
    ambient = ssl.get_default_verify_paths().cafile
    also = Path(ambient).read_text() if ambient else ""
    trusted = certificate.with_name("trusted.pem")
    trusted.write_text(f"{also}\n{certificate.read_text()}")
    return trusted


@contextmanager
def _serving(handler: Any) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Quiet(BaseHTTPRequestHandler):
    timeout = LIMIT

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Says nothing: a failing test shows what the engine said."""


class _Proxy(_Quiet):
    """Leads a client that asks for one of the names to the host's port, and refuses all else."""

    def __init__(self, port: int, names: tuple[str, ...], *args: Any) -> None:
        self.port, self.names = port, names
        super().__init__(*args)

    def do_CONNECT(self) -> None:
        if self.path not in {f"{name}:443" for name in self.names}:
            self.send_error(403, f"this proxy knows no {self.path}")
            return
        with socket.create_connection(("127.0.0.1", self.port), LIMIT) as host:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_pour, args=(host, self.connection), daemon=True)
            back.start()
            _pour(self.connection, host)
            back.join(LIMIT)
        self.close_connection = True


def _pour(source: socket.socket, into: socket.socket) -> None:
    """Everything that one side says, until it says that there is no more."""
    try:
        while piece := source.recv(PIECE):
            into.sendall(piece)
        into.shutdown(socket.SHUT_WR)
    except OSError:
        return  # a side that is gone ends the talk, as it does on the internet


class _Git(_Quiet):
    """Git's own server of smart http, called as the CGI program that it is."""

    def __init__(self, repositories: Path, *args: Any) -> None:
        self.repositories = repositories
        super().__init__(*args)

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self._body())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = b""
        while length := int(self.rfile.readline(), 16):
            pieces += self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()
        return pieces

    def _answer(self, body: bytes) -> None:
        ran = subprocess.run(
            BACKEND, input=body, env=self._variables(body), check=True, capture_output=True, timeout=LIMIT
        )
        head, _, content = ran.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _variables(self, body: bytes) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        return {
            **_own_settings(),
            "GIT_PROJECT_ROOT": str(self.repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
