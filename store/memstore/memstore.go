package memstore

import (
	"encoding/binary"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/internal/overlay"
)

// Open returns an empty database for the named stores. It starts no goroutine and cannot fail.
func Open(stores ...string) store.DB {
	var parts []overlay.Store
	for i, name := range stores {
		p := overlay.Store{Name: name}
		binary.BigEndian.PutUint16(p.Prefix[:], uint16(i+1))
		parts = append(parts, p)
	}
	// The overlay need not cache what is in memory anyway.
	return overlay.Open(&base{}, parts, nil, true, overlay.Options{Limit: func() int64 { return 0 }, Inline: true})
}

// base keeps committed rows.
type base struct{ rows rows }

func (b *base) Get(dst, key []byte) ([]byte, bool, error) {
	p, i, ok := b.rows.find(key)
	if !ok {
		return dst, false, nil
	}
	return append(dst, b.rows.pages[p][i].value...), true, nil
}

func (b *base) Apply(rows overlay.Rows, _ int, _ []store.Checkpoint, gone []overlay.Span) error {
	for len(rows) > 0 {
		var key, value []byte
		var has bool
		key, value, has, rows = rows.Next()
		if has {
			b.rows.set(key, value)
		} else {
			b.rows.delete(key)
		}
	}
	for _, s := range gone {
		b.rows.deleteSpan(s.From, s.To)
	}
	return nil
}

func (b *base) Wipe(prefix []byte, _ string) error {
	b.rows.deletePrefix(prefix)
	return nil
}

func (b *base) Read(keys [][]byte, f func(key, value []byte, ok bool) error) error {
	for _, k := range keys {
		v, ok, _ := b.Get(nil, k)
		if err := f(k, v, ok); err != nil {
			return err
		}
	}
	return nil
}

func (b *base) Iter(from, to []byte, reverse bool) store.Iter { return b.rows.iter(from, to, reverse) }
func (b *base) Flush() error                                  { return nil }
func (b *base) Close(bool) error                              { b.rows = rows{}; return nil }
func (b *base) Size() int64                                   { return b.rows.bytes }
