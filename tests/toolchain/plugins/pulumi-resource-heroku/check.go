package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"regexp"

	p "github.com/pulumi/pulumi-go-provider"

	"github.com/google/uuid"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// defaulted is where the released provider notes which inputs the program did not give.
const defaulted = "__defaults"

var nameForm = regexp.MustCompile(`^[a-zA-Z][A-Za-z0-9_-]{1,255}$`)

// check validates without asking Heroku; what is not known yet passes.
func check(_ context.Context, req p.CheckRequest) (p.CheckResponse, error) {
	var failures []p.CheckFailure
	fail := func(property, reason string) {
		failures = append(failures, p.CheckFailure{Property: property, Reason: reason})
	}
	for _, key := range []string{"appId", "plan"} {
		if _, given := req.Inputs.GetOk(key); !given {
			fail(key, "missing required property "+key)
		}
	}
	if app := req.Inputs.Get("appId"); app.IsString() && !isUUID(app.AsString()) {
		fail("appId", "expected the UUID of an app, got "+app.AsString())
	}
	if name := req.Inputs.Get("name"); name.IsString() && !nameForm.MatchString(name.AsString()) {
		fail("name", "expected a letter, then one letter, digit, - or _ or more, 256 at most in all, got "+name.AsString())
	}
	return p.CheckResponse{Inputs: named(req), Failures: failures}, nil
}

// isUUID takes the plain form only; the library knows others, with braces or without dashes.
func isUUID(text string) bool {
	return len(text) == len(uuid.Nil.String()) && uuid.Validate(text) == nil
}

// named gives a resource without a name its logical name and seven random digits, once.
func named(req p.CheckRequest) property.Map {
	if _, given := req.Inputs.GetOk("name"); given {
		return req.Inputs.Set(defaulted, property.New([]property.Value{}))
	}
	inputs := req.Inputs.Set(defaulted, property.New([]property.Value{property.New("name")}))
	if before := req.State.Get("name"); before.IsString() && isAutonamed(req.State) {
		return inputs.Set("name", before)
	}
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails
	return inputs.Set("name", property.New(req.Urn.Name()+"-"+hex.EncodeToString(random)[:7]))
}

func isAutonamed(inputs property.Map) bool {
	list := inputs.Get(defaulted)
	return list.IsArray() && list.AsArray().Len() > 0
}

// diff: another app or another config is another add-on; a plan or a name is changed in place.
// An add-on whose name was given is deleted before it is replaced, because names are unique.
func diff(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
	changed := map[string]p.PropertyDiff{}
	replaces := false
	for key, kind := range map[string]p.DiffKind{
		"appId": p.UpdateReplace, "config": p.UpdateReplace, "plan": p.Update, "name": p.Update,
	} {
		if !same(req.State, req.Inputs, key) {
			changed[key] = p.PropertyDiff{Kind: kind}
			replaces = replaces || kind == p.UpdateReplace
		}
	}
	return p.DiffResponse{
		HasChanges:          len(changed) > 0,
		DetailedDiff:        changed,
		DeleteBeforeReplace: replaces && !isAutonamed(req.Inputs),
	}, nil
}
