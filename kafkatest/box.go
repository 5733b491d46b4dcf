package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	dockernet "github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// stopSeconds is how long a broker may take to stop before the engine kills it.
const stopSeconds = 30

// A box is a broker in a container.
type box struct {
	engine    *engine
	net       string // id of the network
	name      string // in the network
	container *testcontainers.DockerContainer

	mu              sync.Mutex
	outside, inside string // addresses that the two ports have on this machine; they change when the container starts
}

func (b *box) id() string { return b.container.GetContainerID() }

func (b *box) kill(ctx context.Context) error {
	_, err := b.engine.docker.ContainerKill(ctx, b.id(), client.ContainerKillOptions{Signal: "KILL"})
	if err != nil {
		return err
	}
	return b.await(ctx, "the container to end", func(running bool) bool { return !running })
}

func (b *box) stop(ctx context.Context) error {
	timeout := stopSeconds
	_, err := b.engine.docker.ContainerStop(ctx, b.id(), client.ContainerStopOptions{Timeout: &timeout})
	return err
}

func (b *box) start(ctx context.Context) error {
	state, err := b.container.State(ctx)
	if err != nil {
		return err
	}
	if state.Running {
		return errors.New("it runs already")
	}
	before := strings.Count(b.log(), ready)
	if _, err := b.engine.docker.ContainerStart(ctx, b.id(), client.ContainerStartOptions{}); err != nil {
		return err
	}
	if err := b.await(ctx, "the broker to be ready", func(running bool) bool {
		return !running || strings.Count(b.log(), ready) > before
	}); err != nil {
		return err
	}
	if strings.Count(b.log(), ready) == before {
		return fmt.Errorf("it ended while starting; its log ends:\n%s", lastLines(b.log(), 25))
	}
	return b.locate(ctx)
}

func (b *box) pause(ctx context.Context) error {
	_, err := b.engine.docker.ContainerPause(ctx, b.id(), client.ContainerPauseOptions{})
	return err
}

func (b *box) unpause(ctx context.Context) error {
	_, err := b.engine.docker.ContainerUnpause(ctx, b.id(), client.ContainerUnpauseOptions{})
	return err
}

func (b *box) isolate(ctx context.Context) error {
	_, err := b.engine.docker.NetworkDisconnect(ctx, b.net, client.NetworkDisconnectOptions{Container: b.id(), Force: true})
	return err
}

func (b *box) rejoin(ctx context.Context) error {
	_, err := b.engine.docker.NetworkConnect(ctx, b.net, client.NetworkConnectOptions{
		Container: b.id(), EndpointConfig: &dockernet.EndpointSettings{Aliases: []string{b.name}},
	})
	if err != nil {
		return err
	}
	return b.locate(ctx)
}

// await asks for the container's state until it is as wanted.
func (b *box) await(ctx context.Context, what string, wanted func(running bool) bool) error {
	for {
		state, err := b.container.State(ctx)
		if err != nil {
			return err
		}
		if wanted(state.Running) {
			return nil
		}
		pause(ctx, readyEvery)
		if ctx.Err() != nil {
			return fmt.Errorf("waited for %s: %w; its log ends:\n%s", what, context.Cause(ctx), lastLines(b.log(), 25))
		}
	}
}

// locate finds out at which ports of this machine the broker is.
func (b *box) locate(ctx context.Context) error {
	var at [2]string
	for i, port := range []string{clientPort, brokerPort} {
		var err error
		if at[i], err = b.container.PortEndpoint(ctx, port, ""); err != nil {
			return fmt.Errorf("the container's port %s: %w", port, err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.outside, b.inside = at[0], at[1]
	return nil
}

func (b *box) addr() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.outside
}

// inner is the broker's address in its network, outer the same one seen from here.
func (b *box) inner() string { return b.name + ":9094" }

func (b *box) outer() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.inside
}

func (b *box) log() string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := b.container.Logs(ctx)
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
