package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/millrace-streams/millrace/internal/testkafka"
	"github.com/millrace-streams/millrace/kafkatest/internal/link"
)

// startJars starts brokers as child processes.
func startJars(ctx context.Context, p *plan) (*started, error) {
	kit, err := testkafka.FindKitOf(ctx, p.version)
	if missing, ok := errors.AsType[*testkafka.Missing](err); ok {
		return nil, &unable{missing.Why}
	}
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		s, err := p.startJars(ctx, kit)
		// Somebody took a port between the choice and the start.
		if err == nil || try == 3 || !strings.Contains(err.Error(), "Address already in use") {
			return s, err
		}
	}
}

func (p *plan) startJars(ctx context.Context, kit testkafka.Kit) (*started, error) {
	ports, err := link.FreePorts(3 * p.brokers)
	if err != nil {
		return nil, fmt.Errorf("kafkatest: %w", err)
	}
	var voters []string
	for i := range p.brokers {
		voters = append(voters, fmt.Sprintf("%d@127.0.0.1:%d", p.node(i), ports[3*i+2]))
	}
	cluster := testkafka.NewClusterID()
	jars, errs := make([]*jar, p.brokers), make([]error, p.brokers)
	var starts sync.WaitGroup
	for i := range p.brokers {
		client, broker, controller := ports[3*i], ports[3*i+1], ports[3*i+2]
		props := p.settings(i)
		maps.Copy(props, map[string]string{
			"listeners":                fmt.Sprintf("CLIENT://127.0.0.1:%d,BROKER://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d", client, broker, controller),
			"advertised.listeners":     fmt.Sprintf("CLIENT://%s,BROKER://127.0.0.1:%d", p.links[i].Addr(), broker),
			"controller.quorum.voters": strings.Join(voters, ","),
		})
		files, err := p.files(i)
		if err != nil {
			return nil, err
		}
		starts.Go(func() { // together: none is ready before most are
			b, err := testkafka.Start(ctx, kit, testkafka.Options{
				Port: client, Controller: controller, Node: p.node(i), ClusterID: cluster, Properties: props, Files: files,
			})
			jars[i], errs[i] = &jar{broker: b, client: client, inside: broker}, err
		})
	}
	starts.Wait()
	s := &started{version: kit.Version, admin: func(_ context.Context, addr string) (string, error) { return addr, nil }}
	s.close = func(keepLogs bool) error {
		var errs []error
		for _, j := range jars {
			switch {
			case j.broker == nil:
			case keepLogs:
				errs = append(errs, j.broker.CloseKeepLog())
			default:
				errs = append(errs, j.broker.Close())
			}
		}
		return errors.Join(errs...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, s.close(false))
	}
	for i, j := range jars {
		s.nodes = append(s.nodes, int32(p.node(i)))
		s.procs = append(s.procs, j)
	}
	return s, nil
}

// A jar is a broker in a child process.
type jar struct {
	broker         *testkafka.Broker
	client, inside int // ports
}

func (j *jar) kill(context.Context) error      { j.broker.Kill(); return nil }
func (j *jar) stop(context.Context) error      { return j.broker.Stop() }
func (j *jar) start(ctx context.Context) error { return j.broker.Start(ctx) }
func (j *jar) pause(context.Context) error     { return j.broker.Pause() }
func (j *jar) unpause(context.Context) error   { return j.broker.Resume() }

var errLoopback = fmt.Errorf("brokers from jars share the loopback, and cannot be cut off from each other: ask for By(Containers), and %s; or Cut them off from clients alone", Containers.remedy())

func (j *jar) isolate(context.Context) error { return errLoopback }
func (j *jar) rejoin(context.Context) error  { return errLoopback }

func (j *jar) addr() string  { return net.JoinHostPort("127.0.0.1", fmt.Sprint(j.client)) }
func (j *jar) inner() string { return net.JoinHostPort("127.0.0.1", fmt.Sprint(j.inside)) }

func (j *jar) log() string {
	text, err := os.ReadFile(j.broker.LogFile())
	if err != nil {
		return err.Error()
	}
	return string(text)
}
