package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Command runs commands on this machine, as the released plugin does, but without assets and archives.
type Command struct{}

// Annotate gives the type the token that the SDK sends.
func (c *Command) Annotate(a infer.Annotator) { a.SetToken("local", "Command") }

// Inputs are the properties that a program sets.
type Inputs struct {
	Create                 *string           `pulumi:"create,optional"`
	Update                 *string           `pulumi:"update,optional"`
	Delete                 *string           `pulumi:"delete,optional"`
	Triggers               *[]any            `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Environment            map[string]string `pulumi:"environment,optional"`
	Dir                    *string           `pulumi:"dir,optional"`
	Interpreter            []string          `pulumi:"interpreter,optional"`
	Stdin                  *string           `pulumi:"stdin,optional"`
	Logging                *string           `pulumi:"logging,optional"`
	AddPreviousOutputInEnv *bool             `pulumi:"addPreviousOutputInEnv,optional"`
}

// Outputs are the inputs and what the last run printed.
type Outputs struct {
	Inputs
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// Create runs `create`; without one it succeeds and does nothing. A failure stores nothing.
func (*Command) Create(ctx context.Context, req infer.CreateRequest[Inputs]) (infer.CreateResponse[Outputs], error) {
	state := Outputs{Inputs: req.Inputs}
	id := identifier(req.Name)
	if req.DryRun || req.Inputs.Create == nil {
		return infer.CreateResponse[Outputs]{ID: id, Output: state}, nil
	}
	if err := state.run(ctx, *req.Inputs.Create, nil); err != nil {
		return infer.CreateResponse[Outputs]{}, err
	}
	return infer.CreateResponse[Outputs]{ID: id, Output: state}, nil
}

// Update runs `update`, else `create`, whatever input has changed: there is no diff of its own.
func (*Command) Update(ctx context.Context, req infer.UpdateRequest[Inputs, Outputs]) (infer.UpdateResponse[Outputs], error) {
	state := Outputs{Inputs: req.Inputs, Stdout: req.State.Stdout, Stderr: req.State.Stderr}
	command := req.Inputs.Update
	if command == nil {
		command = req.Inputs.Create
	}
	if req.DryRun || command == nil {
		return infer.UpdateResponse[Outputs]{Output: state}, nil
	}
	if err := state.run(ctx, *command, &req.State); err != nil {
		return infer.UpdateResponse[Outputs]{}, err
	}
	return infer.UpdateResponse[Outputs]{Output: state}, nil
}

// Delete runs `delete` as it is stored, with everything else as it is stored.
func (*Command) Delete(ctx context.Context, req infer.DeleteRequest[Outputs]) (infer.DeleteResponse, error) {
	state := req.State
	if state.Inputs.Delete == nil {
		return infer.DeleteResponse{}, nil
	}
	return infer.DeleteResponse{}, state.run(ctx, *state.Inputs.Delete, &req.State)
}

func identifier(name string) string {
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails
	return name + hex.EncodeToString(random)
}
