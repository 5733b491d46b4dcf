package kstream

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/internal/wire"
	"github.com/millrace-streams/millrace/store"
)

// JoinOption changes how a stream is joined with a table.
type JoinOption struct{ apply func(*holding) }

// Buffered holds records back for grace of event time, in the store <name>-Buffer, and joins each with the row as it was at
// the record's time: rows of the table that come late, by up to grace, are met all the same. The time passes with the
// records that come (KIP-923); one that is late by more than grace is joined at once, as are records without a key in a left
// join. The table must be versioned, and its history reach as far as grace.
//
//	orders.JoinTable(rates, priced, kstream.Buffered("priced", time.Minute))
//
// What waits may be larger than memory. Options are those of the store: store.InMemory, store.NoChangelog (what waits is lost
// at an unclean stop), store.TopicConfig.
func Buffered(name string, grace time.Duration, opts ...store.Option) JoinOption {
	return JoinOption{func(h *holding) { h.name, h.grace, h.opts, h.wanted = name, grace, opts, true }}
}

// A holding is what Buffered says of one join.
type holding struct {
	wanted bool
	name   string
	grace  time.Duration
	opts   []store.Option
	d      *decl.Store // nil: records are not held
}

// newHolding declares the store of a join, if its options ask for one, and reports what is wrong.
func newHolding[K, V, VT any](s Stream[K, V], verb string, t dsl.Table[K, VT], opts []JoinOption) (h holding) {
	for _, o := range opts {
		if o.apply != nil {
			o.apply(&h)
		}
	}
	if !h.wanted {
		return h
	}
	c := fmt.Sprintf("%s(… Buffered(%q, %v))", verb, h.name, h.grace)
	report := func(err error) { s.h().Builder(c).Report(graph.Caller(), c, err) }
	switch {
	case h.name == "":
		report(errors.New("the name is empty: give the buffer one"))
	case h.grace < 0:
		report(errors.New("the grace is negative: records cannot be joined before they come"))
	case !t.Versioned():
		report(errors.New("the table has no history in which rows of earlier times could be found: make it with store.History"))
	case t.History() < h.grace:
		report(fmt.Errorf("the table's history of %v is less than the grace: rows would be gone before they are met", t.History()))
	}
	h.d = dsl.Declare(s.h(), c, h.name+"-Buffer", h.opts, false, "call WithValueSerde").Decl()
	if h.d.LRU != 0 || h.d.TTL != 0 || h.d.History != 0 || h.d.Retention != 0 || h.d.Duplicates {
		report(errors.New("a buffer keeps what waits, no more and no less: of store options it takes InMemory, NoChangelog and TopicConfig"))
	}
	h.d.Kind, h.d.NoCache = decl.Held, true
	return h
}

// holder returns the function of one task that holds records back and then gives them to join.
func holder[K, V any](env graph.Env, n *graph.Node, h holding, join record.Fn[K, V]) record.Fn[K, V] {
	id, clock, grace := int32(n.ID), env.Clock(h.d.Name), h.grace.Milliseconds()
	buffer := rows.OpenHeld[K, V](env, n, h.d)
	drain := func(m *record.Meta, now int64) {
		saved := *m
		buffer.Drain(now-grace, func(r *rows.HeldRecord[K, V]) {
			*m = record.Meta{Time: r.Time, Headers: r.Headers, Node: id, At: &r.At}
			join(m, r.Key, r.Value)
		})
		*m = saved
	}
	env.AtIdle(n, func() { drain(env.Meta(), clock.Raise(env.StreamTime())) })
	return func(m *record.Meta, k K, v V) {
		if m.Time < clock.Now()-grace {
			join(m, k, v)
			return
		}
		now := clock.Raise(m.Time)
		from := wire.Origin{Time: m.Time, Headers: m.Headers}
		var ok bool
		if from.At, ok = graph.Where(env); !ok {
			from.At = record.Position{Partition: -1, Offset: -1}
		}
		buffer.Put(k, v, &from)
		drain(m, now)
	}
}
