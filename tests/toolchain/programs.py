"""The programs that make a Pulumi engine for this project, and how a caller is led to them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

COMMAND_PLUGIN = ("command", "1.2.1")
HEROKU_PLUGIN = ("heroku", "1.0.4")
PLUGINS = (COMMAND_PLUGIN, HEROKU_PLUGIN)

HOSTS = ("pulumi-language-python", "pulumi-language-yaml")
"""The programs that run programs; a real installation has them beside `pulumi`."""
BESIDE = ("pulumi-language-nodejs", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")
"""What else an installation has beside them: a host that only some need, and what the Python host starts."""
PROGRAMS = ("pulumi", *HOSTS, "pulumi-resource-command", "pulumi-resource-heroku")

Origin = Literal["given", "installed", "built"]


class Unavailable(Exception):
    """There is no engine to be had; the message says why and what to do."""


@dataclass(frozen=True)
class Toolchain:
    """
    A folder that holds every one of PROGRAMS.

    `origin` is `given` for the folder that PULUMI_TOOLCHAIN names, `installed` for links to what this machine has
    from Pulumi itself, `built` for the engine and the stand-in plugins built here.
    """

    folder: Path
    origin: Origin

    def environment(self) -> dict[str, str]:
        """
        Return what a caller has to set so that `pulumi` runs these programs and asks no server for anything.

        Which Python runs a program is said by its project, not by PATH.
        """
        return {
            "PATH": os.pathsep.join((str(self.folder), os.environ.get("PATH", os.defpath))),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def link_plugins(self, home: Path) -> None:
        """
        Make the plugins the installed ones of a Pulumi home.

        The engine finds them on PATH as well, but warns of that in every preview and update.
        """
        for name, version in PLUGINS:
            link = home / "plugins" / f"resource-{name}-v{version}" / f"pulumi-resource-{name}"
            link.parent.mkdir(parents=True, exist_ok=True)
            if link.is_symlink() and link.readlink() == self.folder / link.name:
                continue  # others may be starting an engine with this home now
            link.unlink(missing_ok=True)
            link.symlink_to(self.folder / link.name)


def missing_from(folder: Path) -> list[str]:
    """Return the names of the programs that a folder does not hold as executable files."""
    return [name for name in PROGRAMS if not (folder / name).is_file() or not os.access(folder / name, os.X_OK)]
