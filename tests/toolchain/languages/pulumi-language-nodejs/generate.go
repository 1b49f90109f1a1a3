package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/pkg/v3/codegen/cgstrings"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"toolchain/languages/generate"
)

// GeneratePackage makes the TypeScript SDK of a package.
func (h *host) GeneratePackage(
	_ context.Context, asked *pulumirpc.GeneratePackageRequest,
) (*pulumirpc.GeneratePackageResponse, error) {
	return generate.Package(asked, func(bound *schema.Package, loader schema.ReferenceLoader) (generate.Files, error) {
		return nodejs.GeneratePackage(name, bound, asked.ExtraFiles, asked.LocalDependencies, asked.Local, loader)
	})
}

// GenerateProgram makes a TypeScript program of one in PCL.
func (h *host) GenerateProgram(
	_ context.Context, asked *pulumirpc.GenerateProgramRequest,
) (*pulumirpc.GenerateProgramResponse, error) {
	return generate.Program(asked, nodejs.GenerateProgram, pcl.PreferOutputVersionedInvokes)
}

// GenerateProject makes a TypeScript project of one in PCL.
func (h *host) GenerateProject(
	_ context.Context, asked *pulumirpc.GenerateProjectRequest,
) (*pulumirpc.GenerateProjectResponse, error) {
	return generate.Project(asked, func(project workspace.Project, program *pcl.Program) error {
		return nodejs.GenerateProject(asked.TargetDirectory, project, program, asked.LocalDependencies, false, "nodejs")
	}, pcl.PreferOutputVersionedInvokes)
}

// Link writes local SDKs into a project's package.json, and says how to import them.
func (h *host) Link(ctx context.Context, asked *pulumirpc.LinkRequest) (*pulumirpc.LinkResponse, error) {
	said, manager, err := tools(asked.Info)
	if err != nil {
		return nil, err
	}
	loaded, err := generate.Loaded(ctx, asked, nodejs.Importer, "nodejs")
	if err != nil {
		return nil, err
	}
	imports := strings.Builder{}
	for i, dependency := range asked.Packages {
		module := "@pulumi/pulumi"
		if loaded[i] != nil {
			module = moduleOf(loaded[i])
			imports.WriteString(importOf(module, cgstrings.Camel(loaded[i].Name), said.typescript))
		}
		if err := manager.Link(ctx, asked.Info.ProgramDirectory, module, dependency.Path); err != nil {
			return nil, err
		}
	}
	language := map[bool]string{true: "TypeScript", false: "JavaScript"}[said.typescript]
	return &pulumirpc.LinkResponse{
		ImportInstructions: fmt.Sprintf("You can import the SDK in your %s code with:\n\n%s", language, imports.String()),
	}, nil
}

func moduleOf(bound *schema.Package) string {
	if info, ok := bound.Language["nodejs"].(nodejs.NodePackageInfo); ok && info.PackageName != "" {
		return info.PackageName
	}
	namespace := bound.Namespace
	if namespace == "" {
		namespace = "pulumi"
	}
	return "@" + namespace + "/" + bound.Name
}

func importOf(module, variable string, typescript bool) string {
	if typescript {
		return fmt.Sprintf("  import * as %s from \"%s\";\n", variable, module)
	}
	return fmt.Sprintf("  const %s = require(\"%s\");\n", variable, module)
}
