// A stand-in for the released pulumi-command plugin: command:local:Command and nothing else.
package main

import (
	"context"
	"fmt"
	"os"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"toolchain/plugins/standin"
)

const (
	token   = "command:local:Command"
	version = "1.2.1"
)

func main() {
	if err := serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-command (stand-in):", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context) error {
	provider, err := infer.NewProviderBuilder().
		WithDescription("A stand-in for pulumi-command with local.Command only.").
		WithResources(infer.Resource(&Command{})).
		Build()
	if err != nil {
		return err
	}
	return p.RunProvider(ctx, "command", version+standin.Suffix, standin.Refuse(provider, token, "pulumi-command "+version))
}
