package main

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

type ref struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// addon is an add-on as the Platform API shows it.
type addon struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	State      string   `json:"state"`
	App        ref      `json:"app"`
	Plan       ref      `json:"plan"`
	ProviderID string   `json:"provider_id"`
	ConfigVars []string `json:"config_vars"`
}

// inputs are those that this add-on answers to; `known` says how its plan is spelled, and config, which is never read back.
func (a addon) inputs(known property.Map) map[string]property.Value {
	inputs := map[string]property.Value{
		"appId": property.New(a.App.ID),
		"name":  property.New(a.Name),
		"plan":  property.New(a.spelledPlan(known.Get("plan"))),
	}
	if config, ok := known.GetOk("config"); ok {
		inputs["config"] = config
	}
	return inputs
}

// state is what the engine stores.
func (a addon) state(known property.Map, values map[string]string) property.Map {
	stored := a.inputs(known)
	names := make([]property.Value, len(a.ConfigVars))
	for i, name := range a.ConfigVars {
		names[i] = property.New(name)
	}
	secrets := map[string]property.Value{}
	for name, value := range values {
		secrets[name] = property.New(value)
	}
	stored["providerId"] = property.New(a.ProviderID)
	stored["configVars"] = property.New(names)
	stored["configVarValues"] = property.New(secrets).WithSecret(true)
	return property.NewMap(stored)
}

// spelledPlan leaves out what follows the service if the program does so too.
func (a addon) spelledPlan(known property.Value) string {
	service, _, _ := strings.Cut(a.Plan.Name, ":")
	if known.IsString() && known.AsString() != "" && !strings.Contains(known.AsString(), ":") {
		return service
	}
	return a.Plan.Name
}
