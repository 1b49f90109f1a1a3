package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/nodejs/npm"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"toolchain/languages/program"
)

// InstallDependencies fills node_modules with what a program's package.json names.
func (h *host) InstallDependencies(
	asked *pulumirpc.InstallDependenciesRequest, stream pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	said, err := read(asked.Info)
	if err != nil {
		return err
	}
	closer, info, problem, err := rpcutil.MakeInstallDependenciesStreams(stream, asked.IsTerminal)
	if err != nil {
		return err
	}
	defer closer.Close() // a second close does nothing
	folder, err := npm.FindWorkspaceRoot(asked.Info.ProgramDirectory)
	if errors.Is(err, npm.ErrNotInWorkspace) {
		folder = asked.Info.ProgramDirectory
	} else if err != nil {
		return err
	}
	_, _ = fmt.Fprint(info, "Installing dependencies...\n\n")
	manager := npm.PackageManagerType(said.manager)
	if _, err := npm.Install(stream.Context(), manager, folder, said.production, info, problem); err != nil {
		return err
	}
	_, _ = fmt.Fprint(info, "Finished installing dependencies\n\n")
	return closer.Close()
}

// GetProgramDependencies lists what is installed in a program's folder.
func (h *host) GetProgramDependencies(
	ctx context.Context, asked *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	_, manager, err := tools(asked.Info)
	if err != nil {
		return nil, err
	}
	installed, err := manager.ListPackages(ctx, asked.Info.ProgramDirectory, asked.TransitiveDependencies)
	if err != nil {
		return nil, err
	}
	return program.Installed(installed), nil
}

// RuntimeOptionsPrompts asks nothing: npm is taken where no lock file speaks for another.
func (h *host) RuntimeOptionsPrompts(
	context.Context, *pulumirpc.RuntimeOptionsRequest,
) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}
