package millrace

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/txn"
)

// An origin is the source record and the node that an output came from. A record that the broker refuses for good (too large,
// invalid) vetoes the commit; after the abort its source record is processed again, and this time its sending fails at that
// node, so that the error policy decides.
type origin struct {
	slot *slot
	rec  *kgo.Record
	at   topology.Position
	node int32
	err  error
}

// noteOrigin remembers where a record came from, until the transaction ends.
func (w *worker) noteOrigin(s *slot, r *kgo.Record) {
	if at, node, ok := s.task.Origin(); ok {
		w.origins = append(w.origins, origin{slot: s, rec: r, at: at, node: node})
	}
}

func (w *worker) forgetOrigins() {
	clear(w.origins)
	w.origins = w.origins[:0]
}

// origin returns where the record came from that made a flush fail, if the broker refused it for good and an error policy is to be
// asked; else nil. A refused changelog record has no origin: it always fails the app.
func (w *worker) origin(err error) *origin {
	var pe *txn.ProduceError
	if w.p.cfg.Guarantee != ExactlyOnce || txn.Classify(err) != txn.Refused || !errors.As(err, &pe) {
		return nil
	}
	for _, o := range w.origins {
		if o.rec == pe.Record {
			o.err = err
			return &o
		}
	}
	return nil
}

// hasPolicies reports whether any error policy can be reached.
func hasPolicies(plan *graph.Plan, c Config) bool {
	if c.OnError != nil {
		return true
	}
	for _, n := range plan.Nodes {
		if n.Policy != nil || n.Source != nil && n.Source.Policy != nil {
			return true
		}
	}
	return false
}
