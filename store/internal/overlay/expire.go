package overlay

import (
	"bytes"
	"fmt"
)

// Expire implements store.DB. Entries of expired rows stay until they are evicted: reads may show them.
func (db *DB) Expire(from, to []byte) error {
	if err := db.usable(); err != nil {
		return err
	}
	if p := &db.stores[db.part(from)]; bytes.Compare(from, to) >= 0 || bytes.Compare(to, after(p.Prefix[:])) > 0 {
		return fmt.Errorf("overlay: Expire from %x to %x: want bounds of one store, the lower first", from, to)
	}
	db.gone = append(db.gone, Span{bytes.Clone(from), bytes.Clone(to)})
	db.t.Note()
	return nil
}

// expire adds a span. One that a later one covers is left out: bounds that move on are the rule.
func (b *batch) expire(s Span) {
	for i := range b.gone {
		if bytes.Compare(s.From, b.gone[i].From) <= 0 && bytes.Compare(b.gone[i].To, s.To) <= 0 {
			b.gone[i] = s
			return
		}
	}
	b.gone = append(b.gone, s)
}

// after returns the first key above all keys with a prefix.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return append(bytes.Repeat([]byte{0xff}, len(prefix)), 0xff)
}
