// A stand-in for the released pulumiverse heroku plugin: heroku:addon/addon:Addon and nothing else.
package main

import (
	"context"
	"fmt"
	"os"

	"toolchain/plugins/standin"
)

const (
	token   = "heroku:addon/addon:Addon"
	version = "1.0.4"
)

const schema = `{"name": "heroku", "version": "` + version + standin.Suffix + `",
  "description": "A stand-in for pulumiverse heroku with Addon only.", "resources": {"` + token + `": {}}}`

func main() {
	provider := standin.Refuse(new(plugin).provider(), token, "pulumiverse heroku "+version)
	if err := serve(context.Background(), provider); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-heroku (stand-in):", err)
		os.Exit(1)
	}
}
