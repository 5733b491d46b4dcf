package conformance

import (
	"fmt"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/topology"
)

// A Built is the topology of a case, to be run by other means than Run: on several partitions, with commits elsewhere, by
// several processes.
type Built struct {
	*topology.Topology
	dumps map[string]func(*reading) Store
	app   string
}

// Build makes the topology of a case, with the types and the faults of Kafka Streams that the options ask for (see Instead);
// the others are for Run. What Millrace says of the topology is an error, and so is a word that the interpreter has no
// meaning for.
func (c *Case) Build(o Options) (b *Built, err error) {
	if c.broken != nil {
		return nil, c.broken
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case Unknown:
			err = p
		default:
			panic(p)
		}
	}()
	if o.Plain {
		return built(plain(c), o)
	}
	return built(nullable(c), o)
}

func built[S, N any](p *program[S, N], o Options) (*Built, error) {
	p.own = o.Own
	top, err := p.build()
	if err != nil {
		return nil, fmt.Errorf("conformance: topology of case %s: %w", p.c.Name, err)
	}
	return &Built{top, p.dumps, p.c.App}, nil
}

// Stores returns what the stores hold that can be read, in all tasks of a driver that runs the topology. Of versioned stores,
// whose times their changelog tells, only the kind is there.
func (b *Built) Stores(d *kstest.Driver) map[string]Store {
	all := map[string]Store{}
	for name, rows := range b.dumps {
		if s := rows(&reading{d, nil, b.app}); s.Kind != "" {
			all[name] = s
		}
	}
	return all
}
