// Package standin has what both stand-in plugins say of themselves.
package standin

import (
	"context"
	"fmt"

	p "github.com/pulumi/pulumi-go-provider"
)

// Suffix of a version tells a stand-in from the released plugin of that version.
// It is build metadata, which the engine leaves out when it compares versions.
const Suffix = "+standin"

// Refuse wraps a provider so that a type or function it does not have gets an error that says where to find it.
func Refuse(provider p.Provider, known, released string) p.Provider {
	unknown := func(what string) error {
		return fmt.Errorf("this is a stand-in plugin that has only %s; for %s the released plugin of %s is needed: "+
			"put it into a folder together with pulumi and the other plugins, and set PULUMI_TOOLCHAIN to that folder",
			known, what, released)
	}
	check, read := provider.Check, provider.Read
	provider.Check = func(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
		if kind := string(req.Urn.Type()); kind != known {
			return p.CheckResponse{}, unknown(kind)
		}
		return check(ctx, req)
	}
	provider.Read = func(ctx context.Context, req p.ReadRequest) (p.ReadResponse, error) {
		if kind := string(req.Urn.Type()); kind != known {
			return p.ReadResponse{}, unknown(kind)
		}
		return read(ctx, req)
	}
	provider.Invoke = func(_ context.Context, req p.InvokeRequest) (p.InvokeResponse, error) {
		return p.InvokeResponse{}, unknown(string(req.Token))
	}
	return provider
}
