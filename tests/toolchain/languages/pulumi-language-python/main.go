// A stand-in for the released Python language host, on the parts of it that Pulumi's SDK carries:
// the package that knows virtual environments, pip, uv and poetry, and the script that runs a program.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"toolchain/languages/serve"
)

const (
	name   = "pulumi-language-python"
	script = "pulumi-language-python-exec" // lies beside this program
)

type host struct {
	serve.Base

	script string
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
	return &host{serve.NewBase(told), runs}, nil
}
