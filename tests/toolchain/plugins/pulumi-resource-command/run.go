package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// run starts the command, logs its lines as they come, and keeps what it printed.
// The end of the context kills the direct child only; the wait then lasts until nobody holds its streams.
func (state *Outputs) run(ctx context.Context, command string, previous *Outputs) error {
	arguments := append(state.interpreter(), command)
	child := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	child.Env = state.environment(previous)
	if state.Dir != nil {
		child.Dir = *state.Dir
	}
	if state.Stdin != nil {
		child.Stdin = strings.NewReader(*state.Stdin)
	}
	var stdout, stderr, both locked
	out := tee(ctx, state.logs("stdout"), &stdout, &both)
	errs := tee(ctx, state.logs("stderr"), &stderr, &both)
	child.Stdout, child.Stderr = out, errs
	err := child.Run()
	out.close()
	errs.close()
	if err != nil {
		return fmt.Errorf("%w: running %q:\n%s", err, command, both.String())
	}
	state.Stdout, state.Stderr = strings.TrimSuffix(stdout.String(), "\n"), strings.TrimSuffix(stderr.String(), "\n")
	return nil
}

func (state *Outputs) interpreter() []string {
	if len(state.Interpreter) > 0 {
		return append([]string{}, state.Interpreter...)
	}
	return []string{"/bin/sh", "-c"}
}

// environment is the plugin's own, then the resource's, then the previous output; the later one wins.
func (state *Outputs) environment(previous *Outputs) []string {
	all := os.Environ()
	for name, value := range state.Environment {
		all = append(all, name+"="+value)
	}
	if previous != nil && (state.AddPreviousOutputInEnv == nil || *state.AddPreviousOutputInEnv) {
		all = append(all, "PULUMI_COMMAND_STDOUT="+previous.Stdout, "PULUMI_COMMAND_STDERR="+previous.Stderr)
	}
	return all
}

func (state *Outputs) logs(stream string) bool {
	return state.Logging == nil || *state.Logging == "stdoutAndStderr" || *state.Logging == stream
}

// locked is a buffer that both streams of a process may write to.
type locked struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (l *locked) Write(data []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.buffer.Write(data)
}

func (l *locked) String() string { return l.buffer.String() }
