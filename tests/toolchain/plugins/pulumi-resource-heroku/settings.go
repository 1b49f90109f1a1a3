package main

import (
	"encoding/json"
	"fmt"
	"os"

	p "github.com/pulumi/pulumi-go-provider"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const defaultTimeout, shortestTimeout = 20.0, 10.0 // minutes

var settingNames = []string{"apiKey", "url", "email", "headers", "delays", "timeouts", "customizations"}

// settings are what a program may tell the provider. There is no netrc here, and `delays` concern none of add-ons.
type settings struct {
	client        client
	createTimeout float64 // minutes
	valuesInState bool
}

type configError struct{ failure p.CheckFailure }

func (e *configError) Error() string { return e.failure.Property + ": " + e.failure.Reason }

// parse reads the settings; what is not set comes from the environment of the plugin.
func parse(args property.Map) (settings, *p.CheckFailure) {
	parsed := settings{createTimeout: defaultTimeout, valuesInState: true}
	parsed.client = client{
		url:    text(args, "url", "HEROKU_API_URL", "https://api.heroku.com"),
		email:  text(args, "email", "HEROKU_EMAIL", ""),
		apiKey: text(args, "apiKey", "HEROKU_API_KEY", ""),
	}
	if headers := text(args, "headers", "HEROKU_HEADERS", ""); headers != "" {
		if err := json.Unmarshal([]byte(headers), &parsed.client.headers); err != nil {
			return parsed, &p.CheckFailure{Property: "headers", Reason: "not a JSON object of strings: " + err.Error()}
		}
	}
	if minutes, ok := nested(args, "timeouts")["addonCreateTimeout"].(float64); ok {
		parsed.createTimeout = minutes
	}
	if parsed.createTimeout < shortestTimeout {
		return parsed, &p.CheckFailure{Property: "timeouts", Reason: fmt.Sprintf(
			"expected addon_create_timeout to be at least (%v), got %v", shortestTimeout, parsed.createTimeout)}
	}
	if keep, ok := nested(args, "customizations")["setAddonConfigVarsInState"].(bool); ok {
		parsed.valuesInState = keep
	}
	return parsed, nil
}

func text(args property.Map, key, variable, otherwise string) string {
	if value := args.Get(key); value.IsString() && value.AsString() != "" {
		return value.AsString()
	}
	if value := os.Getenv(variable); value != "" {
		return value
	}
	return otherwise
}

// nested is a compound setting, which comes as JSON in a string: an object, or a list of at most one.
func nested(args property.Map, key string) map[string]any {
	var decoded any
	if value := args.Get(key); !value.IsString() || json.Unmarshal([]byte(value.AsString()), &decoded) != nil {
		return nil
	}
	if list, ok := decoded.([]any); ok && len(list) > 0 {
		decoded = list[0]
	}
	object, _ := decoded.(map[string]any)
	return object
}
