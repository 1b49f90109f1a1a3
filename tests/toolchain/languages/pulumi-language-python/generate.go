package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"

	"toolchain/languages/generate"
)

// GeneratePackage makes the Python SDK of a package.
func (h *host) GeneratePackage(
	_ context.Context, asked *pulumirpc.GeneratePackageRequest,
) (*pulumirpc.GeneratePackageResponse, error) {
	return generate.Package(asked, func(bound *schema.Package, loader schema.ReferenceLoader) (generate.Files, error) {
		return python.GeneratePackage(name, bound, asked.ExtraFiles, loader)
	})
}

// GenerateProgram makes a Python program of one in PCL.
func (h *host) GenerateProgram(
	_ context.Context, asked *pulumirpc.GenerateProgramRequest,
) (*pulumirpc.GenerateProgramResponse, error) {
	return generate.Program(asked, python.GenerateProgram, pcl.PreferOutputVersionedInvokes)
}

// GenerateProject makes a Python project of one in PCL.
func (h *host) GenerateProject(
	_ context.Context, asked *pulumirpc.GenerateProjectRequest,
) (*pulumirpc.GenerateProjectResponse, error) {
	return generate.Project(asked, func(project workspace.Project, program *pcl.Program) error {
		return python.GenerateProject(asked.TargetDirectory, project, program, asked.LocalDependencies, "", "")
	}, pcl.PreferOutputVersionedInvokes)
}

// Link writes local SDKs into the files that name a project's dependencies, and says how to import them.
func (h *host) Link(ctx context.Context, asked *pulumirpc.LinkRequest) (*pulumirpc.LinkResponse, error) {
	loaded, err := generate.Loaded(ctx, asked, python.Importer, "python")
	if err != nil {
		return nil, err
	}
	paths, imports := map[string]string{}, []string{}
	for i, dependency := range asked.Packages {
		if loaded[i] == nil {
			paths["pulumi"] = dependency.Path
			continue
		}
		distribution, module := namesOf(loaded[i])
		paths[distribution] = dependency.Path
		imports = append(imports, fmt.Sprintf("  import %s as %s\n", distribution, module))
	}
	chosen, err := options(asked.Info, false)
	if err != nil {
		return nil, err
	}
	if err := link(ctx, chosen, paths); err != nil {
		return nil, err
	}
	return &pulumirpc.LinkResponse{ImportInstructions: instructions(imports)}, nil
}

// namesOf returns what a package is called by those who install it, and by those who import it.
func namesOf(bound *schema.Package) (distribution, module string) {
	if info, ok := bound.Language["python"].(python.PackageInfo); ok && info.PackageName != "" {
		return info.PackageName, info.PackageName
	}
	return python.PyPack(bound.Namespace, bound.Name), strings.ReplaceAll(bound.Name, "-", "_")
}

func link(ctx context.Context, chosen toolchain.PythonOptions, paths map[string]string) error {
	has := func(file string) bool {
		_, err := os.Stat(filepath.Join(chosen.ProgramDir, file))
		return err == nil
	}
	if chosen.Toolchain != toolchain.Pip && !has("pyproject.toml") {
		if !has("requirements.txt") {
			return fmt.Errorf("no pyproject.toml or requirements.txt found in %s", chosen.ProgramDir)
		}
		// uv and poetry take over requirements.txt when they install for the first time.
		chosen.Toolchain = toolchain.Pip
	}
	python, err := toolchain.ResolveToolchain(chosen)
	if err != nil {
		return err
	}
	return python.LinkPackages(ctx, paths)
}

func instructions(imports []string) string {
	what := "the SDK"
	if len(imports) > 1 {
		what = "the SDKs"
	}
	return fmt.Sprintf("You can import %s in your Python code with:\n\n%s", what, strings.Join(imports, ""))
}
