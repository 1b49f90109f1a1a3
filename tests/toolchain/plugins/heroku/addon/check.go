package addon

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"regexp"

	p "github.com/pulumi/pulumi-go-provider"

	"github.com/google/uuid"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

var nameForm = regexp.MustCompile(`^[a-zA-Z][A-Za-z0-9_-]{0,255}$`)

// check validates; a resource without a name gets its logical name and seven random digits, once.
func (a *Addon) check(_ context.Context, req p.CheckRequest) (p.CheckResponse, error) {
	inputs, failures := req.Inputs, []p.CheckFailure{}
	if app, ok := inputs.GetOk("appId"); !ok {
		failures = append(failures, p.CheckFailure{Property: "appId", Reason: "missing required property"})
	} else if app.IsString() && uuid.Validate(app.AsString()) != nil {
		failures = append(failures, p.CheckFailure{Property: "appId", Reason: "expected a UUID, not the name of an app"})
	}
	if _, ok := inputs.GetOk("plan"); !ok {
		failures = append(failures, p.CheckFailure{Property: "plan", Reason: "missing required property"})
	}
	if name, ok := inputs.GetOk("name"); !ok {
		inputs = inputs.Set("name", property.New(autoname(req)))
	} else if name.IsString() && !nameForm.MatchString(name.AsString()) {
		failures = append(failures, p.CheckFailure{Property: "name", Reason: "a letter, then letters, digits, - or _"})
	}
	return p.CheckResponse{Inputs: inputs, Failures: failures}, nil
}

func autoname(req p.CheckRequest) string {
	if old, ok := req.State.GetOk("name"); ok && old.IsString() {
		return old.AsString()
	}
	random := make([]byte, 4)
	_, _ = rand.Read(random)
	return req.Urn.Name() + "-" + hex.EncodeToString(random)[:7]
}

// diff: another app or another config is another add-on; a plan or a name is changed in place.
// An add-on whose name was given is deleted before it is replaced, because the name is unique.
func (a *Addon) diff(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
	detailed := map[string]p.PropertyDiff{}
	replaces := false
	for _, key := range []string{"appId", "config", "plan", "name"} {
		old := req.State
		if key == "config" { // never read back, so only what was once sent is known
			old = req.OldInputs
		}
		before, had := old.GetOk(key)
		after, has := req.Inputs.GetOk(key)
		if had == has && before.Equals(after) {
			continue
		}
		kind := p.Update
		if key == "appId" || key == "config" {
			kind, replaces = p.UpdateReplace, true
		}
		detailed[key] = p.PropertyDiff{Kind: kind, InputDiff: true}
	}
	return p.DiffResponse{
		HasChanges:          len(detailed) > 0,
		DetailedDiff:        detailed,
		DeleteBeforeReplace: replaces,
	}, nil
}
