package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"

	"toolchain/languages/program"
	"toolchain/languages/serve"
)

// Packages whose names begin like those of plugins, but that belong to none.
var without = map[string]bool{"pulumi-policy": true, "pulumi-esc-sdk": true}

// describe prints, for each distribution named, where its pulumi-plugin.json lies.
const describe = `
import importlib.metadata, importlib.util, json, pathlib, sys

def described(distribution):
    try:
        name = importlib.metadata.distribution(distribution).metadata["Name"].replace("-", "_")
        spec = importlib.util.find_spec(name)
    except Exception:
        return ""
    folders = spec.submodule_search_locations or () if spec else ()
    files = (pathlib.Path(folder, "pulumi-plugin.json") for folder in folders)
    return next((str(file) for file in files if file.is_file()), "")

print(json.dumps({distribution: described(distribution) for distribution in sys.argv[1:]}))
`

// GetRequiredPackages names the plugins of the packages that are installed in a program's environment.
// It makes that environment where there is none yet.
func (h *host) GetRequiredPackages(
	ctx context.Context, asked *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	_, python, err := tools(asked.Info, false)
	if err != nil {
		return nil, err
	}
	info, problem, end, err := serve.Passing(ctx, h.Told.Engine)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := python.EnsureVenv(ctx, asked.Info.ProgramDirectory, false, true, info, problem); err != nil {
		return nil, err
	}
	packages, err := required(ctx, python)
	return &pulumirpc.GetRequiredPackagesResponse{Packages: packages}, err
}

func required(ctx context.Context, python toolchain.Toolchain) ([]*pulumirpc.PackageDependency, error) {
	installed, err := python.ListPackages(ctx, true)
	if err != nil {
		return nil, err
	}
	files := descriptions(ctx, python, installed)
	packages := []*pulumirpc.PackageDependency{}
	for _, one := range installed {
		if without[one.Name] {
			continue
		}
		described, err := read(files[one.Name])
		if err != nil {
			return nil, fmt.Errorf("reading what %s says of its plugin: %w", one.Name, err)
		}
		if dependency := dependencyOf(one, described); dependency != nil {
			packages = append(packages, dependency)
		}
	}
	return packages, nil
}

// descriptions is empty where the program's python cannot be asked: names alone have to do then.
func descriptions(ctx context.Context, python toolchain.Toolchain, installed []plugin.DependencyInfo) map[string]string {
	arguments := []string{"-c", describe}
	for _, one := range installed {
		arguments = append(arguments, one.Name)
	}
	files := map[string]string{}
	if command, err := python.Command(ctx, arguments...); err == nil {
		if printed, err := command.Output(); err == nil {
			_ = json.Unmarshal(printed, &files)
		}
	}
	return files
}

func read(file string) (*plugin.PulumiPluginJSON, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil // it went meanwhile
	}
	described := &plugin.PulumiPluginJSON{}
	return described, json.Unmarshal(text, described)
}

// dependencyOf is nil for a package that has no plugin, or one whose version cannot be told.
func dependencyOf(one plugin.DependencyInfo, described *plugin.PulumiPluginJSON) *pulumirpc.PackageDependency {
	if described == nil {
		if !strings.HasPrefix(one.Name, "pulumi-") {
			return nil
		}
		described = &plugin.PulumiPluginJSON{Resource: true}
	}
	if !described.Resource {
		return nil
	}
	version := pluginVersion(one.Version)
	if described.Version == "" && version == "" {
		return nil
	}
	return program.Plugin(*described, strings.TrimPrefix(one.Name, "pulumi-"), version)
}
