package main

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"

	"toolchain/languages/program"
)

// InstallDependencies makes the environment of a program or plugin, with what it names in its files.
func (h *host) InstallDependencies(
	asked *pulumirpc.InstallDependenciesRequest, stream pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	_, python, err := tools(asked.Info, asked.IsPlugin)
	if err != nil {
		return err
	}
	closer, info, problem, err := rpcutil.MakeInstallDependenciesStreams(stream, asked.IsTerminal)
	if err != nil {
		return err
	}
	defer closer.Close() // a second close does nothing
	_, _ = fmt.Fprint(info, "Installing dependencies...\n\n")
	folder, managed := asked.Info.ProgramDirectory, asked.UseLanguageVersionTools
	if asked.IsPlugin {
		if buildable, err := toolchain.IsBuildablePackage(folder); err != nil {
			return err
		} else if buildable {
			if err := python.InstallPackage(stream.Context(), folder, managed, true, info, problem); err != nil {
				return err
			}
		}
	}
	if err := python.InstallDependencies(stream.Context(), folder, managed, true, info, problem); err != nil {
		return err
	}
	_, _ = fmt.Fprint(info, "Finished installing dependencies\n\n")
	return closer.Close()
}

// GetProgramDependencies lists what is installed in a program's environment.
func (h *host) GetProgramDependencies(
	ctx context.Context, asked *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	_, python, err := tools(asked.Info, false)
	if err != nil {
		return nil, err
	}
	installed, err := python.ListPackages(ctx, asked.TransitiveDependencies)
	if err != nil {
		return nil, err
	}
	return program.Installed(installed), nil
}

// About says which python and which package manager a project uses.
func (h *host) About(ctx context.Context, asked *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	info := asked.GetInfo()
	if info == nil {
		info = &pulumirpc.ProgramInfo{}
	}
	chosen, python, err := tools(info, false)
	if err != nil {
		return nil, err
	}
	about, err := python.About(ctx)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.AboutResponse{
		Executable: about.PythonExecutable,
		Version:    about.PythonVersion.String(),
		Metadata: map[string]string{
			"toolchain":        toolchain.Name(chosen.Toolchain),
			"toolchainVersion": about.ToolchainVersion.String(),
			"typechecker":      toolchain.TypeCheckerName(chosen.Typechecker),
		},
	}, nil
}

// Template fits a new project's files to its package manager.
func (h *host) Template(
	ctx context.Context, asked *pulumirpc.TemplateRequest,
) (*pulumirpc.TemplateResponse, error) {
	_, python, err := tools(asked.Info, false)
	if err != nil {
		return nil, err
	}
	err = python.PrepareProject(ctx, asked.ProjectName, asked.Info.ProgramDirectory, false, nil, nil)
	return &pulumirpc.TemplateResponse{}, err
}

// RuntimeOptionsPrompts asks for the options that a new project leaves open.
func (h *host) RuntimeOptionsPrompts(
	_ context.Context, asked *pulumirpc.RuntimeOptionsRequest,
) (*pulumirpc.RuntimeOptionsResponse, error) {
	said := asked.Info.Options.AsMap()
	prompts := []*pulumirpc.RuntimeOptionPrompt{}
	if _, chosen := said["toolchain"]; !chosen {
		choices := append([]*pulumirpc.RuntimeOptionPrompt_RuntimeOptionValue{choice("pip")},
			plugin.MakeExecutablePromptChoices("poetry", "uv")...)
		prompts = append(prompts, prompt("toolchain", "The toolchain that installs dependencies and runs the program", choices))
	}
	if _, chosen := said["virtualenv"]; !chosen && said["toolchain"] == "pip" {
		prompts = append(prompts, prompt("virtualenv", "The virtual environment to use",
			[]*pulumirpc.RuntimeOptionPrompt_RuntimeOptionValue{choice("venv")}))
	}
	return &pulumirpc.RuntimeOptionsResponse{Prompts: prompts}, nil
}

func prompt(
	key, description string, choices []*pulumirpc.RuntimeOptionPrompt_RuntimeOptionValue,
) *pulumirpc.RuntimeOptionPrompt {
	return &pulumirpc.RuntimeOptionPrompt{
		Key: key, Description: description, PromptType: pulumirpc.RuntimeOptionPrompt_STRING,
		Choices: choices, Default: choices[0],
	}
}

func choice(text string) *pulumirpc.RuntimeOptionPrompt_RuntimeOptionValue {
	return &pulumirpc.RuntimeOptionPrompt_RuntimeOptionValue{
		PromptType: pulumirpc.RuntimeOptionPrompt_STRING, StringValue: text, DisplayName: text,
	}
}
