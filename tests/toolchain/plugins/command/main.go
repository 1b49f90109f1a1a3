// A stand-in for the released pulumi-command plugin: command:local:Command and nothing else.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-go-provider/infer"

	p "github.com/pulumi/pulumi-go-provider"

	"toolchain/plugins/command/local"
	"toolchain/plugins/standin"
)

func main() {
	provider, err := infer.NewProviderBuilder().
		WithDescription("A stand-in for pulumi-command with local.Command only.").
		WithResources(infer.Resource(&local.Command{})).
		Build()
	if err == nil {
		provider = standin.Refuse(provider, "command:local:Command", "pulumi-command 1.2.1")
		err = p.RunProvider(context.Background(), "command", standin.Version, provider)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-command (stand-in):", err)
		os.Exit(1)
	}
}
