package pebblestore

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/millrace-streams/millrace/store/internal/overlay"
)

// A sorter puts rows in key order.
type sorter struct{ refs []ref }

// ref is a row: the first bytes of its key, and where it is.
type ref struct {
	head uint64
	off  int
}

// sort returns references to the rows in key order, the last of each key. They are valid until the next call.
func (s *sorter) sort(rows overlay.Rows) []ref {
	if cap(s.refs) > 1<<16 && len(s.refs) < cap(s.refs)/16 {
		s.refs = nil
	}
	refs := s.refs[:0]
	for rest := rows; len(rest) > 0; {
		off := len(rows) - len(rest)
		var key []byte
		key, _, _, rest = rest.Next()
		refs = append(refs, ref{head(key), off})
	}
	slices.SortFunc(refs, func(a, b ref) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		if c := bytes.Compare(keyAt(rows, a), keyAt(rows, b)); c != 0 {
			return c
		}
		return b.off - a.off // the last one first
	})
	s.refs = refs
	return slices.CompactFunc(refs, func(a, b ref) bool {
		return a.head == b.head && bytes.Equal(keyAt(rows, a), keyAt(rows, b))
	})
}

func keyAt(rows overlay.Rows, r ref) []byte {
	key, _, _, _ := rows[r.off:].Next()
	return key
}

// head returns the first eight bytes of a key as a number that sorts as they do.
func head(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}
