package conformance

import (
	"errors"

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

// Build makes the topology of a case, with nullable types or with plain ones, and without the faults of Kafka Streams: see
// Instead. What Millrace says of the topology is an error, and so is a word that the interpreter has no meaning for.
func (c *Case) Build(plainTypes bool) (b *Built, err error) {
	if c.broken != nil {
		return nil, c.broken
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
	if plainTypes {
		return built(plain(c))
	}
	return built(nullable(c))
}

func built[S, N any](p *program[S, N]) (*Built, error) {
	p.own = true
	top, err := p.build()
	if err != nil {
		return nil, errors.Join(errors.New("conformance: the topology of the case"), err)
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
