package kafkatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	dockernet "github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"
)

const (
	clientPort     = "9092/tcp"
	brokerPort     = "9094/tcp"
	containerFiles = "/tmp/kafkatest/" // certificates
	ready          = "Kafka Server started"
	readyEvery     = 50 * time.Millisecond
)

// startContainers starts brokers in containers, in a network of their own.
func startContainers(ctx context.Context, p *plan) (*started, error) {
	e, err := findEngine(ctx)
	if err != nil {
		return nil, err
	}
	image, version, err := e.image(ctx, p.version)
	if err != nil {
		return nil, errors.Join(err, e.docker.Close())
	}
	e.sweep(ctx)
	labels, lock, err := claim()
	if err != nil {
		return nil, errors.Join(err, e.docker.Close())
	}
	f := &fleet{engine: e, lock: lock}
	if f.net, err = network.New(ctx, network.WithLabels(labels)); err != nil {
		return nil, errors.Join(fmt.Errorf("kafkatest: no network for containers: %w", err), f.close(false))
	}
	f.boxes = make([]*box, p.brokers)
	errs := make([]error, p.brokers)
	var starts sync.WaitGroup
	for i := range p.brokers {
		starts.Go(func() { // together: none is ready before most are
			f.boxes[i] = &box{engine: e, net: f.net.ID, name: p.host(i)}
			errs[i] = f.run(ctx, p, i, image, labels)
		})
	}
	starts.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, f.close(false))
	}
	s := &started{version: version, close: f.close, admin: f.where}
	for i, b := range f.boxes {
		s.nodes = append(s.nodes, int32(p.node(i)))
		s.procs = append(s.procs, b)
	}
	return s, nil
}

// host is the name of a broker in its network.
func (p *plan) host(i int) string { return fmt.Sprintf("kafka%d", p.node(i)) }

// A fleet is the containers of one cluster.
type fleet struct {
	engine *engine
	lock   *os.File
	net    *testcontainers.DockerNetwork
	boxes  []*box
}

// where translates the address of a broker inside the network into the one it has outside.
func (f *fleet) where(_ context.Context, addr string) (string, error) {
	for _, b := range f.boxes {
		if b.inner() == addr {
			return b.outer(), nil
		}
	}
	return addr, nil
}

func (f *fleet) close(bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var errs []error
	for _, b := range f.boxes {
		if b.container != nil {
			errs = append(errs, b.container.Terminate(ctx, testcontainers.StopTimeout(0)))
		}
	}
	if f.net != nil {
		errs = append(errs, f.net.Remove(ctx))
	}
	errs = append(errs, os.Remove(f.lock.Name()), f.lock.Close(), f.engine.docker.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("kafkatest: containers are not all gone: %w", err)
	}
	return nil
}

// run starts the container of a broker.
func (f *fleet) run(ctx context.Context, p *plan, i int, image string, labels map[string]string) error {
	b := f.boxes[i]
	var voters []string
	for j := range p.brokers {
		voters = append(voters, fmt.Sprintf("%d@%s:9093", p.node(j), p.host(j)))
	}
	settings := p.settings(i)
	maps.Copy(settings, map[string]string{
		"listeners":                "CLIENT://:9092,BROKER://:9094,CONTROLLER://:9093",
		"advertised.listeners":     fmt.Sprintf("CLIENT://%s,BROKER://%s", p.links[i].Addr(), b.inner()),
		"controller.quorum.voters": strings.Join(voters, ","),
		"log.dirs":                 "/tmp/kraft-combined-logs",
	})
	files, err := p.files(i)
	if err != nil {
		return err
	}
	for _, k := range []string{"ssl.keystore.location", "ssl.truststore.location"} {
		if name := settings[k]; name != "" && files[name] != nil {
			settings[k] = containerFiles + name
		}
	}
	opts := []testcontainers.ContainerCustomizer{
		testcontainers.WithLogger(log.NewNoopLogger()), // what matters is in the errors and in the broker's own log
		testcontainers.WithExposedPorts(clientPort, brokerPort),
		testcontainers.WithEnv(environment(settings)),
		testcontainers.WithLabels(labels),
		network.WithNetwork([]string{b.name}, f.net),
		testcontainers.WithWaitStrategy(wait.ForLog(ready).WithPollInterval(readyEvery).WithStartupTimeout(faultTimeout)),
	}
	if b.engine.local {
		opts = append(opts, testcontainers.WithHostConfigModifier(func(hc *container.HostConfig) {
			here := []dockernet.PortBinding{{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1})}}
			hc.PortBindings = dockernet.PortMap{dockernet.MustParsePort(clientPort): here, dockernet.MustParsePort(brokerPort): here}
		}))
	}
	for name, content := range files {
		opts = append(opts, testcontainers.WithFiles(testcontainers.ContainerFile{
			Reader: bytes.NewReader(content), ContainerFilePath: containerFiles + name, FileMode: 0o644,
		}))
	}
	c, err := testcontainers.Run(ctx, image, opts...)
	b.container = c // also one that failed, to be removed
	if err != nil {
		said := ""
		if c != nil {
			said = "; its log ends:\n" + lastLines(b.log(), 25)
		}
		return fmt.Errorf("kafkatest: broker %d does not start in a container of %s: %w%s", p.node(i), image, err, said)
	}
	return b.locate(ctx)
}

// environment turns settings into the variables that images of Kafka understand, and makes Java quick to start.
func environment(settings map[string]string) map[string]string {
	env := map[string]string{
		"KAFKA_HEAP_OPTS":            "-Xms128m -Xmx384m",
		"KAFKA_JVM_PERFORMANCE_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
	}
	names := strings.NewReplacer("_", "__", "-", "___", ".", "_")
	for k, v := range settings {
		env["KAFKA_"+strings.ToUpper(names.Replace(k))] = v
	}
	return env
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
