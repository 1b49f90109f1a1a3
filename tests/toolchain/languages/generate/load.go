package generate

import (
	"context"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Loaded returns the packages that are to be linked, each with its schema, in the order asked for.
// The SDK of Pulumi itself has none; its place is nil.
func Loaded(ctx context.Context, asked *pulumirpc.LinkRequest, language schema.Language, name string) ([]*schema.Package, error) {
	loader, err := schema.NewLoaderClient(asked.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	loaded := make([]*schema.Package, len(asked.Packages))
	for i, one := range asked.Packages {
		if one.Package.Name == "pulumi" {
			continue
		}
		reference, err := schema.LoadPackageReferenceV2(ctx, schema.NewCachedLoader(loader), descriptor(one.Package))
		if err != nil {
			return nil, err
		}
		if loaded[i], err = reference.Definition(); err != nil {
			return nil, err
		}
		if err := loaded[i].ImportLanguages(map[string]schema.Language{name: language}); err != nil {
			return nil, err
		}
	}
	return loaded, nil
}

func descriptor(dependency *pulumirpc.PackageDependency) *schema.PackageDescriptor {
	described := &schema.PackageDescriptor{Name: dependency.Name, DownloadURL: dependency.Server}
	if version, err := semver.New(dependency.Version); err == nil {
		described.Version = version
	}
	if said := dependency.Parameterization; said != nil {
		described.Parameterization = &schema.ParameterizationDescriptor{Name: said.Name, Value: said.Value}
		if version, err := semver.New(said.Version); err == nil {
			described.Parameterization.Version = *version
		}
	}
	return described
}
