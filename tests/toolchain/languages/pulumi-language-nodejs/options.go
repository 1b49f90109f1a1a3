package main

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/nodejs/npm"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"toolchain/languages/program"
)

var managers = []npm.PackageManagerType{
	npm.AutoPackageManager, npm.NpmPackageManager, npm.YarnPackageManager, npm.PnpmPackageManager, npm.BunPackageManager,
}

// options is what a project says under `runtime: options:`.
type options struct {
	typescript, production      bool
	tsconfig, nodeargs, manager string
}

func read(info *pulumirpc.ProgramInfo) (said options, err error) {
	if said.typescript, err = program.Option(info, "typescript", "boolean", true); err != nil {
		return said, err
	}
	if said.production, err = program.Option(info, "production", "boolean", false); err != nil {
		return said, err
	}
	if said.tsconfig, err = program.Option(info, "tsconfig", "string", ""); err != nil {
		return said, err
	}
	if said.nodeargs, err = program.Option(info, "nodeargs", "string", ""); err != nil {
		return said, err
	}
	said.manager, err = program.Option(info, "packagemanager", "string", string(npm.AutoPackageManager))
	if err == nil && !slices.Contains(managers, npm.PackageManagerType(said.manager)) {
		err = fmt.Errorf("packagemanager option must be one of %v, got %q", managers, said.manager)
	}
	return said, err
}

// tools returns the options together with the package manager that they or a lock file name.
func tools(info *pulumirpc.ProgramInfo) (options, npm.PackageManager, error) {
	said, err := read(info)
	if err != nil {
		return said, nil, err
	}
	manager, err := npm.ResolvePackageManager(npm.PackageManagerType(said.manager), info.ProgramDirectory)
	return said, manager, err
}

// variables lead the SDK's own runner to TypeScript.
func (o options) variables() []string {
	variables := []string{}
	if o.typescript {
		variables = append(variables, "PULUMI_NODEJS_TYPESCRIPT=true")
	}
	if o.tsconfig != "" {
		variables = append(variables, "PULUMI_NODEJS_TSCONFIG_PATH="+o.tsconfig)
	}
	return variables
}
