package rows

import (
	"bytes"
	"iter"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/store"
)

// Versioned is one task's rows of a versioned store, for one step of the topology: each version of a key is a row. It is a
// store.Versioned, and has beside that what operators need.
//
//	KEY ‖ ^time      newest version of KEY first; deletions are versions
//	(empty)          the highest time put so far: the store's clock
//
// A version may be asked for as of any time within the history, which ends at the clock; a put before it is refused. The
// newest version of a key stays for ever, unless it is a deletion. Which put is the newest version, and where a version
// ends, is what Kafka Streams answers, whose store forgets some deletions: see write.
type Versioned[K, V any] struct {
	part[K, V]
	d       *decl.Store
	n       *graph.Node
	history int64  // ms
	low     []byte // bounds of the rows of one key
	high    []byte
	sweeper sweeper
}

var _ store.Versioned[string, int64] = (*Versioned[string, int64])(nil)

// OpenVersioned returns the task's rows of a store for the step at n. The store's serdes must be of K and V.
func OpenVersioned[K, V any](env graph.Env, n *graph.Node, d *decl.Store) *Versioned[K, V] {
	return &Versioned[K, V]{part: open[K, V](env, n, d), d: d, n: n, history: d.History.Milliseconds()}
}

// TooOld is why a put is dropped that is older than the history.
const TooOld = "too-old"

// clock returns the highest time put so far, -1 for none.
func (s *Versioned[K, V]) clock() int64 {
	if b, ok := s.get(s.buf[:s.prefix]); ok {
		at, _ := layout.Time(b)
		return at
	}
	return -1
}

// raise moves the clock on.
func (s *Versioned[K, V]) raise(at int64) {
	s.val = layout.AppendTime(s.val[:0], at)
	s.set(s.buf[:s.prefix], s.val)
}

// of makes buf the bytes of a key, behind the prefix, and returns how many there are.
func (s *Versioned[K, V]) of(k K) int {
	s.buf = s.appendKey(s.buf[:s.prefix], k)
	return len(s.buf)
}

// at returns the row of the key in buf[:n] that holds from a time.
func (s *Versioned[K, V]) at(n int, at int64) []byte {
	s.buf = layout.AppendVersion(s.buf[:n], at)
	return s.buf
}

// version is a row, valid until the next step of the walk.
type version struct {
	at    int64
	flags byte
	row   []byte // time and value
}

func (v *version) has() bool { return v.flags&layout.Deleted == 0 }

// walk calls f for the versions of the key in buf[:n], from that which holds at a time to older ones or, in reverse, from
// the one that follows it to newer ones, until f returns false.
func (s *Versioned[K, V]) walk(n int, at int64, reverse bool, f func(v version) bool) {
	s.low = append(s.low[:0], s.buf[:n]...)
	s.high = append(s.high[:0], s.buf[:n]...)
	if reverse {
		s.low = layout.AppendVersion(s.low, newest)
		s.high = layout.AppendVersion(s.high, at)
	} else {
		s.low = layout.AppendVersion(s.low, at)
		s.high = append(layout.AppendVersion(s.high, 0), 0)
	}
	s.scan(s.low, s.high, reverse, func(it store.Iter) bool {
		key := it.Key()
		if len(key) != n+layout.VersionLen { // of a longer key that begins like a version of this one
			return true
		}
		_, at, _ := layout.Version(key)
		v := version{at: at}
		var err error
		if v.row, v.flags, err = layout.VersionFlags(it.Value()); err != nil {
			s.fail("a row cannot be decoded", err)
		}
		return v.flags&layout.Void != 0 || f(v)
	})
}

// newest is the highest time there is.
const newest = int64(^uint64(0) >> 1)

// Find returns the newest version of a key and the time it holds from, milliseconds. A deleted key has none.
func (s *Versioned[K, V]) Find(k K) (v V, time int64, ok bool) { return s.latest(s.of(k), newest) }

// FindAsOf returns the version of a key that held at a time, milliseconds, and the time it holds from. There is none
// before the history, unless it is the newest.
func (s *Versioned[K, V]) FindAsOf(k K, at int64) (v V, time int64, ok bool) {
	n := s.of(k)
	if at < 0 {
		return v, 0, false
	}
	if at < s.clock()-s.history {
		return s.latest(n, at)
	}
	s.walk(n, at, false, func(found version) bool {
		if found.has() {
			v, time = s.decode(found.row)
			ok = true
		}
		return false
	})
	return v, time, ok
}

// latest returns the newest version of the key in buf[:n], if it holds at a time.
func (s *Versioned[K, V]) latest(n int, at int64) (v V, time int64, ok bool) {
	s.walk(n, newest, false, func(found version) bool {
		if found.has() && found.at <= at {
			v, time = s.decode(found.row)
			ok = true
		}
		return false
	})
	return v, time, ok
}

// until returns when the version that holds at a time was replaced, ok is false if it was not.
func (s *Versioned[K, V]) until(n int, at int64) (end int64, ok bool) {
	s.walk(n, at, true, func(v version) bool {
		end, ok = v.at, true
		return false
	})
	return end, ok
}

// Get implements store.VersionedReader.
func (s *Versioned[K, V]) Get(k K) (store.Row[V], bool) {
	v, ms, ok := s.Find(k)
	if !ok {
		return store.Row[V]{}, false
	}
	return store.Row[V]{Value: v, Time: time.UnixMilli(ms)}, true
}

// GetAsOf implements store.VersionedReader.
func (s *Versioned[K, V]) GetAsOf(k K, t time.Time) (store.Row[V], bool) {
	at := t.UnixMilli()
	v, ms, ok := s.FindAsOf(k, at)
	if !ok {
		return store.Row[V]{}, false
	}
	row := store.Row[V]{Value: v, Time: time.UnixMilli(ms)}
	if end, ok := s.until(s.of(k), at); ok {
		row.Until = time.UnixMilli(end)
	}
	return row, true
}

// Put implements store.Versioned.
func (s *Versioned[K, V]) Put(k K, v V, at time.Time) (until time.Time, ok bool) {
	return s.put(k, v, true, at)
}

func (s *Versioned[K, V]) put(k K, v V, has bool, at time.Time) (until time.Time, ok bool) {
	w := s.Set(k, v, has, at.UnixMilli(), false)
	if w.Refused {
		return time.Time{}, false
	}
	if !w.Latest {
		until = time.UnixMilli(w.Until)
	}
	return until, true
}

// Delete implements store.Versioned.
func (s *Versioned[K, V]) Delete(k K, at time.Time) (store.Row[V], bool) {
	var none V
	ms := at.UnixMilli()
	if ms < s.clock()-s.history {
		s.put(k, none, false, at)
		return store.Row[V]{}, false
	}
	row, ok := s.GetAsOf(k, at)
	s.put(k, none, false, at)
	return row, ok
}

// History implements store.VersionedReader.
func (s *Versioned[K, V]) History(k K, from, to time.Time) iter.Seq[store.Row[V]] {
	return func(yield func(store.Row[V]) bool) {
		low, high := from.UnixMilli(), to.UnixMilli()
		horizon := s.clock() - s.history
		var until time.Time // of the version that comes next; zero: it holds
		ended := false
		s.walk(s.of(k), newest, false, func(v version) bool {
			if ended && (until.UnixMilli() <= low || until.UnixMilli() <= horizon) {
				return false
			}
			more := true
			if v.has() && v.at <= high {
				row := store.Row[V]{Time: time.UnixMilli(v.at), Until: until}
				row.Value, _ = s.decode(v.row)
				more = yield(row)
			}
			until, ended = time.UnixMilli(v.at), true
			return more
		})
	}
}

// sameKey reports whether two rows are versions of one key.
func sameKey(a, b []byte) bool {
	return len(a) == len(b) && bytes.Equal(a[:len(a)-layout.VersionLen], b[:len(b)-layout.VersionLen])
}
