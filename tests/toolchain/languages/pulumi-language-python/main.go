// A stand-in for the released Python language host, on the parts of it that Pulumi's SDK carries:
// the package that knows virtual environments, pip, uv and poetry, and the script that runs a program.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"toolchain/languages/serve"
)

const (
	name   = "pulumi-language-python"
	script = "pulumi-language-python-exec" // lies beside this program
)

// host answers the engine; what it does not know, it answers with Unimplemented.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	told      serve.Told
	script    string
	cancelled context.Context
	cancel    context.CancelFunc
}

func main() { serve.Main(name, newHost) }

func newHost(told serve.Told) (pulumirpc.LanguageRuntimeServer, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	runs := filepath.Join(filepath.Dir(program), script)
	if _, err := os.Stat(runs); err != nil {
		return nil, fmt.Errorf("the script that runs a program is missing: %w", err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	return &host{told: told, script: runs, cancelled: cancelled, cancel: cancel}, nil
}

// Handshake is how an engine introduces itself that did not do so on the command line.
func (h *host) Handshake(
	_ context.Context, asked *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.told.Engine = asked.EngineAddress
	return &pulumirpc.LanguageHandshakeResponse{}, h.told.Watch(asked.EngineAddress)
}

// Cancel interrupts the program.
func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.cancel()
	return &emptypb.Empty{}, nil
}

// GetPluginInfo says which version this is.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}
