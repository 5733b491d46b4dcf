package rows

import (
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/wire"
	"github.com/millrace-streams/millrace/store"
)

// Suppressed is one task's buffer of the changes of a table that wait, the last of each key: for the time the first of them
// was put with. They are rows like any others, so the buffer may be larger than memory.
//
//	Put ──► 'k' KEY = time, change          the row of the key: logged
//	   └──► 'w' time KEY                    the index: Drain walks it
type Suppressed[K, V any] struct {
	part[K, V]
	counted bool // count and bytes are told, and kept

	// What is known of the rows. Everything is found out anew after a rollback.
	known bool
	count int
	bytes int64 // as Kafka Streams counts them
	first int64 // <= the time any of them waits for, if there are any

	low, old, new []byte // scratch
}

// OpenSuppressed returns the task's buffer for the step at n. counted has it know how large it is, for which it is read once
// after each opening and rollback.
func OpenSuppressed[K, V any](env graph.Env, n *graph.Node, d *decl.Store, counted bool) *Suppressed[K, V] {
	s := &Suppressed[K, V]{part: open[K, V](env, n, d), counted: counted}
	env.OnRollback(func() { s.known = false })
	return s
}

// A Buffered is a change that waited.
type Buffered[K, V any] struct {
	Key K
	record.Change[V]
	wire.Origin // of its last record
}

// never is no time anybody waits for.
const never = newest

// Put has the change of a row wait until a time, milliseconds, or as long as a change of the row that waits already. from
// is that of the record in hand.
func (s *Suppressed[K, V]) Put(k K, c record.Change[V], until int64, from *wire.Origin) {
	s.learn()
	s.buf = s.appendKey(layout.AppendWaiting(s.buf[:s.prefix]), k)
	b := wire.Buffered{Origin: *from}
	if c.HasNew {
		b.New = s.bytesOf(&s.new, c.New)
	}
	if c.HasOld {
		b.Old = s.bytesOf(&s.old, c.Old)
	}
	b.Prior = b.Old
	row, waits := s.get(s.buf)
	if waits {
		was := s.change(row)
		until, _ = layout.Time(row)
		b.Prior = was.Prior
		s.bytes -= s.size(&was)
	} else {
		s.count++
		s.first = min(s.first, until)
	}
	s.bytes += s.size(&b)
	s.val = wire.AppendBuffered(layout.AppendTime(s.val[:0], until), &b)
	s.set(s.buf, s.val)
	if !waits {
		key := s.buf[s.prefix+1:]
		s.low = append(layout.AppendWaitingIndex(append(s.low[:0], s.buf[:s.prefix]...), until), key...)
		s.set(s.low, layout.AppendTime(s.val[:0], until))
	}
}

// bytesOf returns the bytes of a value in a buffer of its own, nil if its serde writes it as null.
func (s *Suppressed[K, V]) bytesOf(buf *[]byte, v V) []byte {
	if s.null != nil && s.null(v) {
		return nil
	}
	b, err := s.value.Append((*buf)[:0], v)
	if err != nil {
		s.fail("a value cannot be encoded", err)
	}
	if b == nil {
		b = []byte{}
	}
	*buf = b
	return b
}

// size is what Kafka Streams takes the row whose key is in buf for. It is zero unless somebody wants to know.
func (s *Suppressed[K, V]) size(b *wire.Buffered) int64 {
	if !s.counted {
		return 0
	}
	return int64(layout.TimeLen+len(s.buf)-s.prefix-1) + b.Size()
}

// change reads the row of a key.
func (s *Suppressed[K, V]) change(row []byte) wire.Buffered {
	b, _, err := wire.DecodeBuffered(row[layout.TimeLen:])
	if err != nil {
		s.fail("a row cannot be decoded", err)
	}
	return b
}

// Size returns how many changes wait, and their bytes as Kafka Streams counts them.
func (s *Suppressed[K, V]) Size() (count int, bytes int64) {
	s.learn()
	return s.count, s.bytes
}

// Prior returns what a row was before the first of its changes that wait. waits is false if none does, ok if there was no row.
func (s *Suppressed[K, V]) Prior(k K) (v V, ok, waits bool) {
	s.buf = s.appendKey(layout.AppendWaiting(s.buf[:s.prefix]), k)
	row, waits := s.get(s.buf)
	if !waits {
		return v, false, false
	}
	b := s.change(row)
	if b.Prior == nil {
		return v, false, true
	}
	return s.decodeValue(b.Prior), true, true
}

func (s *Suppressed[K, V]) decodeValue(b []byte) V {
	if s.copies.value {
		b = s.env.Arena().Copy(b)
	}
	v, err := s.value.Decode(b)
	if err != nil {
		s.fail("a value cannot be decoded", err)
	}
	return v
}

// Waits reports whether a change may wait for a time up to the given one, without reading.
func (s *Suppressed[K, V]) Waits(until int64) bool {
	s.learn()
	return s.first <= until
}

// Drain takes changes out, those that wait for the earliest time first, as long as more says so of the time they wait for,
// and gives each to f.
func (s *Suppressed[K, V]) Drain(more func(until int64) bool, f func(w *Buffered[K, V])) {
	s.learn()
	from := append(append([]byte(nil), s.buf[:s.prefix]...), 'w')
	s.first = never
	s.scan(from, after(from), false, func(it store.Iter) bool {
		until, key, ok := layout.SplitWaitingIndex(it.Key()[s.prefix:])
		if !ok {
			return false
		}
		s.low = append(s.low[:0], it.Key()...) // f may read the buffer
		s.row(key)
		row, waits := s.get(s.buf)
		if waits {
			at, _ := layout.Time(row)
			waits = at == until
		}
		if !waits { // left behind by a restore, which does not see for which time a change waited that was taken out
			s.remove(s.low)
			return true
		}
		if !more(until) {
			s.first = until
			return false
		}
		b := s.change(row)
		w := Buffered[K, V]{Key: s.decodeKey(key), Origin: b.Origin}
		if b.New != nil {
			w.New, w.HasNew = s.decodeValue(b.New), true
		}
		if b.Old != nil {
			w.Old, w.HasOld = s.decodeValue(b.Old), true
		}
		w.Origin.Headers = copied(w.Origin.Headers)
		size := s.size(&b)
		f(&w)
		s.count--
		s.bytes -= size
		_, key, _ = layout.SplitWaitingIndex(s.low[s.prefix:])
		s.row(key)
		s.remove(s.buf)
		s.remove(s.low)
		return true
	})
}

// row makes buf the row of a key.
func (s *Suppressed[K, V]) row(key []byte) {
	s.buf = append(layout.AppendWaiting(s.buf[:s.prefix]), key...)
}

// copied returns headers that do not refer to the bytes of a row.
func copied(headers []record.Header) []record.Header {
	for i := range headers {
		if v := headers[i].Value; v != nil {
			headers[i].Value = append([]byte{}, v...)
		}
	}
	return headers
}

// learn finds out what the rows say.
func (s *Suppressed[K, V]) learn() {
	if s.known {
		return
	}
	s.known, s.count, s.bytes, s.first = true, 0, 0, -never
	if !s.counted {
		return // the first Drain finds the earliest
	}
	from := layout.AppendWaiting(append([]byte(nil), s.buf[:s.prefix]...))
	s.first = never
	s.scan(from, after(from), false, func(it store.Iter) bool {
		row := it.Value()
		until, _ := layout.Time(row)
		b := s.change(row)
		s.buf = append(s.buf[:0], it.Key()...)
		s.count++
		s.bytes += s.size(&b)
		s.first = min(s.first, until)
		return true
	})
}
