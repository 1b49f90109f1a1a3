package main

import (
	"context"

	p "github.com/pulumi/pulumi-go-provider"

	"github.com/pulumi/pulumi/pkg/v3/resource/provider"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"toolchain/plugins/standin"
)

// serve runs the plugin until the engine ends it.
func serve(ctx context.Context, served p.Provider) error {
	raw := p.RawServer("heroku", version+standin.Suffix, served)
	return provider.MainContext(ctx, "heroku", func(host *provider.HostClient) (rpc.ResourceProviderServer, error) {
		server, err := raw(host)
		return &withoutGhosts{server}, err
	})
}

// withoutGhosts answers for an add-on that is gone as the released plugin does, with no properties at all. The framework
// sends empty ones, and an import takes those for an add-on that is there.
type withoutGhosts struct{ rpc.ResourceProviderServer }

func (s *withoutGhosts) Read(ctx context.Context, req *rpc.ReadRequest) (*rpc.ReadResponse, error) {
	response, err := s.ResourceProviderServer.Read(ctx, req)
	if err == nil && response.GetId() == "" {
		return &rpc.ReadResponse{}, nil
	}
	return response, err
}
