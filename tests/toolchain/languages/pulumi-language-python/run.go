package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const (
	// The script ends with this code when it has shown the user what went wrong.
	shown = 32
	// How long an interrupted program may take to end before it is killed.
	grace = 5 * time.Second
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
	untilCancelled, stop := context.WithCancel(h.cancelled)
	defer context.AfterFunc(ctx, stop)()
	command, err := python.Command(untilCancelled, append([]string{h.script}, h.arguments(asked)...)...)
	if err != nil {
		return nil, err
	}
	if err := give(command, asked); err != nil {
		return nil, err
	}
	return answer(command.Run()), nil
}

// arguments are those of the script: what is empty is left out, and the program comes last.
func (h *host) arguments(asked *pulumirpc.RunRequest) []string {
	arguments := []string{}
	for _, pair := range [][2]string{
		{"--monitor", asked.MonitorAddress},
		{"--engine", h.told.Engine},
		{"--project", asked.Project},
		{"--root_directory", asked.Info.RootDirectory},
		{"--stack", asked.Stack},
		{"--pwd", asked.Pwd},
		{"--dry_run", strconv.FormatBool(asked.DryRun)},
		{"--parallel", strconv.Itoa(int(asked.Parallel))},
		{"--tracing", h.told.Tracing},
		{"--organization", asked.Organization},
	} {
		if pair[1] != "" {
			arguments = append(arguments, pair[:]...)
		}
	}
	return append(append(arguments, asked.Info.EntryPoint), asked.Args...)
}

// give sets what a program needs beside its arguments: config, the engine's terminal, a gentle end.
func give(command *exec.Cmd, asked *pulumirpc.RunRequest) error {
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.Cancel = func() error {
		if err := command.Process.Signal(os.Interrupt); err != nil {
			return command.Process.Kill()
		}
		return nil
	}
	command.WaitDelay = grace
	secret := asked.ConfigSecretKeys
	if secret == nil {
		secret = []string{}
	}
	config, err := json.Marshal(asked.Config)
	if err != nil {
		return err
	}
	keys, err := json.Marshal(secret)
	if err != nil {
		return err
	}
	command.Env = append(command.Environ(), "PULUMI_CONFIG_SECRET_KEYS="+string(keys))
	if asked.Config != nil {
		command.Env = append(command.Env, "PULUMI_CONFIG="+string(config))
	}
	return nil
}

// answer tells the engine how a program ended.
func answer(err error) *pulumirpc.RunResponse {
	var ended *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}
	case !errors.As(err, &ended):
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program could not be run: %v", err)}
	case ended.ExitCode() == shown:
		return &pulumirpc.RunResponse{Bail: true}
	case ended.ExitCode() > 0:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("program exited with non-zero exit code: %d", ended.ExitCode())}
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("program exited unexpectedly: %v", err)}
	}
}
