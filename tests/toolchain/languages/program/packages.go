package program

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Installed lists packages as the engine wants them listed.
func Installed(packages []plugin.DependencyInfo) *pulumirpc.GetProgramDependenciesResponse {
	listed := &pulumirpc.GetProgramDependenciesResponse{}
	for _, one := range packages {
		listed.Dependencies = append(listed.Dependencies, &pulumirpc.DependencyInfo{Name: one.Name, Version: one.Version})
	}
	return listed
}

// Plugin is the one that a package describes; name and version stand in for those that it leaves out.
func Plugin(described plugin.PulumiPluginJSON, name, version string) *pulumirpc.PackageDependency {
	if described.Name != "" {
		name = described.Name
	}
	if described.Version != "" {
		version = described.Version
	}
	return &pulumirpc.PackageDependency{
		Kind: "resource", Name: name, Version: "v" + strings.TrimPrefix(version, "v"), Server: described.Server,
		Parameterization: parameters(described.Parameterization),
		Extension:        parameters(described.ExtensionParameterization),
	}
}

func parameters(said *plugin.PulumiParameterizationJSON) *pulumirpc.PackageParameterization {
	if said == nil {
		return nil
	}
	return &pulumirpc.PackageParameterization{Name: said.Name, Version: said.Version, Value: said.Value}
}
