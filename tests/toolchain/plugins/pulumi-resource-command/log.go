package main

import (
	"bufio"
	"context"
	"io"

	p "github.com/pulumi/pulumi-go-provider"
)

// stream is one of a process's streams on its way to where it is kept and to the log.
type stream struct {
	io.Writer
	close func()
}

// tee keeps what is written and, if wanted, hands its lines to the engine as status messages.
// As in the released plugin, a line of more than 64 KiB ends the reader, and the process then hangs on a full pipe.
func tee(ctx context.Context, wanted bool, kept ...io.Writer) stream {
	if !wanted {
		return stream{io.MultiWriter(kept...), func() {}}
	}
	reader, writer := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			p.GetLogger(ctx).InfoStatus(lines.Text())
		}
	}()
	return stream{io.MultiWriter(append(kept, writer)...), func() { _ = writer.Close(); <-done }}
}
