// A stand-in for the released Node.js language host, on the parts of it that Pulumi's SDKs carry:
// the package that knows npm, yarn, pnpm and bun, and the module that runs a program, from the project's own folder.
package main

import (
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"toolchain/languages/serve"
)

const name = "pulumi-language-nodejs"

type host struct{ serve.Base }

func main() {
	serve.Main(name, func(told serve.Told) (pulumirpc.LanguageRuntimeServer, error) {
		return &host{serve.NewBase(told)}, nil
	})
}
