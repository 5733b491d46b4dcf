package kstream

import (
	"fmt"

	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/topology"
)

// To writes the stream to a topic, deletions too. Serdes the topic does not have are those of the stream.
func (s Stream[K, V]) To(t topology.Topic[K, V]) {
	to := dsl.Aim(s.h(), t, "To")
	n := s.h().End(dsl.Step{Call: "To", Kind: "sink"}, to.Send)
	n.Topics = to.Topics()
}

// ToEach writes each record, deletions too, to the topic choose returns. The topics must exist.
func (s Stream[K, V]) ToEach(choose func(topology.Record[K, V]) topology.Topic[K, V]) {
	key, value := s.h().Key(), s.h().Value()
	s.h().End(dsl.Step{Call: "ToEach", Kind: "sink-each", NilFunc: choose == nil}, func(env graph.Env, n *graph.Node) record.Fn[K, V] {
		id := int32(n.ID)
		writers := map[string]*dsl.Writer[K, V]{} // by topic
		env.AtCommit(n, func() {
			for _, w := range writers {
				w.Forget()
			}
		})
		var last *topics.Spec[K, V] // the topic of the record before, and its writer: no look-up while it stays the same
		var w *dsl.Writer[K, V]
		return func(m *record.Meta, k K, v V) {
			m.Node = id
			t := choose(whole(m, k, v))
			if spec := topics.Topic[K, V](t).Spec(); spec != last {
				name := t.Name()
				to := writers[name]
				if to == nil {
					ks, vs := topics.Choose(spec.Key, key), topics.Choose(spec.Value, value)
					if name == "" || len(spec.Names) > 1 || ks == nil || vs == nil {
						record.Fail(id, fmt.Errorf("kstream: ToEach: the function returned a topic that cannot be written (name %q): it must have one name, and serdes", name))
					}
					to = dsl.NewWriter(env, n, name, ks, vs, spec.Partition)
					writers[name] = to
				}
				last, w = spec, to
			}
			w.Write(m, k, v)
		}
	})
}
