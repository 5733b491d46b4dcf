package rows

import (
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/store"
)

// forgetful keeps the rows beside those of a key-value store that say what to forget: by age (store.TTL), by use (store.LRU),
// or both. All of it is rows, so that an abort puts back what was used, and every handle on the store sees the same.
//
// Its methods are called with the row's key in buf, and leave it there.
type forgetful[K, V any] struct {
	*part[K, V]
	ttl  int64 // ms; 0: for ever
	most int64 // rows; 0: as many as there are
	gone func(key []byte, k K, old V, at int64)

	key, victim, side, num []byte // scratch
}

// Forgets has f called for each row that was forgotten: with the bytes of its key, what it was, and when, milliseconds.
func (s *KeyValue[K, V]) Forgets(f func(key []byte, k K, old V, at int64)) {
	if s.forget != nil {
		s.forget.gone = f
	}
}

// row makes side the row of a tag and a number, for a key.
func (f *forgetful[K, V]) row(tag byte, number int64, key []byte) []byte {
	f.side = append(f.side[:0], f.buf[:f.prefix-1]...)
	f.side = append(layout.AppendSided(f.side, tag, number), key...)
	return f.side
}

// use makes side the row that says when a key was used.
func (f *forgetful[K, V]) use(key []byte) []byte {
	f.side = append(append(append(f.side[:0], f.buf[:f.prefix-1]...), layout.SidedUse), key...)
	return f.side
}

func (f *forgetful[K, V]) head() []byte {
	f.side = append(append(f.side[:0], f.buf[:f.prefix-1]...), layout.SidedHead)
	return f.side
}

// number returns the bytes of a number.
func (f *forgetful[K, V]) number(n int64) []byte {
	f.num = layout.AppendTime(f.num[:0], n)
	return f.num
}

// expired reports whether a row is too old to be seen: it is removed at the next commit.
func (f *forgetful[K, V]) expired(row []byte) bool {
	if f.ttl == 0 || len(row) < layout.TimeLen {
		return false
	}
	at, _ := layout.Time(row)
	return at <= f.horizon()
}

// horizon is the highest time of rows that are too old.
func (f *forgetful[K, V]) horizon() int64 { return f.env.StreamTime() - f.ttl }

// write writes a row that holds from a time.
func (f *forgetful[K, V]) write(row []byte, at int64) {
	was, had := f.get(f.buf)
	key := f.buf[f.prefix:]
	if f.ttl > 0 {
		before, _ := timeOf(was, had)
		if had && before != at {
			f.remove(f.row(layout.SidedAge, before, key))
		}
		if !had || before != at {
			f.set(f.row(layout.SidedAge, at, key), f.number(at))
		}
	}
	if f.most > 0 {
		number, count := f.getHead()
		if !had {
			count++
		}
		number = f.touch(key, number)
		f.set(f.buf, row)
		f.evict(number, count)
		return
	}
	f.set(f.buf, row)
}

func timeOf(row []byte, has bool) (at int64, ok bool) {
	if !has || len(row) < layout.TimeLen {
		return 0, false
	}
	at, _ = layout.Time(row)
	return at, true
}

// clear removes what is said about the row in buf, which is about to be removed.
func (f *forgetful[K, V]) clear() {
	was, had := f.get(f.buf)
	if !had {
		return
	}
	key := f.buf[f.prefix:]
	if at, ok := timeOf(was, had); ok && f.ttl > 0 {
		f.remove(f.row(layout.SidedAge, at, key))
	}
	if f.most > 0 {
		number, count := f.getHead()
		f.unuse(key)
		f.setHead(number, count-1)
	}
}

// used notes that the row in buf was read.
func (f *forgetful[K, V]) used() {
	if f.most == 0 {
		return
	}
	number, count := f.getHead()
	if next := f.touch(f.buf[f.prefix:], number); next != number {
		f.setHead(next, count)
	}
}

// getHead returns the number given last and how many rows there are.
func (f *forgetful[K, V]) getHead() (number, count int64) {
	count = -1
	if b, ok := f.get(f.head()); ok {
		var err error
		if number, count, err = layout.SplitSidedHead(b); err != nil {
			f.fail("a row cannot be decoded", err)
		}
	}
	if count < 0 { // after a restore
		count = 0
		prefix := append([]byte(nil), f.buf[:f.prefix]...)
		f.scan(prefix, after(prefix), false, func(store.Iter) bool { count++; return true })
	}
	return number, count
}

func (f *forgetful[K, V]) setHead(number, count int64) {
	f.num = layout.AppendSidedHead(f.num[:0], number, count)
	f.set(f.head(), f.num)
}

// touch makes a key the one used last and returns the number given last.
func (f *forgetful[K, V]) touch(key []byte, number int64) int64 {
	if b, ok := f.get(f.use(key)); ok {
		last, _ := layout.Time(b)
		if last == number {
			return number
		}
		f.remove(f.row(layout.SidedRecent, last, key))
	}
	number++
	f.set(f.row(layout.SidedRecent, number, key), f.number(number))
	f.set(f.use(key), f.number(number))
	return number
}

// unuse removes what is said of the use of a key.
func (f *forgetful[K, V]) unuse(key []byte) {
	if b, ok := f.get(f.use(key)); ok {
		last, _ := layout.Time(b)
		f.remove(f.row(layout.SidedRecent, last, key))
		f.remove(f.use(key))
	}
}

// evict removes the rows used longest ago until there are not too many, and writes the head.
func (f *forgetful[K, V]) evict(number, count int64) {
	if count > f.most {
		from := append(append([]byte(nil), f.buf[:f.prefix-1]...), layout.SidedRecent)
		f.scan(from, after(from), false, func(it store.Iter) bool {
			n, key, ok := layout.SplitSided(it.Key()[f.prefix-1:])
			if !ok {
				return false
			}
			f.key = append(f.key[:0], key...)
			key = f.key
			if b, ok := f.get(f.use(key)); ok {
				if last, _ := layout.Time(b); last == n {
					f.unuse(key)
					count--
					f.drop(key, f.env.Meta().Time)
					return count > f.most
				}
			}
			f.remove(f.row(layout.SidedRecent, n, key)) // left behind by a restore
			return true
		})
	}
	f.setHead(number, count)
}

// drop removes the row of a key, which is not the one in buf, and what its age says.
func (f *forgetful[K, V]) drop(key []byte, at int64) {
	f.victim = append(append(f.victim[:0], f.buf[:f.prefix]...), key...)
	row := f.victim
	was, had := f.get(row)
	if !had {
		return
	}
	var old V
	var k K
	if f.gone != nil {
		old, _ = f.decode(was)
		k = f.decodeKey(key)
	}
	if before, ok := timeOf(was, had); ok && f.ttl > 0 {
		f.remove(f.row(layout.SidedAge, before, key))
	}
	m := f.env.Meta()
	saved := m.Time
	m.Time = at // of the deletion in the changelog
	f.remove(row)
	m.Time = saved
	if f.gone != nil {
		f.gone(key, k, old, at)
	}
}

// Expire removes the rows that were not written for the store's time to live: those whose time is that long before stream
// time. It is called at each commit. A row's deletion has the time at which it was due.
func (s *KeyValue[K, V]) Expire() {
	f := s.forget
	if f == nil || f.ttl == 0 || f.env.StreamTime() < 0 {
		return
	}
	horizon := f.horizon()
	from := append(append([]byte(nil), f.buf[:f.prefix-1]...), layout.SidedAge)
	f.scan(from, after(from), false, func(it store.Iter) bool {
		at, key, ok := layout.SplitSided(it.Key()[f.prefix-1:])
		if !ok || at > horizon {
			return false
		}
		f.key = append(f.key[:0], key...)
		key = f.key
		f.buf = append(f.buf[:f.prefix], key...)
		if was, had := f.get(f.buf); had {
			if before, _ := layout.Time(was); before == at {
				if f.most > 0 {
					number, count := f.getHead()
					f.unuse(key)
					f.setHead(number, count-1)
				}
				f.drop(key, at+f.ttl)
				return true
			}
		}
		f.remove(f.row(layout.SidedAge, at, key)) // left behind by a restore
		return true
	})
}
