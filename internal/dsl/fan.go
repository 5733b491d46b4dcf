package dsl

import "github.com/millrace-streams/millrace/internal/record"

// Fan makes one function of those of all children of a stream's node. Each child gets the Meta as it was, since the one
// before may have changed it.
func Fan[K, V any](downs []any) any {
	switch len(downs) {
	case 0:
		return record.Fn[K, V](func(*record.Meta, K, V) {})
	case 1:
		return downs[0]
	}
	fns := make([]record.Fn[K, V], len(downs))
	for i, d := range downs {
		fns[i] = d.(record.Fn[K, V])
	}
	return record.Fn[K, V](func(m *record.Meta, k K, v V) {
		saved := *m
		for _, f := range fns {
			*m = saved
			f(m, k, v)
		}
	})
}

// FanChanges is Fan for the changes of a table.
func FanChanges[K, V any](downs []any) any {
	switch len(downs) {
	case 0:
		return record.ChangeFn[K, V](func(*record.Meta, K, record.Change[V]) {})
	case 1:
		return downs[0]
	}
	fns := make([]record.ChangeFn[K, V], len(downs))
	for i, d := range downs {
		fns[i] = d.(record.ChangeFn[K, V])
	}
	return record.ChangeFn[K, V](func(m *record.Meta, k K, c record.Change[V]) {
		saved := *m
		for _, f := range fns {
			*m = saved
			f(m, k, c)
		}
	})
}
