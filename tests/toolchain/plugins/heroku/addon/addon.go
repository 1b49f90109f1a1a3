// Package addon is the resource heroku:addon/addon:Addon, call by call as the released provider does it.
// Simplified: a 429 is an error like any other.
package addon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	p "github.com/pulumi/pulumi-go-provider"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Token is the type of the one resource.
const Token = "heroku:addon/addon:Addon"

const schema = `{"name":"heroku","version":"0.0.1-standin",
 "description":"A stand-in for pulumiverse heroku with Addon only.","resources":{"` + Token + `":{}}}`

const longestPause = 10 * time.Second

// Addon is a configured provider.
type Addon struct {
	settings settings
	creating sync.Mutex // held for a whole create, the wait included
}

// New is a provider that has yet to be configured.
func New() *Addon { return &Addon{} }

// Provider is the plugin's face to the engine.
func (a *Addon) Provider() p.Provider {
	return p.Provider{
		GetSchema: func(context.Context, p.GetSchemaRequest) (p.GetSchemaResponse, error) {
			return p.GetSchemaResponse{Schema: schema}, nil
		},
		CheckConfig: checkConfig,
		DiffConfig: func(context.Context, p.DiffRequest) (p.DiffResponse, error) {
			return p.DiffResponse{}, nil
		},
		Configure: a.configure,
		Check:     a.check,
		Diff:      a.diff,
		Create:    a.create,
		Read:      a.read,
		Update:    a.update,
		Delete:    a.delete,
	}
}

func checkConfig(_ context.Context, req p.CheckRequest) (p.CheckResponse, error) {
	response := p.CheckResponse{Inputs: req.Inputs}
	if _, err := parse(req.Inputs); err != nil {
		response.Failures = []p.CheckFailure{{Property: "timeouts", Reason: err.Error()}}
	}
	return response, nil
}

func (a *Addon) configure(_ context.Context, req p.ConfigureRequest) (err error) {
	a.settings, err = parse(req.Args)
	return err
}

func (a *Addon) create(ctx context.Context, req p.CreateRequest) (p.CreateResponse, error) {
	if req.DryRun {
		return p.CreateResponse{Properties: preview(req.Properties)}, nil
	}
	a.creating.Lock()
	defer a.creating.Unlock()
	made, err := a.order(req.Properties)
	if err == nil {
		err = a.waitUntilProvisioned(ctx, made)
	}
	if err != nil {
		return p.CreateResponse{}, fmt.Errorf("error creating add-on: %w", err)
	}
	found, values, err := a.settled(made)
	if err != nil { // the id is known by now, so the engine keeps it
		failed := &p.InitializationFailed{Reasons: []string{err.Error()}}
		return p.CreateResponse{ID: made.ID, Properties: made.state(req.Properties, nil), PartialState: failed}, nil
	}
	return p.CreateResponse{ID: found.ID, Properties: found.state(req.Properties, values)}, nil
}

func preview(inputs property.Map) property.Map {
	computed := property.New(property.Computed)
	for _, key := range []string{"providerId", "configVars", "configVarValues"} {
		inputs = inputs.Set(key, computed)
	}
	return inputs
}

// order sends the POST; the app's name is always sent as confirmation.
func (a *Addon) order(inputs property.Map) (row, error) {
	var app named
	var made row
	path := "/apps/" + inputs.Get("appId").AsString()
	if err := a.settings.client.call("GET", path, nil, &app); err != nil {
		return made, err
	}
	body := map[string]any{"plan": inputs.Get("plan").AsString(), "confirm": app.Name}
	for _, key := range []string{"name", "config"} {
		if value, ok := inputs.GetOk(key); ok {
			body[key] = plain(value)
		}
	}
	err := a.settings.client.call("POST", path+"/addons", body, &made)
	return made, err
}

// waitUntilProvisioned gives up at the first poll that fails, and at any state but the two it knows.
func (a *Addon) waitUntilProvisioned(ctx context.Context, made row) error {
	deadline := time.Now().Add(time.Duration(a.settings.createTimeout * float64(time.Minute)))
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, longestPause) {
		var now row
		path := "/apps/" + made.App.ID + "/addons/" + made.ID
		if err := a.settings.client.call("GET", path, nil, &now); err != nil {
			return err
		}
		switch {
		case now.State == "provisioned":
			return nil
		case now.State != "provisioning":
			return fmt.Errorf("unexpected state %q, wanted provisioned", now.State)
		case time.Now().After(deadline):
			return fmt.Errorf("still provisioning after %v minutes", a.settings.createTimeout)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// settled waits for the config vars that were promised, then reads what came of it.
func (a *Addon) settled(made row) (row, map[string]string, error) {
	for a.settings.valuesInState {
		values, err := a.values(made.App.ID, made.ConfigVars)
		if err != nil {
			return made, nil, err
		}
		if len(values) == len(made.ConfigVars) {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	return a.show(made.ID)
}

func (a *Addon) values(app string, names []string) (map[string]string, error) {
	if !a.settings.valuesInState {
		return nil, nil
	}
	var all map[string]*string
	if err := a.settings.client.call("GET", "/apps/"+app+"/config-vars", nil, &all); err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, name := range names {
		if value := all[name]; value != nil {
			values[name] = *value
		}
	}
	return values, nil
}

func (a *Addon) show(id string) (row, map[string]string, error) {
	var found row
	if err := a.settings.client.call("GET", "/addons/"+id, nil, &found); err != nil {
		return found, nil, err
	}
	values, err := a.values(found.App.ID, found.ConfigVars)
	return found, values, err
}

// read asks twice, as the released provider does; only `not_found` means gone.
func (a *Addon) read(_ context.Context, req p.ReadRequest) (p.ReadResponse, error) {
	var there row
	err := a.settings.client.call("GET", "/addons/"+req.ID, nil, &there)
	var refused *refusal
	if errors.As(err, &refused) && refused.id == "not_found" {
		return p.ReadResponse{}, nil
	}
	if err != nil {
		return p.ReadResponse{}, err
	}
	found, values, err := a.show(req.ID)
	if err != nil {
		return p.ReadResponse{}, err
	}
	known := req.Inputs
	if known.Len() == 0 { // an import knows nothing yet: the plan is read with its service
		known = property.NewMap(map[string]property.Value{"plan": property.New("service:plan")})
	}
	return p.ReadResponse{ID: req.ID, Properties: found.state(known, values), Inputs: found.inputsOf(known)}, nil
}

// update: an unchanged plan is sent as an empty one, as the released provider does.
func (a *Addon) update(_ context.Context, req p.UpdateRequest) (p.UpdateResponse, error) {
	if req.DryRun {
		return p.UpdateResponse{Properties: preview(req.Inputs)}, nil
	}
	body := map[string]any{"plan": ""}
	for _, key := range []string{"plan", "name"} {
		if after := req.Inputs.Get(key); !after.Equals(req.State.Get(key)) {
			body[key] = plain(after)
		}
	}
	var changed row
	path := "/apps/" + req.State.Get("appId").AsString() + "/addons/" + req.ID
	if err := a.settings.client.call("PATCH", path, body, &changed); err != nil {
		return p.UpdateResponse{}, fmt.Errorf("error updating add-on: %w", err)
	}
	found, values, err := a.show(changed.ID)
	if err != nil {
		return p.UpdateResponse{}, err
	}
	return p.UpdateResponse{Properties: found.state(req.Inputs, values)}, nil
}

// delete takes any error for one, an add-on that is gone already included.
func (a *Addon) delete(_ context.Context, req p.DeleteRequest) error {
	var gone row
	path := "/apps/" + req.Properties.Get("appId").AsString() + "/addons/" + req.ID
	if err := a.settings.client.call("DELETE", path, nil, &gone); err != nil {
		return fmt.Errorf("error deleting add-on: %w", err)
	}
	return nil
}
