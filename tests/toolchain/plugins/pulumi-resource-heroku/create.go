package main

import (
	"context"
	"fmt"
	"time"

	p "github.com/pulumi/pulumi-go-provider"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const (
	longestPause      = 10 * time.Second
	configVarsTimeout = 20 * time.Minute
)

// create orders an add-on and waits for it. Only then is its id known to the engine: what fails before leaves no
// state, though the add-on exists; what fails after keeps it.
func (g *plugin) create(_ context.Context, req p.CreateRequest) (p.CreateResponse, error) {
	if req.DryRun {
		return p.CreateResponse{Properties: unknownOutputs(req.Properties)}, nil
	}
	g.creating.Lock()
	defer g.creating.Unlock()
	made, err := g.order(req.Properties)
	if err == nil {
		err = g.waitUntilProvisioned(made)
	}
	if err != nil {
		return p.CreateResponse{}, fmt.Errorf("error creating add-on: %w", err)
	}
	found, values, err := g.settled(made)
	if err != nil {
		stored := made.state(req.Properties, nil)
		return p.CreateResponse{ID: made.ID, Properties: stored, PartialState: partial(err)}, err
	}
	return p.CreateResponse{ID: found.ID, Properties: found.state(req.Properties, values)}, nil
}

// partial goes with an error that leaves something worth storing.
func partial(err error) *p.InitializationFailed {
	return &p.InitializationFailed{Reasons: []string{err.Error()}}
}

func unknownOutputs(inputs property.Map) property.Map {
	for _, key := range []string{"providerId", "configVars", "configVarValues"} {
		inputs = inputs.Set(key, property.New(property.Computed))
	}
	return inputs
}

// order sends the POST; the app's name is always sent as confirmation.
func (g *plugin) order(inputs property.Map) (made addon, err error) {
	var app ref
	path := "/apps/" + inputs.Get("appId").AsString()
	if err := g.settings.client.call("GET", path, nil, &app); err != nil {
		return made, err
	}
	body := map[string]any{"plan": inputs.Get("plan").AsString(), "confirm": app.Name}
	if name := inputs.Get("name"); name.IsString() {
		body["name"] = name.AsString()
	}
	if config := inputs.Get("config"); config.IsMap() && config.AsMap().Len() > 0 {
		body["config"] = plain(config.AsMap())
	}
	err = g.settings.client.call("POST", path+"/addons", body, &made)
	return made, err
}

func plain(config property.Map) map[string]string {
	texts := map[string]string{}
	for key, value := range config.All {
		if value.IsString() {
			texts[key] = value.AsString()
		}
	}
	return texts
}

// waitUntilProvisioned gives up at the first poll that fails, and at any state but the two it knows.
func (g *plugin) waitUntilProvisioned(made addon) error {
	limit := time.Duration(g.settings.createTimeout * float64(time.Minute))
	deadline := time.Now().Add(limit)
	path := "/apps/" + made.App.ID + "/addons/" + made.ID
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, longestPause) {
		var now addon
		if err := g.settings.client.call("GET", path, nil, &now); err != nil {
			return err
		}
		switch {
		case now.State == "provisioned":
			return nil
		case now.State != "provisioning":
			return fmt.Errorf("unexpected state %q, wanted target \"provisioned\"", now.State)
		case time.Now().Add(pause).After(deadline):
			return fmt.Errorf("timeout while waiting for state to become \"provisioned\" (timeout: %v)", limit)
		}
		time.Sleep(pause)
	}
}

// settled waits for the config vars that the POST promised, then reads what came of it.
func (g *plugin) settled(made addon) (addon, map[string]string, error) {
	deadline := time.Now().Add(configVarsTimeout)
	for pause := 500 * time.Millisecond; g.settings.valuesInState; pause = min(2*pause, longestPause) {
		values, err := g.values(made)
		if err != nil {
			return made, nil, err
		}
		if len(values) == len(made.ConfigVars) {
			break
		}
		if time.Now().Add(pause).After(deadline) {
			return made, nil, fmt.Errorf("timeout while waiting for the config vars of add-on %s", made.Name)
		}
		time.Sleep(pause)
	}
	return g.show(made.ID)
}
