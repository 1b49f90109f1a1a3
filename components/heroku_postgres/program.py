"""
Where the program of the steps is, as the text of a command says it.

The text is stored in the stack: it has to find the program in this run, wherever the package was installed, and years
later, for a teardown, on another machine. So it names a place that every checkout and every home has in the same way,
where there is one, and goes on with the PATH of the machine that it runs on.
"""

import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from heroku_changeover.terms.command import PROGRAM
from heroku_changeover.terms.errors import BadInput

PULUMI_HOME = "${PULUMI_HOME:-$HOME/.pulumi}"


def search_folder(folder: Path, root: str | None) -> str:
    """
    The folder that holds the program, written for the inside of double quotes in a shell text.

    `folder` is where the engine runs commands, `root` the folder of Pulumi.yaml. The answer is relative to `folder` for
    a program in the same project or repository, begins with `$HOME` or Pulumi's own home for one that lies there, and
    is absolute elsewhere. Nothing is relative to a `folder` outside `root`: a program that a service runs inline has
    such a one.

    Raises:
        BadInput: the program is nowhere to be found, or this is Windows, so no step could be started.
    """
    if sys.platform == "win32":
        raise BadInput("steps need a POSIX shell, which Windows does not have: run Pulumi in WSL, on Linux or on macOS")
    place = _found()
    return _from_the_checkout(place, folder.absolute(), root) or _from_a_home(place) or _quoted(str(place))


def _found() -> Path:
    """Beside the interpreter that declares, so that both are of one version; else wherever PATH has it."""
    for place in _places():
        if shutil.which(PROGRAM, path=str(place)):
            return place.absolute()
    if on_path := shutil.which(PROGRAM):
        return Path(on_path).absolute().parent
    raise BadInput(
        f"the program {PROGRAM}, which carries out the steps, is neither beside {sys.executable} nor on PATH: install "
        "the package heroku-postgres with pip, uv or poetry, which put it there"
    )


def _places() -> Iterator[Path]:
    yield Path(sys.prefix, "bin")
    yield Path(sysconfig.get_path("scripts"))
    yield Path(sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user")))


def _from_the_checkout(place: Path, folder: Path, root: str | None) -> str:
    """Links are followed at both ends, so that a checkout that is reached by one has the same text as any other."""
    if not root or not folder.resolve().is_relative_to(Path(root).resolve()):
        return ""
    checkout = _checkout(Path(root).absolute())
    if not place.is_relative_to(checkout):
        return ""
    return _quoted(str(Path(os.path.relpath(checkout.resolve(), folder.resolve()), place.relative_to(checkout))))


def _checkout(root: Path) -> Path:
    """
    The repository that a project lies in, because what is in it lies alike on every machine; else the project itself.

    A whole home under version control does not count: what lies in it beside the project differs.
    """
    above = [folder for folder in (root, *root.parents) if not Path(_home() or os.devnull).is_relative_to(folder)]
    return next((folder for folder in above if (folder / ".git").exists()), root)


def _from_a_home(place: Path) -> str:
    """In variables that the shell of a step has as well."""
    home = _home()
    pulumi_home = os.environ.get("PULUMI_HOME") or (home and f"{home}/.pulumi")
    if pulumi_home and place.is_relative_to(pulumi_home):
        inside = place.relative_to(pulumi_home)
        return f"{PULUMI_HOME}/{_quoted(str(inside))}{_other_versions(inside)}"
    if home and place.is_relative_to(home):
        return f"$HOME/{_quoted(str(place.relative_to(home)))}"
    return ""


def _other_versions(inside: Path) -> str:
    """
    The same folder of every other version of a plugin, to be searched next; the engine names each by its version, and a
    machine that came after an upgrade has only the newer one.
    """
    plugin = re.fullmatch(r"(plugins/[^/]+-v)[0-9][^/]*(/.+)", str(inside))
    if not plugin:
        return ""
    start, rest = _quoted(plugin[1]), _quoted(plugin[2])
    return f'$(printf \':%s\' "{PULUMI_HOME}/{start}"[0-9]*"{rest}")'


def _home() -> str:
    """Empty where there is none, and where it is that of nobody, as in a container whose user has no name."""
    home = os.environ.get("HOME", "")
    return home if home not in {"", os.sep} and Path(home).is_absolute() else ""


def _quoted(text: str) -> str:
    """For the inside of double quotes."""
    return "".join(f"\\{letter}" if letter in '\\"$`' else letter for letter in text)
