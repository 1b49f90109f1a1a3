// Package generate has what is the same in every language when code is made from a schema or from PCL.
package generate

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/pulumi/pulumi/pkg/v3/codegen/hcl2/syntax"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Files are names with contents, relative to a folder.
type Files = map[string][]byte

// Package binds a schema and writes what `write` makes of it.
func Package(
	asked *pulumirpc.GeneratePackageRequest, write func(*schema.Package, schema.ReferenceLoader) (Files, error),
) (*pulumirpc.GeneratePackageResponse, error) {
	loader, err := schema.NewLoaderClient(asked.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(asked.Schema), &spec); err != nil {
		return nil, err
	}
	cached := schema.NewCachedLoader(loader)
	bound, problems, err := schema.BindSpec(spec, cached, schema.ValidationOptions{AllowDanglingReferences: true})
	if err != nil {
		return nil, err
	}
	answer := &pulumirpc.GeneratePackageResponse{Diagnostics: plugin.HclDiagnosticsToRPCDiagnostics(problems)}
	if problems.HasErrors() {
		return answer, nil
	}
	files, err := write(bound, cached)
	if err != nil {
		return nil, err
	}
	return answer, store(asked.Directory, files)
}

func store(folder string, files Files) error {
	for name, text := range files {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Program binds PCL and returns the sources that `write` makes of it.
func Program(
	asked *pulumirpc.GenerateProgramRequest,
	write func(*pcl.Program) (Files, hcl.Diagnostics, error), extra ...pcl.BindOption,
) (*pulumirpc.GenerateProgramResponse, error) {
	loader, err := schema.NewLoaderClient(asked.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	parser := syntax.NewParser()
	for path, text := range asked.Source {
		if err := parser.ParseFile(strings.NewReader(text), path); err != nil {
			return nil, err
		}
	}
	if parser.Diagnostics.HasErrors() {
		return nil, parser.Diagnostics
	}
	bound, problems, err := pcl.BindProgram(
		parser.Files, schema.NewCachedLoader(loader), lenient(asked.Strict, extra)...)
	if err != nil {
		return nil, err
	}
	answer := &pulumirpc.GenerateProgramResponse{Diagnostics: plugin.HclDiagnosticsToRPCDiagnostics(problems)}
	if problems.HasErrors() {
		return answer, nil
	}
	if bound == nil {
		return nil, errors.New("the source has no program")
	}
	files, more, err := write(bound)
	answer.Source = files
	answer.Diagnostics = append(answer.Diagnostics, plugin.HclDiagnosticsToRPCDiagnostics(more)...)
	return answer, err
}

// Project binds a folder of PCL and lets `write` put a project into the target folder.
func Project(
	asked *pulumirpc.GenerateProjectRequest,
	write func(workspace.Project, *pcl.Program) error, extra ...pcl.BindOption,
) (*pulumirpc.GenerateProjectResponse, error) {
	loader, err := schema.NewLoaderClient(asked.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	bound, problems, err := pcl.BindDirectory(
		asked.SourceDirectory, schema.NewCachedLoader(loader), lenient(asked.Strict, extra)...)
	if err != nil {
		return nil, err
	}
	answer := &pulumirpc.GenerateProjectResponse{Diagnostics: plugin.HclDiagnosticsToRPCDiagnostics(problems)}
	if problems.HasErrors() {
		return answer, nil
	}
	var project workspace.Project
	if err := json.Unmarshal([]byte(asked.Project), &project); err != nil {
		return nil, fmt.Errorf("reading the project: %w", err)
	}
	return answer, write(project, bound)
}

func lenient(strict bool, options []pcl.BindOption) []pcl.BindOption {
	if strict {
		return options
	}
	return append(options, pcl.NonStrictBindOptions()...)
}
