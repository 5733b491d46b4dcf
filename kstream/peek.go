package kstream

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// Peek calls f for each record and passes it on. Deletions pass without a call. f runs again for records that are
// processed again after a crash.
func (s Stream[K, V]) Peek(f func(K, V)) Stream[K, V] {
	step := dsl.Step{Call: "Peek", Kind: "peek", NilFunc: f == nil}
	return Stream[K, V](s.h().Pass(step, func(_ graph.Env, n *graph.Node, next record.Fn[K, V]) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			if !m.NoValue {
				m.Node = id
				f(k, v)
			}
			next(m, k, v)
		}
	}))
}

// ForEach calls f for each record and ends the stream. f is not called for deletions.
func (s Stream[K, V]) ForEach(f func(K, V)) {
	step := dsl.Step{Call: "ForEach", Kind: "for-each", NilFunc: f == nil}
	s.h().End(step, func(_ graph.Env, n *graph.Node) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			if !m.NoValue {
				m.Node = id
				f(k, v)
			}
		}
	})
}

// TryForEach is ForEach with a function that may fail, and may wait: the error policy decides what becomes of the record,
// and ctx ends when the task is closed. While f waits, its task does; others go on.
func (s Stream[K, V]) TryForEach(f func(context.Context, K, V) error) {
	step := dsl.Step{Call: "TryForEach", Kind: "for-each", NilFunc: f == nil}
	s.h().End(step, func(env graph.Env, n *graph.Node) record.Fn[K, V] {
		id, ctx := int32(n.ID), env.Context()
		return func(m *record.Meta, k K, v V) {
			if m.NoValue {
				return
			}
			m.Node = id
			if err := f(ctx, k, v); err != nil {
				record.Fail(id, err)
			}
		}
	})
}

// Print writes each record to w as "[label]: key, value", and ends the stream. Deletions are not printed. Several tasks
// write at once: w must allow it, as os.Stdout does.
func (s Stream[K, V]) Print(w io.Writer, label string) {
	step := dsl.Step{Call: "Print", Kind: "print"}
	if w == nil {
		s.h().Builder(step.Call).Report(graph.Caller(), step.Call, errors.New("the writer is nil: pass one"))
	}
	s.h().End(step, func(_ graph.Env, n *graph.Node) record.Fn[K, V] {
		id := int32(n.ID)
		return func(m *record.Meta, k K, v V) {
			if m.NoValue {
				return
			}
			m.Node = id
			if _, err := fmt.Fprintf(w, "[%s]: %v, %v\n", label, k, v); err != nil {
				record.Fail(id, fmt.Errorf("kstream: Print: %w", err))
			}
		}
	})
}
