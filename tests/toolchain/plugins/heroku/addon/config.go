package addon

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const defaultTimeout, shortestTimeout = 20.0, 10.0

// settings are what a program may tell the provider; nested values arrive as JSON in a string.
type settings struct {
	client        client
	createTimeout float64 // minutes
	valuesInState bool
}

// parse reads the settings; what is not set comes from the environment of the plugin.
func parse(args property.Map) (settings, error) {
	parsed := settings{createTimeout: defaultTimeout, valuesInState: true}
	parsed.client = client{
		url:    text(args, "url", "HEROKU_API_URL", "https://api.heroku.com"),
		email:  text(args, "email", "HEROKU_EMAIL", ""),
		apiKey: text(args, "apiKey", "HEROKU_API_KEY", ""),
	}
	if err := headers(&parsed.client, text(args, "headers", "HEROKU_HEADERS", "")); err != nil {
		return parsed, err
	}
	if minutes, ok := nested(args, "timeouts")["addonCreateTimeout"].(float64); ok {
		parsed.createTimeout = minutes
	}
	if parsed.createTimeout < shortestTimeout {
		return parsed, fmt.Errorf("addonCreateTimeout: expected at least %v minutes, got %v", shortestTimeout, parsed.createTimeout)
	}
	if keep, ok := nested(args, "customizations")["setAddonConfigVarsInState"].(bool); ok {
		parsed.valuesInState = keep
	}
	return parsed, nil
}

func headers(c *client, text string) error {
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &c.headers); err != nil {
		return fmt.Errorf("headers: not a JSON object of strings: %w", err)
	}
	return nil
}

func text(args property.Map, key, variable, otherwise string) string {
	if value, ok := args.GetOk(key); ok && value.IsString() && value.AsString() != "" {
		return value.AsString()
	}
	if value := os.Getenv(variable); value != "" {
		return value
	}
	return otherwise
}

// nested is a compound setting: an object, or a list of at most one.
func nested(args property.Map, key string) map[string]any {
	value, ok := args.GetOk(key)
	if !ok {
		return nil
	}
	plain := plain(value)
	if encoded, ok := plain.(string); ok && json.Unmarshal([]byte(encoded), &plain) != nil {
		return nil
	}
	if list, ok := plain.([]any); ok && len(list) > 0 {
		plain = list[0]
	}
	object, _ := plain.(map[string]any)
	return camel(object)
}

func camel(object map[string]any) map[string]any {
	renamed := make(map[string]any, len(object))
	for key, value := range object {
		words := strings.Split(key, "_")
		for i, word := range words[1:] {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
		renamed[strings.Join(words, "")] = value
	}
	return renamed
}

// plain is a property value without its Pulumi clothes.
func plain(value property.Value) any {
	switch {
	case value.IsString():
		return value.AsString()
	case value.IsBool():
		return value.AsBool()
	case value.IsNumber():
		return value.AsNumber()
	case value.IsArray():
		list := make([]any, 0, value.AsArray().Len())
		for _, item := range value.AsArray().All {
			list = append(list, plain(item))
		}
		return list
	case value.IsMap():
		object := map[string]any{}
		for key, item := range value.AsMap().All {
			object[key] = plain(item)
		}
		return object
	}
	return nil
}
