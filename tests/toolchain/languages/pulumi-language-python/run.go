package main

import (
	"context"
	"os"
	"strconv"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"toolchain/languages/program"
)

// Run runs a program in the environment that its project names.
func (h *host) Run(ctx context.Context, asked *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	if asked.AttachDebugger {
		return &pulumirpc.RunResponse{Error: "this stand-in cannot attach a debugger"}, nil
	}
	chosen, python, err := tools(asked.Info, false)
	if err != nil {
		return nil, err
	}
	if err := python.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	if err := checkTypes(ctx, chosen, python); err != nil {
		return nil, err
	}
	config, err := program.Config(asked.Config, asked.ConfigSecretKeys)
	if err != nil {
		return nil, err
	}
	either, end := program.Until(ctx, h.Cancelled)
	defer end()
	command, err := python.Command(either, append([]string{h.script}, h.arguments(asked)...)...)
	if err != nil {
		return nil, err
	}
	command.Env = append(command.Environ(), config...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	return program.Run(command), nil
}

// arguments are those of the script; the program comes last.
func (h *host) arguments(asked *pulumirpc.RunRequest) []string {
	arguments := program.Arguments(
		[2]string{"--monitor", asked.MonitorAddress},
		[2]string{"--engine", h.Told.Engine},
		[2]string{"--project", asked.Project},
		[2]string{"--root_directory", asked.Info.RootDirectory},
		[2]string{"--stack", asked.Stack},
		[2]string{"--pwd", asked.Pwd},
		[2]string{"--dry_run", strconv.FormatBool(asked.DryRun)},
		[2]string{"--parallel", strconv.Itoa(int(asked.Parallel))},
		[2]string{"--tracing", h.Told.Tracing},
		[2]string{"--organization", asked.Organization},
	)
	return append(append(arguments, asked.Info.EntryPoint), asked.Args...)
}
