// Package standin has what both stand-in plugins say of themselves.
package standin

import (
	"context"
	"fmt"

	p "github.com/pulumi/pulumi-go-provider"
)

// Version is what the stand-ins report; the suffix tells them from the released plugins.
const Version = "0.0.1-standin"

// Refuse wraps a provider so that a resource type it does not have gets an error that says where to find it.
func Refuse(provider p.Provider, known, released string) p.Provider {
	check := provider.Check
	provider.Check = func(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
		if kind := string(req.Urn.Type()); kind != known {
			return p.CheckResponse{}, fmt.Errorf(
				"this is a stand-in plugin that knows only %s; for %s use the released provider %s: "+
					"set PULUMI_TOOLCHAIN to a folder that holds it", known, kind, released)
		}
		return check(ctx, req)
	}
	return provider
}
