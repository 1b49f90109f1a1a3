// A stand-in for the released pulumiverse heroku plugin: heroku:addon/addon:Addon and nothing else.
package main

import (
	"context"
	"fmt"
	"os"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/middleware/cancel"

	"toolchain/plugins/heroku/addon"
	"toolchain/plugins/standin"
)

func main() {
	provider := standin.Refuse(addon.New().Provider(), addon.Token, "pulumiverse heroku 1.0.4")
	err := p.RunProvider(context.Background(), "heroku", standin.Version, cancel.Wrap(provider))
	if err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-heroku (stand-in):", err)
		os.Exit(1)
	}
}
