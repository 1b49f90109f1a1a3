package serve

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Base answers what every language host answers alike; what it does not know, it answers with Unimplemented.
type Base struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	Told      Told
	Cancelled context.Context // ends when the engine cancels
	cancel    context.CancelFunc
}

// NewBase returns one that nobody has cancelled yet.
func NewBase(told Told) Base {
	cancelled, cancel := context.WithCancel(context.Background())
	return Base{Told: told, Cancelled: cancelled, cancel: cancel}
}

// Handshake is how an engine introduces itself that did not do so on the command line.
func (b *Base) Handshake(
	_ context.Context, asked *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	b.Told.Engine = asked.EngineAddress
	return &pulumirpc.LanguageHandshakeResponse{}, b.Told.Watch(asked.EngineAddress)
}

// Cancel interrupts the program.
func (b *Base) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	b.cancel()
	return &emptypb.Empty{}, nil
}

// GetPluginInfo says which version this is.
func (b *Base) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}
