package serve

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Passing returns writers whose text the engine shows while something goes on and then forgets.
func Passing(ctx context.Context, engine string) (info, problem io.Writer, end func(), err error) {
	if engine == "" {
		return nil, nil, nil, errors.New("no engine is known yet: Handshake comes first")
	}
	connection, err := grpc.NewClient(
		engine, grpc.WithTransportCredentials(insecure.NewCredentials()), rpcutil.GrpcChannelOptions())
	if err != nil {
		return nil, nil, nil, err
	}
	line := passing{ctx, pulumirpc.NewEngineClient(connection), rand.Int32(), pulumirpc.LogSeverity_INFO}
	worse := line
	worse.severity = pulumirpc.LogSeverity_ERROR
	return line, worse, func() { _ = connection.Close() }, nil
}

type passing struct {
	ctx      context.Context
	engine   pulumirpc.EngineClient
	stream   int32
	severity pulumirpc.LogSeverity
}

func (p passing) Write(text []byte) (int, error) {
	_, err := p.engine.Log(p.ctx, &pulumirpc.LogRequest{
		Severity:  p.severity,
		Message:   strings.ToValidUTF8(string(text), "?"),
		StreamId:  p.stream,
		Ephemeral: true,
	})
	if err != nil {
		return 0, err
	}
	return len(text), nil
}
