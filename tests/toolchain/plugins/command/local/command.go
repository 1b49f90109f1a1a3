// Package local runs commands on this machine, call by call as the released plugin does.
package local

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Command is the resource command:local:Command.
type Command struct{}

// Inputs are the properties that a program sets.
type Inputs struct {
	Create                 *string           `pulumi:"create,optional"`
	Update                 *string           `pulumi:"update,optional"`
	Delete                 *string           `pulumi:"delete,optional"`
	Triggers               *[]any            `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Environment            map[string]string `pulumi:"environment,optional"`
	Dir                    *string           `pulumi:"dir,optional"`
	Interpreter            *[]string         `pulumi:"interpreter,optional"`
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

// Annotate gives the one default that the released schema has.
func (i *Inputs) Annotate(a infer.Annotator) {
	a.SetDefault(&i.AddPreviousOutputInEnv, true)
}

// Create runs `create`; without one it succeeds and does nothing. A failure stores nothing.
func (*Command) Create(ctx context.Context, req infer.CreateRequest[Inputs]) (infer.CreateResponse[Outputs], error) {
	state := Outputs{Inputs: req.Inputs}
	if req.DryRun {
		return infer.CreateResponse[Outputs]{ID: req.Name, Output: state}, nil
	}
	id, err := identifier(req.Name)
	if err == nil && req.Inputs.Create != nil {
		err = state.run(ctx, *req.Inputs.Create, nil)
	}
	if err != nil {
		return infer.CreateResponse[Outputs]{}, err
	}
	return infer.CreateResponse[Outputs]{ID: id, Output: state}, nil
}

// Update runs `update`, else `create`: whatever input changed, there is no other diff.
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

// Delete runs `delete` as it is stored, with the stored environment.
func (*Command) Delete(ctx context.Context, req infer.DeleteRequest[Outputs]) (infer.DeleteResponse, error) {
	state := req.State
	if state.Inputs.Delete == nil {
		return infer.DeleteResponse{}, nil
	}
	return infer.DeleteResponse{}, state.run(ctx, *state.Inputs.Delete, &req.State)
}

func identifier(name string) (string, error) {
	random := make([]byte, 4)
	_, err := rand.Read(random)
	return name + hex.EncodeToString(random), err
}
