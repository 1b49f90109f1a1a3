package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// checkTypes runs the type checker that the project asks for; with an error of it the program does not start.
func checkTypes(ctx context.Context, chosen toolchain.PythonOptions, python toolchain.Toolchain) error {
	arguments := []string{"-m"}
	switch chosen.Typechecker {
	case toolchain.TypeCheckerMypy:
		environment, err := python.VirtualEnvPath(ctx)
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(chosen.ProgramDir, environment)
		if err != nil {
			return err
		}
		arguments = append(arguments, "mypy", "--exclude", inside)
	case toolchain.TypeCheckerPyright:
		arguments = append(arguments, "pyright")
	default:
		return nil
	}
	return check(ctx, python, chosen.ProgramDir, append(arguments, chosen.ProgramDir))
}

func check(ctx context.Context, python toolchain.Toolchain, folder string, arguments []string) error {
	command, err := python.Command(ctx, arguments...)
	if err != nil {
		return err
	}
	var said bytes.Buffer
	command.Dir = folder
	command.Stdout = io.MultiWriter(os.Stdout, &said)
	command.Stderr = io.MultiWriter(os.Stderr, &said)
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s failed: %w\n%s", arguments[1], err, said.String())
	}
	return nil
}
