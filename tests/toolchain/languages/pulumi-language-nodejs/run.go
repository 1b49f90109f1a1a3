package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"toolchain/languages/program"
)

const (
	runner = "@pulumi/pulumi/cmd/run"
	find   = `try { console.log(require.resolve(process.argv[1])) } catch (error) { console.error(error.code); process.exit(1) }`
)

// Run runs a program with the SDK that is installed in its own folder.
func (h *host) Run(ctx context.Context, asked *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	if asked.AttachDebugger {
		return &pulumirpc.RunResponse{Error: "this stand-in cannot attach a debugger"}, nil
	}
	said, err := read(asked.Info)
	if err != nil {
		return nil, err
	}
	module, err := located(ctx, asked.Info.ProgramDirectory)
	if err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	config, err := program.Config(asked.Config, asked.ConfigSecretKeys)
	if err != nil {
		return nil, err
	}
	either, end := program.Until(ctx, h.Cancelled)
	defer end()
	arguments := append(strings.Fields(said.nodeargs), module)
	command := exec.CommandContext(either, "node", append(arguments, h.arguments(asked)...)...)
	command.Env = append(append(command.Environ(), config...), said.variables()...)
	// Not the files themselves: node may set them to non-blocking, for this process as well.
	command.Stdout, command.Stderr = struct{ io.Writer }{os.Stdout}, struct{ io.Writer }{os.Stderr}
	return program.Run(command), nil
}

// located asks node, because only node knows all the places where modules can be.
func located(ctx context.Context, folder string) (string, error) {
	command := exec.CommandContext(ctx, "node", "-e", find, runner)
	command.Dir = folder
	printed, err := command.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		if strings.TrimSpace(string(failed.Stderr)) == "MODULE_NOT_FOUND" {
			return "", errors.New("It looks like the Pulumi SDK has not been installed. Have you run pulumi install?")
		}
		return "", fmt.Errorf("%s cannot be found: %s", runner, failed.Stderr)
	}
	return strings.TrimSpace(string(printed)), err
}

// arguments are those of the runner; the program comes last.
func (h *host) arguments(asked *pulumirpc.RunRequest) []string {
	arguments := program.Arguments(
		[2]string{"--monitor", asked.MonitorAddress},
		[2]string{"--engine", h.Told.Engine},
		[2]string{"--organization", asked.Organization},
		[2]string{"--project", asked.Project},
		[2]string{"--root-directory", asked.Info.RootDirectory},
		[2]string{"--stack", asked.Stack},
		[2]string{"--pwd", asked.Info.ProgramDirectory},
		[2]string{"--parallel", strconv.Itoa(int(asked.Parallel))},
		[2]string{"--tracing", h.Told.Tracing},
	)
	if asked.DryRun {
		arguments = append(arguments, "--dry-run")
	}
	return append(append(arguments, asked.Info.EntryPoint), asked.Args...)
}
