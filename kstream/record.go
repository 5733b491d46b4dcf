package kstream

import (
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/topology"
)

// MapRecord maps whole records: time, headers, and missing keys and values included; f is called for deletions too. A zero
// Time in the result keeps the record's; a time before 1970 is an error of the record. Before records of equal keys can
// meet, the result must go through Repartition.
func (s Stream[K, V]) MapRecord[K2, V2 any](f func(topology.Record[K, V]) topology.Record[K2, V2]) Stream[K2, V2] {
	step := dsl.Step{Call: "MapRecord", Kind: "map-record", NilFunc: f == nil}
	return Stream[K2, V2](s.h().Map(step, func(_ graph.Env, n *graph.Node, next record.Fn[K2, V2]) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			m.Node = id
			r := f(whole(m, k, v))
			if !r.Time.IsZero() {
				if m.Time = r.Time.UnixMilli(); m.Time < 0 {
					record.Fail(id, fmt.Errorf("kstream: MapRecord returned a record of %v, before 1970: leave Time zero to keep the record's", r.Time))
				}
			}
			m.Headers, m.NoKey, m.NoValue = r.Headers, !r.HasKey(), !r.HasValue()
			next(m, r.Key, r.Value)
		}
	}))
}

// whole makes the Record a user sees.
func whole[K, V any](m *record.Meta, k K, v V) topology.Record[K, V] {
	r := topology.Record[K, V]{Key: k, Value: v, Time: time.UnixMilli(m.Time), Headers: m.Headers}
	if m.NoKey {
		r = r.WithoutKey()
	}
	if m.NoValue {
		r = r.WithoutValue()
	}
	return r
}

// WithHeaders sets the headers of each record to those f returns. Deletions keep theirs, without a call of f.
func (s Stream[K, V]) WithHeaders(f func(k K, v V, h topology.Headers) topology.Headers) Stream[K, V] {
	step := dsl.Step{Call: "WithHeaders", Kind: "with-headers", NilFunc: f == nil}
	return Stream[K, V](s.h().Pass(step, func(_ graph.Env, n *graph.Node, next record.Fn[K, V]) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			if !m.NoValue {
				m.Node = id
				m.Headers = f(k, v, m.Headers)
			}
			next(m, k, v)
		}
	}))
}
