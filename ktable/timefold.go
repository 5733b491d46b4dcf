package ktable

import "github.com/millrace-streams/millrace/internal/record"

// A timeFold folds records into tumbling, hopping or unlimited windows, in one task. A window [start, end) is closed once
// event time reaches its end and the grace.
type timeFold[K, V, A any] struct{ windowed[K, V, A] }

// record folds a record into each window it lies in, the earliest first.
func (t *timeFold[K, V, A]) record(m *record.Meta, k K, v V) {
	if t.keyless(m, k) {
		return
	}
	closed := t.take(m)
	if m.NoValue {
		t.valueless(m, v)
	} else {
		first, last, step := t.time.Starts(m.Time)
		for start := first; start <= last; start += step {
			if start+t.size > closed {
				t.update(m, k, v, start)
			} else {
				t.refuse()
			}
		}
		t.done(m, k, v)
	}
	if t.closer != nil {
		t.closer.close(m, &t.saved, closed)
	}
}

// update folds the record in hand into a window.
func (t *timeFold[K, V, A]) update(m *record.Meta, k K, v V, start int64) {
	t.again(m)
	old, time, stored := t.windows.Find(k, start)
	had := stored
	if !stored {
		old, had = t.begin(m)
	}
	a, has := t.fold1(m, k, v, old, had)
	switch { // add may have changed the old value in place
	case t.reread && stored:
		old, _, _ = t.windows.Find(k, start)
	case t.reread:
		old, _ = t.begin(m)
	}
	// As in Kafka Streams, a window that was not there is said to have been what it began with.
	t.put(m, k, start, record.Change[A]{Old: old, New: a, HasOld: had, HasNew: has}, max(m.Time, time))
}
