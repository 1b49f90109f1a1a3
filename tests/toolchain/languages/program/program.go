// Package program runs a user's program as the engine expects it of every language host.
package program

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const (
	// A program ends with this code when it has shown the user what went wrong.
	shown = 32
	// How long an interrupted program may take to end before it is killed.
	grace = 5 * time.Second
)

// Until returns a context that ends with the request or when the engine cancels, whichever comes first.
func Until(request, cancelled context.Context) (context.Context, context.CancelFunc) {
	both, cancel := context.WithCancel(cancelled)
	stop := context.AfterFunc(request, cancel)
	return both, func() { stop(); cancel() }
}

// Run runs a command that was made with such a context, and says how it ended.
func Run(command *exec.Cmd) *pulumirpc.RunResponse {
	command.WaitDelay = grace
	command.Cancel = func() error {
		if err := command.Process.Signal(os.Interrupt); err != nil {
			return command.Process.Kill()
		}
		return nil
	}
	return answer(command.Run())
}

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
