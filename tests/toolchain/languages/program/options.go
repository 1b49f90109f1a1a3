package program

import (
	"encoding/json"
	"fmt"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Option reads one of a project's `runtime: options:`; what is not there is what `absent` says.
func Option[T any](info *pulumirpc.ProgramInfo, key, kind string, absent T) (T, error) {
	value, present := info.GetOptions().AsMap()[key]
	if !present {
		return absent, nil
	}
	said, ok := value.(T)
	if !ok {
		return absent, fmt.Errorf("%s option must be a %s", key, kind)
	}
	return said, nil
}

// Arguments are pairs of an option and its value, without those that are empty.
func Arguments(pairs ...[2]string) []string {
	arguments := []string{}
	for _, pair := range pairs {
		if pair[1] != "" {
			arguments = append(arguments, pair[:]...)
		}
	}
	return arguments
}

// Config are the variables in which a program finds the stack's config.
func Config(config map[string]string, secret []string) ([]string, error) {
	if secret == nil {
		secret = []string{}
	}
	values, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	keys, err := json.Marshal(secret)
	if err != nil {
		return nil, err
	}
	variables := []string{"PULUMI_CONFIG_SECRET_KEYS=" + string(keys)}
	if config != nil {
		variables = append(variables, "PULUMI_CONFIG="+string(values))
	}
	return variables, nil
}
