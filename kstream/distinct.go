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
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
)

// Distinct drops records whose id was seen in the same partition within less than d of event time: of a record that is sent
// twice one goes on. Ids are kept in the named store for twice d of stream time, so that a record that is late by up to d is
// judged like others; one that is later than that may go on although its id was seen. A nil ids means the built-in serde of
// ID. Deletions have no value to find an id in, and go on.
func (s Stream[K, V]) Distinct[ID any](name string, d time.Duration, ids serde.Serde[ID], id func(K, V) ID, opts ...store.Option) Stream[K, V] {
	c := call("Distinct", name)
	h := s.h()
	h.NeedEqualKeys(c)
	seen := store.NewKeyValue(name, ids, serde.Bytes, append(opts[:len(opts):len(opts)], store.TTL(max(2*d, time.Millisecond)))...).Decl()
	seen.At = graph.Caller()
	if d < time.Millisecond {
		h.Builder(c).Report(graph.Caller(), c, fmt.Errorf("%v is too short: event time is counted in milliseconds", d))
	}
	if seen.LRU != 0 {
		h.Builder(c).Report(graph.Caller(), c, errors.New("with store.LRU ids would be forgotten before their time: leave it out"))
	}
	within := d.Milliseconds()
	step := dsl.Step{Call: c, Kind: "distinct", Name: name, NilFunc: id == nil, Stores: []*decl.Store{seen}}
	return Stream[K, V](h.Pass(step, func(env graph.Env, n *graph.Node, next record.Fn[K, V]) record.Fn[K, V] {
		node, table, empty := int32(n.ID), rows.Open[ID, []byte](env, n, seen), []byte{}
		env.AtCommit(n, table.Expire)
		env.AtIdle(n, table.Expire)
		return func(m *record.Meta, k K, v V) {
			m.Node = node
			if m.NoValue {
				next(m, k, v)
				return
			}
			of := id(k, v)
			_, last, ok := table.Find(of)
			if ok && last-within < m.Time && m.Time < last+within {
				return
			}
			if !ok || last < m.Time {
				table.Write(of, empty, m.Time)
			}
			next(m, k, v)
		}
	}))
}
