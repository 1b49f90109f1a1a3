package main

import (
	"context"
	"sync"

	p "github.com/pulumi/pulumi-go-provider"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// plugin is one configured provider; the engine runs a process for each.
type plugin struct {
	settings settings
	creating sync.Mutex // held for a whole create, the wait included
}

func (g *plugin) provider() p.Provider {
	return p.Provider{
		GetSchema: func(context.Context, p.GetSchemaRequest) (p.GetSchemaResponse, error) {
			return p.GetSchemaResponse{Schema: schema}, nil
		},
		CheckConfig: checkConfig,
		DiffConfig:  diffConfig,
		Configure:   g.configure,
		Cancel:      func(context.Context) error { return nil }, // a create that waits is not reached by a cancel
		Check:       check,
		Diff:        diff,
		Create:      g.create,
		Read:        g.read,
		Update:      g.update,
		Delete:      g.delete,
	}
}

func checkConfig(_ context.Context, req p.CheckRequest) (p.CheckResponse, error) {
	response := p.CheckResponse{Inputs: req.Inputs}
	if _, failure := parse(req.Inputs); failure != nil {
		response.Failures = []p.CheckFailure{*failure}
	}
	return response, nil
}

func diffConfig(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
	changed := map[string]p.PropertyDiff{}
	for _, key := range settingNames {
		if !same(req.OldInputs, req.Inputs, key) {
			changed[key] = p.PropertyDiff{Kind: p.Update, InputDiff: true}
		}
	}
	return p.DiffResponse{HasChanges: len(changed) > 0, DetailedDiff: changed}, nil
}

func (g *plugin) configure(_ context.Context, req p.ConfigureRequest) error {
	parsed, failure := parse(req.Args)
	if failure != nil {
		return &configError{*failure}
	}
	g.settings = parsed
	return nil
}

func same(before, after property.Map, key string) bool {
	was, had := before.GetOk(key)
	is, has := after.GetOk(key)
	return had == has && was.Equals(is)
}
