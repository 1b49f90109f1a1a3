package local

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"

	p "github.com/pulumi/pulumi-go-provider"
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
	stdout, stderr, both, err := start(ctx, child, state.logged("stdout"), state.logged("stderr"))
	if err != nil {
		return fmt.Errorf("%w: running %q:\n%s", err, command, both)
	}
	state.Stdout, state.Stderr = strings.TrimSuffix(stdout, "\n"), strings.TrimSuffix(stderr, "\n")
	return nil
}

func (state *Outputs) interpreter() []string {
	if state.Interpreter != nil && len(*state.Interpreter) > 0 {
		return append([]string{}, *state.Interpreter...)
	}
	return []string{"/bin/sh", "-c"}
}

// environment: the plugin's own, then the resource's, then the previous output; the later one wins.
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

func (state *Outputs) logged(stream string) bool {
	if state.Logging == nil {
		return true
	}
	return *state.Logging == "stdoutAndStderr" || *state.Logging == stream
}

func start(ctx context.Context, child *exec.Cmd, logStdout, logStderr bool) (string, string, string, error) {
	var stdout, stderr, both bytes.Buffer
	shared := &locked{writer: &both}
	out, waitOut := tee(ctx, logStdout, &stdout, shared)
	errs, waitErr := tee(ctx, logStderr, &stderr, shared)
	child.Stdout, child.Stderr = out, errs
	err := child.Start()
	if err == nil {
		err = child.Wait()
	}
	_, _ = out.Close(), errs.Close()
	waitOut()
	waitErr()
	return stdout.String(), stderr.String(), both.String(), err
}

// tee keeps what is written and hands its lines to the engine as status messages.
func tee(ctx context.Context, log bool, kept ...io.Writer) (io.WriteCloser, func()) {
	if !log {
		return nopCloser{io.MultiWriter(kept...)}, func() {}
	}
	reader, writer := io.Pipe()
	var lines sync.WaitGroup
	lines.Add(1)
	go func() {
		defer lines.Done()
		scanner := bufio.NewScanner(reader)
		for scanner.Scan() {
			p.GetLogger(ctx).InfoStatus(scanner.Text())
		}
	}()
	return teeCloser{io.MultiWriter(append(kept, writer)...), writer}, lines.Wait
}

type locked struct {
	mutex  sync.Mutex
	writer io.Writer
}

func (l *locked) Write(data []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.writer.Write(data)
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

type teeCloser struct {
	io.Writer
	closer io.Closer
}

func (t teeCloser) Close() error { return t.closer.Close() }
