// Package serve is what every language host does to be found and ended by the engine.
package serve

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// How long an engine may be silent before its host ends itself.
const patience = 5 * time.Minute

// Told is what the engine says on the command line when it starts a language host.
type Told struct {
	Engine  string // where the engine listens; empty until it introduces itself by Handshake
	Tracing string // an endpoint to hand on to the program

	// Watch ends this host when the engine at that address goes.
	Watch func(engine string) error
}

// Host is a language host before it is served.
type Host func(Told) (pulumirpc.LanguageRuntimeServer, error)

// Main serves a host until its engine goes or interrupts it.
func Main(name string, host Host) {
	told := Told{}
	flag.StringVar(&told.Tracing, "tracing", "", "an endpoint that takes traces")
	versionOnly := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *versionOnly {
		fmt.Println(version.Version)
		return
	}
	told.Engine = flag.Arg(0)
	logging.InitLogging(false, 0, false)
	if err := serve(told, host); err != nil {
		fmt.Fprintf(os.Stderr, "%s (stand-in): %v\n", name, err)
		os.Exit(1)
	}
}

func serve(told Told, host Host) error {
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	told.Watch = func(engine string) error { return rpcutil.Healthcheck(interrupted, engine, patience, stop) }
	if told.Engine != "" {
		if err := told.Watch(told.Engine); err != nil {
			return fmt.Errorf("watching the engine at %s: %w", told.Engine, err)
		}
	}
	server, err := host(told)
	if err != nil {
		return err
	}
	serving, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel:  whenDone(interrupted),
		Options: rpcutil.TracingServerInterceptorOptions(nil),
		Init: func(srv *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(srv, server)
			return nil
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(serving.Port) // this is how the engine learns where to call
	return <-serving.Done
}

func whenDone(ctx context.Context) chan bool {
	cancel := make(chan bool)
	context.AfterFunc(ctx, func() { close(cancel) })
	return cancel
}
