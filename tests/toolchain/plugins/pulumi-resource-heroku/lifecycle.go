package main

import (
	"context"
	"fmt"

	p "github.com/pulumi/pulumi-go-provider"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// show is what the released provider reads after every operation.
func (g *plugin) show(id string) (addon, map[string]string, error) {
	var found addon
	if err := g.settings.client.call("GET", "/addons/"+id, nil, &found); err != nil {
		return found, nil, err
	}
	values, err := g.values(found)
	return found, values, err
}

// values are those of the add-on's config vars that are set, or none if they are to stay out of state.
func (g *plugin) values(of addon) (map[string]string, error) {
	if !g.settings.valuesInState {
		return nil, nil
	}
	var all map[string]*string
	if err := g.settings.client.call("GET", "/apps/"+of.App.ID+"/config-vars", nil, &all); err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, name := range of.ConfigVars {
		if value := all[name]; value != nil {
			values[name] = *value
		}
	}
	return values, nil
}

// read asks twice, as the released provider does; only an error with the id `not_found` means gone.
func (g *plugin) read(_ context.Context, req p.ReadRequest) (p.ReadResponse, error) {
	var there addon
	err := g.settings.client.call("GET", "/addons/"+req.ID, nil, &there)
	if isNotFound(err) {
		return p.ReadResponse{}, nil
	}
	if err != nil {
		return p.ReadResponse{}, err
	}
	found, values, err := g.show(req.ID)
	if err != nil {
		return p.ReadResponse{}, err
	}
	inputs := property.NewMap(found.inputs(req.Properties)).Set(defaulted, defaultsOf(req.Inputs))
	return p.ReadResponse{ID: req.ID, Properties: found.state(req.Properties, values), Inputs: inputs}, nil
}

// defaultsOf an import are none: what Heroku says counts as given.
func defaultsOf(inputs property.Map) property.Value {
	if list, ok := inputs.GetOk(defaulted); ok {
		return list
	}
	return property.New([]property.Value{})
}

// update sends an unchanged plan as an empty one, as the released provider does. What is refused is stored all the
// same, with the failure beside it, so that the next deployment updates again without seeing a difference.
func (g *plugin) update(_ context.Context, req p.UpdateRequest) (p.UpdateResponse, error) {
	wanted := req.State
	for _, key := range []string{"plan", "name"} {
		wanted = wanted.Set(key, req.Inputs.Get(key))
	}
	if req.DryRun {
		return p.UpdateResponse{Properties: wanted}, nil
	}
	found, values, err := g.patch(req)
	if err != nil {
		err = fmt.Errorf("error updating add-on: %w", err)
		return p.UpdateResponse{Properties: wanted, PartialState: partial(err)}, err
	}
	return p.UpdateResponse{Properties: found.state(req.Inputs, values)}, nil
}

func (g *plugin) patch(req p.UpdateRequest) (addon, map[string]string, error) {
	body := map[string]string{"plan": ""}
	for _, key := range []string{"plan", "name"} {
		if !same(req.State, req.Inputs, key) {
			body[key] = req.Inputs.Get(key).AsString()
		}
	}
	var changed addon
	path := "/apps/" + req.State.Get("appId").AsString() + "/addons/" + req.ID
	if err := g.settings.client.call("PATCH", path, body, &changed); err != nil {
		return changed, nil, err
	}
	return g.show(changed.ID)
}

// delete takes any error for one, that of an add-on which is gone already included.
func (g *plugin) delete(_ context.Context, req p.DeleteRequest) error {
	var gone addon
	path := "/apps/" + req.Properties.Get("appId").AsString() + "/addons/" + req.ID
	if err := g.settings.client.call("DELETE", path, nil, &gone); err != nil {
		return fmt.Errorf("error deleting add-on: %w", err)
	}
	return nil
}
