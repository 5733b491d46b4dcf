package overlay

import (
	"encoding/binary"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/internal/table"
)

// PrefixLen is the length of the prefix all keys of a store begin with, bytes.
const PrefixLen = table.PrefixLen

// A Base keeps rows and checkpoints. Apply, Wipe and Flush are called one at a time, Apply perhaps from another
// goroutine than, and at the same time as, Get and Iter.
type Base interface {
	// Get appends the value of a key to dst.
	Get(dst, key []byte) (value []byte, ok bool, err error)
	// Read calls f for each key, which rise, with what Get would say. The value is good inside the call. An error of f ends it.
	Read(keys [][]byte, f func(key, value []byte, ok bool) error) error
	// Iter returns the rows with from <= key < to, or backwards; nil is open. It shows none or all of an Apply that is
	// under way. It need not outlive the next Apply.
	Iter(from, to []byte, reverse bool) store.Iter
	// Apply writes count rows and the checkpoints as one, and removes the rows in the spans given, the new ones too: after a crash
	// there is all of it or nothing, and all if there is any of a later Apply. It must not keep what it is given.
	Apply(rows Rows, count int, checkpoints []store.Checkpoint, gone []Span) error
	// Wipe removes the rows whose keys begin with prefix, and the checkpoint of a changelog.
	Wipe(prefix []byte, changelog string) error
	// Flush makes everything applied durable.
	Flush() error
	// Close closes the base; after a clean one it holds everything, and is to remember that it was closed in order.
	Close(clean bool) error
	// Size returns the bytes kept, roughly.
	Size() int64
}

// A Span is the keys with From <= key < To.
type Span struct{ From, To []byte }

// Rows is a sequence of rows as bytes: for each the length of the key, the length of the value plus one (0: a deletion),
// both as uvarints, then key and value. Of rows with the same key the last counts.
type Rows []byte

// appendRow appends a row to b.
func appendRow(r, key, value []byte, has bool) []byte {
	r = binary.AppendUvarint(r, uint64(len(key)))
	if !has {
		r = append(r, 0)
		return append(r, key...)
	}
	r = binary.AppendUvarint(r, uint64(len(value))+1)
	r = append(r, key...)
	return append(r, value...)
}

// Next splits off the first row of non-empty rows; has is false for a deletion.
func (r Rows) Next() (key, value []byte, has bool, rest Rows) {
	klen, n := binary.Uvarint(r)
	r = r[n:]
	vlen, n := binary.Uvarint(r)
	r = r[n:]
	key, r = r[:klen:klen], r[klen:]
	if vlen == 0 {
		return key, nil, false, r
	}
	vlen--
	return key, r[:vlen:vlen], true, r[vlen:]
}
