package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// RunPlugin runs a plugin that is a folder of Python.
func (h *host) RunPlugin(
	asked *pulumirpc.RunPluginRequest, stream pulumirpc.LanguageRuntime_RunPluginServer,
) error {
	if asked.Kind == string(apitype.AnalyzerPlugin) || asked.AttachDebugger {
		return status.Error(codes.Unimplemented, "this stand-in runs no policy packs and attaches no debugger")
	}
	_, python, err := tools(asked.Info, true)
	if err != nil {
		return err
	}
	command, err := pluginCommand(stream.Context(), python, asked)
	if err != nil {
		return err
	}
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(stream, false)
	if err != nil {
		return err
	}
	defer closer.Close() // a second close does nothing
	command.Dir = asked.Pwd
	command.Env = append(command.Env, asked.Env...)
	command.Stdout, command.Stderr = stdout, stderr
	if err := command.Run(); err != nil {
		return exitOf(err, stream)
	}
	return closer.Close()
}

func exitOf(err error, stream pulumirpc.LanguageRuntime_RunPluginServer) error {
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return fmt.Errorf("the plugin could not be run: %w", err)
	}
	return stream.Send(&pulumirpc.RunPluginResponse{
		Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(ended.ExitCode())},
	})
}

// pluginCommand runs the folder's own `__main__.py`, or lets Pulumi's SDK host the components of a package without one.
func pluginCommand(
	ctx context.Context, python toolchain.Toolchain, asked *pulumirpc.RunPluginRequest,
) (*exec.Cmd, error) {
	root := asked.Info.RootDirectory
	_, err := os.Stat(filepath.Join(root, "__main__.py"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err == nil || !canHost(ctx, python) {
		return python.Command(ctx, append([]string{asked.Info.ProgramDirectory}, asked.Args...)...)
	}
	buildable, err := toolchain.IsBuildablePackage(root)
	if err != nil {
		return nil, err
	}
	if !buildable {
		return nil, errors.New("plugin is not runnable, it provides neither __main__.py nor a buildable pyproject.toml")
	}
	project, err := toolchain.LoadPyproject(root)
	if err != nil {
		return nil, err
	}
	return python.ModuleCommand(ctx, "pulumi.run.plugin", append([]string{project.Project.Name}, asked.Args...)...)
}

// canHost tells a Pulumi SDK that is too old to host components from one that can.
func canHost(ctx context.Context, python toolchain.Toolchain) bool {
	command, err := python.Command(ctx, "-c", "import pulumi.run.plugin")
	if err != nil {
		return true
	}
	said, err := command.CombinedOutput()
	return err == nil || !strings.Contains(string(said), "ModuleNotFoundError")
}
