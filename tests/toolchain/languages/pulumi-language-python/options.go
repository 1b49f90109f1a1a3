package main

import (
	"fmt"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"

	"toolchain/languages/program"
)

// A plugin gets an environment of its own where it names none; a program without one runs on the python of PATH.
const environmentOfPlugins = "venv"

// absent stands for an option that is not there; nobody writes it.
const absent = "\x00"

var (
	toolchains = map[string]toolchain.PythonOptions{
		absent: {}, "pip": {Toolchain: toolchain.Pip}, "uv": {Toolchain: toolchain.Uv}, "poetry": {Toolchain: toolchain.Poetry},
	}
	typecheckers = map[string]toolchain.PythonOptions{
		absent: {}, "mypy": {Typechecker: toolchain.TypeCheckerMypy}, "pyright": {Typechecker: toolchain.TypeCheckerPyright},
	}
)

// options reads what a project or plugin says under `runtime: options:`.
func options(info *pulumirpc.ProgramInfo, plugin bool) (toolchain.PythonOptions, error) {
	read := toolchain.PythonOptions{Root: info.RootDirectory, ProgramDir: info.ProgramDirectory}
	environment, err := program.Option(info, "virtualenv", "string", "")
	if err != nil {
		return read, err
	}
	tools, err := oneOf(info, "toolchain", toolchains)
	if err != nil {
		return read, err
	}
	checker, err := oneOf(info, "typechecker", typecheckers)
	if err != nil {
		return read, err
	}
	read.Virtualenv, read.Toolchain, read.Typechecker = environment, tools.Toolchain, checker.Typechecker
	if plugin && environment == "" && (read.Toolchain == toolchain.Pip || read.Toolchain == toolchain.Auto) {
		read.Virtualenv = environmentOfPlugins
	}
	return read, nil
}

func oneOf(
	info *pulumirpc.ProgramInfo, key string, known map[string]toolchain.PythonOptions,
) (toolchain.PythonOptions, error) {
	said, err := program.Option(info, key, "string", absent)
	if err != nil {
		return toolchain.PythonOptions{}, err
	}
	chosen, ok := known[said]
	if !ok {
		return chosen, fmt.Errorf("unsupported %s option: %s", key, said)
	}
	return chosen, nil
}

// tools returns the options together with what acts on them.
func tools(info *pulumirpc.ProgramInfo, plugin bool) (toolchain.PythonOptions, toolchain.Toolchain, error) {
	chosen, err := options(info, plugin)
	if err != nil {
		return chosen, nil, err
	}
	resolved, err := toolchain.ResolveToolchain(chosen)
	return chosen, resolved, err
}
