package kstream

import (
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/internal/topics"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// JoinSelf joins the records of the stream with one another: it gives what JoinStream of s with itself gives, each record
// paired with itself included, from a single store called <name>-this-join-store, with half the writes.
func (s Stream[K, V]) JoinSelf[R any](name string, w window.JoinWindows, join func(a, b V) R, opts ...store.Option) Stream[K, R] {
	h := s.h()
	step := dsl.Step{Call: call("JoinSelf", name), Kind: "join-self", Name: name, NilFunc: join == nil}
	h.NeedEqualKeys(step.Call)
	if err := w.Err(); err != nil {
		h.Builder(step.Call).Report(graph.Caller(), step.Call, err)
		w = window.Within(0)
	}
	key, value := h.NeedKey(step.Call), h.NeedValue(step.Call)
	b := bounds(w)
	d := b.keeps(name+"-this-join-store", key, value, opts)
	step.Stores, step.Clocks = []*decl.Store{d}, []string{d.Name + "/j"}
	out := h.MapValues(step, func(env graph.Env, n *graph.Node, next record.Fn[K, R]) record.Fn[K, V] {
		seen := rows.OpenDuplicates[K, V](env, n, d)
		side := joinSide[K, V, V, R]{
			env: env, n: n, next: next, mine: seen, theirs: seen,
			nullKey: topics.Null(key), null: topics.Null(value),
		}
		time := env.Clock(d.Name + "/j") // the latest of what was joined; the store's also counts what was not
		return func(m *record.Meta, k K, v V) {
			m.Node = int32(n.ID)
			saved := *m
			if !side.whole(&saved, k, v) {
				return
			}
			t := saved.Time
			own := t > time.Raise(t)-b.keep+1 // a record too old to be met does not meet itself either
			seen.Fetch(k, t-b.before, max(t+b.after, 0), func(start int64, other V) bool {
				*m = saved
				m.Time = max(t, start)
				next(m, k, join(v, other))
				return true
			})
			self := func() {
				own = false
				*m = saved
				next(m, k, join(v, v))
			}
			seen.Fetch(k, t-b.after, max(t+b.before, 0), func(start int64, other V) bool {
				if own && start > t {
					self()
				}
				*m = saved
				m.Time = max(t, start)
				next(m, k, join(other, v))
				return true
			})
			if own {
				self()
			}
			*m = saved
			seen.Put(k, v, true, t, t, saved.Headers)
		}
	})
	dsl.CopartitionSources(out)
	return Stream[K, R](out)
}
