package main

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"toolchain/languages/program"
)

// manifest is what a package.json says of itself and of its plugin.
type manifest struct {
	Name    string
	Version string
	Pulumi  plugin.PulumiPluginJSON
}

// GetRequiredPackages names the plugins of the packages that are installed in a program's folder.
func (h *host) GetRequiredPackages(
	_ context.Context, asked *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	answer := &pulumirpc.GetRequiredPackagesResponse{}
	add := func(found manifest) {
		if dependency := dependencyOf(found); dependency != nil {
			answer.Packages = append(answer.Packages, dependency)
		}
	}
	walk(asked.Info.ProgramDirectory, false, map[string]bool{}, add)
	return answer, nil
}

// walk visits every package in a folder named node_modules, however deep it lies.
// Links are followed, because npm makes them for packages that are local folders.
func walk(folder string, inside bool, seen map[string]bool, visit func(manifest)) {
	real, err := filepath.EvalSymlinks(folder)
	if err != nil || seen[real] {
		return
	}
	seen[real] = true
	entries, err := os.ReadDir(real)
	if err != nil {
		return
	}
	inside = inside || filepath.Base(folder) == "node_modules"
	for _, entry := range entries {
		path := filepath.Join(real, entry.Name())
		switch {
		case entry.Name() == "package.json" && inside:
			visit(parsed(path))
		case entry.IsDir() || entry.Type()&fs.ModeSymlink != 0:
			walk(path, inside, seen, visit)
		}
	}
}

func parsed(file string) (found manifest) {
	if text, err := os.ReadFile(file); err == nil {
		_ = json.Unmarshal(text, &found) // what is no manifest has no plugin
	}
	return found
}

func dependencyOf(found manifest) *pulumirpc.PackageDependency {
	if !found.Pulumi.Resource {
		return nil
	}
	return program.Plugin(found.Pulumi, strings.TrimPrefix(found.Name, "@pulumi/"), found.Version)
}
