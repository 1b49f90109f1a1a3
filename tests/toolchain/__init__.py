"""
The engine for demo and tests: a real `pulumi`, found or built, with the plugins that the product leans on.

Looked for in this order: the folder that PULUMI_TOOLCHAIN names; a `pulumi` on PATH whose plugins are there or can be
had; a build from pinned Go modules into a cache, once a machine. The built `command` and `heroku` plugins are
stand-ins: small programs that follow the released ones call by call as far as this project needs them.
"""

from toolchain.find import Toolchain, ToolchainError, find

__all__ = ["Toolchain", "ToolchainError", "find"]
