package rows

import (
	"fmt"

	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/store"
)

// A Written is what became of a put into a versioned store.
type Written[V any] struct {
	Refused bool  // it is older than the history: nothing was changed, but the changelog is told, as Kafka Streams does
	Latest  bool  // it is the newest version of its key
	Until   int64 // the next version's time, milliseconds, unless Latest

	Old    V // the newest version before, if it was asked for
	HasOld bool
}

// Set writes the version of a key that holds from a time, milliseconds, or a deletion if has is false. old has the newest
// version before it returned.
func (s *Versioned[K, V]) Set(k K, v V, has bool, at int64, old bool) (w Written[V]) {
	if at < 0 {
		s.fail("write", fmt.Errorf("a version holds from %d ms before 1970", -at))
	}
	has = has && !(s.null != nil && s.null(v))
	clock := s.clock()
	n := s.of(k)
	s.log(n, v, has, at)
	if at < clock-s.history {
		s.env.Drop(s.n, TooOld)
		return Written[V]{Refused: true}
	}
	if at > clock {
		s.raise(at)
	}
	flags := s.place(n, has, at, old, &w)
	row := layout.AppendTime(s.val[:0], at)
	if has {
		var err error
		if row, err = s.value.Append(row, v); err != nil {
			s.fail("a value cannot be encoded", err)
		}
	}
	s.val = append(row, flags)
	s.set(s.at(n, at), s.val)
	s.sweep(max(clock, at) - s.history)
	s.buf = s.buf[:n]
	return w
}

// place finds out where a version goes, fills in w, and returns the flags of its row.
func (s *Versioned[K, V]) place(n int, has bool, at int64, old bool, w *Written[V]) (flags byte) {
	var near layout.Near
	near.Latest, w.Latest = true, true
	seen := false
	s.walk(n, newest, false, func(v version) bool {
		if !seen && old && v.has() { // the newest
			w.Old, _ = s.decode(v.row)
			w.HasOld = true
		}
		seen = true
		switch {
		case v.at > at:
			near.Latest, w.Latest, w.Until = false, false, v.at
			return true
		case v.at == at:
			near.Same(v.flags)
			return true
		}
		near.Before(v.flags)
		return false
	})
	return near.Flags(has)
}

// log tells the changelog of a put.
func (s *Versioned[K, V]) log(n int, v V, has bool, at int64) {
	arena := s.env.Arena()
	key := arena.Copy(s.buf[s.prefix:n])
	if key == nil {
		key = []byte{}
	}
	var value []byte
	if has {
		b, err := s.value.Append(arena.Tail(), v)
		if err != nil {
			s.fail("a value cannot be encoded", err)
		}
		value = arena.Take(b)
	}
	s.env.Log(s.d, key, value, nil, at)
}

// A sweeper goes over the rows of a store, a few at each put, and removes versions nobody can ask for any more: puts alone
// would leave those of keys that are not put again. What it does not come to, and repeats after a rollback, does not show.
type sweeper struct {
	puts int
	next []byte   // row to go on from; empty: the first
	keys [][]byte // with something to remove, without their time
}

const (
	sweepEvery = 64  // puts
	sweepRows  = 128 // rows looked at
)

// sweep looks at the next rows, now and then.
func (s *Versioned[K, V]) sweep(horizon int64) {
	w := &s.sweeper
	if w.puts++; w.puts < sweepEvery {
		return
	}
	w.puts = 0
	from := w.next
	if len(from) == 0 {
		from = append(append(from[:0], s.buf[:s.prefix]...), 0) // behind the clock
	}
	w.keys = w.keys[:0]
	var last []byte
	old, rows := false, 0
	s.scan(from, after(s.buf[:s.prefix]), false, func(it store.Iter) bool {
		key := it.Key()
		if rows++; rows > sweepRows {
			w.next = append(w.next[:0], key...)
			return false
		}
		if !sameKey(key, last) {
			old = false
		}
		last = append(last[:0], key...)
		_, at, _ := layout.Version(key)
		if at > horizon {
			return true
		}
		_, flags, err := layout.VersionFlags(it.Value())
		if err != nil {
			s.fail("a row cannot be decoded", err)
		}
		if old || flags&layout.Deleted != 0 {
			k := key[:len(key)-layout.VersionLen]
			if len(w.keys) == 0 || string(w.keys[len(w.keys)-1]) != string(k) {
				w.keys = append(w.keys, append([]byte(nil), k...))
			}
		}
		old = true
		return true
	})
	if rows <= sweepRows {
		w.next = w.next[:0]
	}
	for _, k := range w.keys {
		s.trim(k, horizon)
	}
}

// trim removes the versions of a key that ended before the horizon. Of those that began before, the newest holds there,
// and stays unless it is a deletion.
func (s *Versioned[K, V]) trim(key []byte, horizon int64) {
	n := len(key)
	low := layout.AppendVersion(append([]byte(nil), key...), horizon)
	high := append(layout.AppendVersion(append([]byte(nil), key...), 0), 0)
	first := true
	s.scan(low, high, false, func(it store.Iter) bool {
		row := it.Key()
		if len(row) != n+layout.VersionLen {
			return true
		}
		_, flags, err := layout.VersionFlags(it.Value())
		if err != nil {
			s.fail("a row cannot be decoded", err)
		}
		if flags&layout.Void == 0 && first {
			first = false
			if flags&layout.Deleted == 0 {
				return true
			}
		}
		s.remove(append([]byte(nil), row...))
		return true
	})
}
