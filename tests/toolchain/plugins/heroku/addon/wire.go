package addon

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// row is an add-on as the Platform API shows it.
type row struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	State      string   `json:"state"`
	App        named    `json:"app"`
	Plan       named    `json:"plan"`
	ProviderID string   `json:"provider_id"`
	ConfigVars []string `json:"config_vars"`
}

// state is what the engine stores: the plan in the spelling of the program, config as it was sent, since it is never read back.
func (r row) state(inputs property.Map, values map[string]string) property.Map {
	vars := make([]property.Value, len(r.ConfigVars))
	for i, name := range r.ConfigVars {
		vars[i] = property.New(name)
	}
	secret := map[string]property.Value{}
	for name, value := range values {
		secret[name] = property.New(value)
	}
	stored := map[string]property.Value{
		"appId":           property.New(r.App.ID),
		"name":            property.New(r.Name),
		"plan":            property.New(spelled(r.Plan.Name, inputs)),
		"providerId":      property.New(r.ProviderID),
		"configVars":      property.New(vars),
		"configVarValues": property.New(secret).WithSecret(true),
	}
	if config, ok := inputs.GetOk("config"); ok {
		stored["config"] = config
	}
	return property.NewMap(stored)
}

func spelled(plan string, inputs property.Map) string {
	if wanted, ok := inputs.GetOk("plan"); ok && wanted.IsString() && !strings.Contains(wanted.AsString(), ":") {
		return strings.SplitN(plan, ":", 2)[0]
	}
	return plan
}

// inputsOf are the inputs that an import finds.
func (r row) inputsOf(inputs property.Map) property.Map {
	found := map[string]property.Value{
		"appId": property.New(r.App.ID),
		"name":  property.New(r.Name),
		"plan":  property.New(spelled(r.Plan.Name, inputs)),
	}
	if config, ok := inputs.GetOk("config"); ok {
		found["config"] = config
	}
	return property.NewMap(found)
}
