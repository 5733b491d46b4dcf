package layout

import (
	"encoding/binary"
	"fmt"

	"github.com/millrace-streams/millrace/internal/record"
)

// Rows of a suppress buffer. The row of a key is what is logged; the index has the keys in the order of the time they wait
// for, and may have more: whoever reads it asks the row of the key whether it waits for that time.
//
//	'k' KEY             time for which it waits(8), change     logged
//	'w' time(8) KEY     time(8)                                not logged
const (
	waitingKey   = 'k'
	waitingIndex = 'w'
)

// AppendWaiting appends what is in front of the key in a row of the key.
func AppendWaiting(dst []byte) []byte { return append(dst, waitingKey) }

// AppendWaitingIndex appends what is in front of the key in a row of the index.
func AppendWaitingIndex(dst []byte, until int64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, waitingIndex), uint64(until)^1<<63) // in the order of signed numbers
}

// SplitWaitingIndex takes a row of the index apart. Its key begins behind the store's prefix.
func SplitWaitingIndex(row []byte) (until int64, key []byte, ok bool) {
	if len(row) < 9 || row[0] != waitingIndex {
		return 0, nil, false
	}
	return int64(binary.BigEndian.Uint64(row[1:]) ^ 1<<63), row[9:], true
}

// suppressed is logged as by Kafka Streams' InMemoryTimeOrderedKeyValueChangeBuffer, version 3: under the key the change, then
// the time for which it waits. The record's time is that of the change; Kafka Streams leaves it to the producer.
type suppressed struct{}

// suppressVersion is the header that tells the format of a suppress buffer's changelog.
const suppressVersion = "v"

var suppressHeaders = []record.Header{{Key: suppressVersion, Value: []byte{3}}}

func (suppressed) Record(a *record.Arena, key, value []byte, has bool, at int64) (Entry, bool) {
	if len(key) == 0 || key[0] != waitingKey {
		return Entry{}, false
	}
	e := Entry{Key: a.Copy(key[1:]), Time: at}
	if e.Key == nil {
		e.Key = []byte{}
	}
	if has {
		change := value[TimeLen:]
		e.Time, _ = Time(change)
		e.Value = a.Take(append(append(a.Tail(), change...), value[:TimeLen]...))
		e.Headers = suppressHeaders
	}
	return e, true
}

func (suppressed) Rows(w *Writer, e *Entry) {
	row := func() {
		w.Key([]byte{waitingKey})
		w.Key(e.Key)
	}
	if e.Value == nil {
		row()
		return
	}
	version := byte(0)
	for _, h := range e.Headers {
		if h.Key == suppressVersion && len(h.Value) == 1 {
			version = h.Value[0]
		}
	}
	n := len(e.Value) - TimeLen
	switch {
	case version != 3:
		w.Fail(fmt.Errorf("layout: the changelog of a suppress buffer has a record of version %d: this program reads 3, which Kafka Streams writes since 2.4: start the older application on 2.4 or later once", version))
		return
	case n < TimeLen:
		w.Fail(fmt.Errorf("layout: the changelog of a suppress buffer has a value of %d bytes: want a change and a time", len(e.Value)))
		return
	}
	until, _ := Time(e.Value[n:])
	row()
	w.Time(until)
	w.Value(e.Value[:n])
	w.Next()
	w.Key(AppendWaitingIndex(nil, until))
	w.Key(e.Key)
	w.Time(until)
}

// held: records of a stream, in the order of time, key, and arrival. Rows and records are the same but for a time at the end
// of the record's value that means nothing.
//
//	0 time(8) KEY sequence(4)     record, which begins with its time
type held struct{}

const (
	heldFirst = 9 // bytes in front of the key
	heldLast  = 4 // and behind it
)

// AppendHeld appends the key of the row of a held record. key appends the bytes of its key.
func AppendHeld(dst []byte, at int64, key func(dst []byte) []byte, sequence uint32) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, 0), uint64(at))
	return binary.BigEndian.AppendUint32(key(dst), sequence)
}

// SplitHeld takes the key of the row of a held record apart. It begins behind the store's prefix.
func SplitHeld(row []byte) (at int64, key []byte, sequence uint32, ok bool) {
	n := len(row) - heldLast
	if n < heldFirst || row[0] != 0 {
		return 0, nil, 0, false
	}
	return int64(binary.BigEndian.Uint64(row[1:])), row[heldFirst:n], binary.BigEndian.Uint32(row[n:]), true
}

func (held) Record(a *record.Arena, key, value []byte, has bool, at int64) (Entry, bool) {
	e := Entry{Key: a.Copy(key), Time: at}
	if has {
		e.Time, _ = Time(value)
		e.Value = a.Take(append(append(a.Tail(), value...), 0, 0, 0, 0, 0, 0, 0, 0))
	}
	return e, true
}

func (held) Rows(w *Writer, e *Entry) {
	if _, _, _, ok := SplitHeld(e.Key); !ok {
		w.Fail(fmt.Errorf("layout: the changelog of a stream buffer has a key of %d bytes: want a time, a key and a number", len(e.Key)))
		return
	}
	if e.Value == nil {
		w.Key(e.Key)
		return
	}
	n := len(e.Value) - TimeLen
	if n < TimeLen {
		w.Fail(fmt.Errorf("layout: the changelog of a stream buffer has a value of %d bytes: want a record and a time", len(e.Value)))
		return
	}
	w.Key(e.Key)
	w.Value(e.Value[:n])
}
