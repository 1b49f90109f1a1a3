package main

import (
	"fmt"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// A plugin gets an environment of its own where it names none; a program without one runs on the python of PATH.
const environmentOfPlugins = "venv"

var (
	toolchains = map[string]toolchain.PythonOptions{
		"": {}, "pip": {Toolchain: toolchain.Pip}, "uv": {Toolchain: toolchain.Uv}, "poetry": {Toolchain: toolchain.Poetry},
	}
	typecheckers = map[string]toolchain.PythonOptions{
		"": {}, "mypy": {Typechecker: toolchain.TypeCheckerMypy}, "pyright": {Typechecker: toolchain.TypeCheckerPyright},
	}
)

// options reads what a project or plugin says under `runtime: options:`.
func options(info *pulumirpc.ProgramInfo, plugin bool) (toolchain.PythonOptions, error) {
	read := toolchain.PythonOptions{Root: info.RootDirectory, ProgramDir: info.ProgramDirectory}
	said := info.Options.AsMap()
	environment, err := word(said, "virtualenv")
	if err != nil {
		return read, err
	}
	tools, err := oneOf(said, "toolchain", toolchains)
	if err != nil {
		return read, err
	}
	checker, err := oneOf(said, "typechecker", typecheckers)
	if err != nil {
		return read, err
	}
	read.Virtualenv, read.Toolchain, read.Typechecker = environment, tools.Toolchain, checker.Typechecker
	if plugin && environment == "" && (read.Toolchain == toolchain.Pip || read.Toolchain == toolchain.Auto) {
		read.Virtualenv = environmentOfPlugins
	}
	return read, nil
}

func word(said map[string]any, key string) (string, error) {
	value, present := said[key]
	if !present {
		return "", nil
	}
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("%s option must be a string", key)
	}
	return text, nil
}

func oneOf(
	said map[string]any, key string, known map[string]toolchain.PythonOptions,
) (toolchain.PythonOptions, error) {
	text, err := word(said, key)
	if err != nil {
		return toolchain.PythonOptions{}, err
	}
	chosen, ok := known[text]
	if _, present := said[key]; !ok || (present && text == "") {
		return chosen, fmt.Errorf("unsupported %s option: %s", key, text)
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
