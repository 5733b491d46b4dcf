package layout

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/record"
)

// SeqLen is the length of the number that tells rows of equal key and start apart, bytes.
const SeqLen = 4

// duplicates: several values per key and start, in order of arrival. The changelog's key is the row's without the segment,
// and its headers are kept with the value.
type duplicates struct{ segment int64 }

func newDuplicates(d *decl.Store) duplicates { return duplicates{Segment(d)} }

func (duplicates) Record(a *record.Arena, key, value []byte, has bool, _ int64) (Entry, bool) {
	if !has { // rows expire, and are not removed
		return Entry{}, false
	}
	e := Entry{Key: a.Copy(key[NumberLen:])}
	e.Time, value = Time(value)
	var err error
	if e.Headers, value, err = Headers(value); err != nil {
		panic(err)
	}
	e.Value = a.Copy(value)
	return e, true
}

func (f duplicates) Rows(w *Writer, e *Entry) {
	if e.Value == nil { // takes a number and stores nothing
		return
	}
	n := len(e.Key) - NumberLen - SeqLen
	if n < 0 || e.Key[n]&0x80 != 0 {
		w.Fail(fmt.Errorf("layout: the key of a changelog record has %d bytes (%x): want a key, a start of %d bytes from 1970 on, and a number of %d", len(e.Key), e.Key, NumberLen, SeqLen))
		return
	}
	var segment [NumberLen]byte
	w.Key(appendNumber(segment[:0], number(e.Key[n:])/f.segment))
	w.Key(e.Key)
	w.Time(e.Time)
	w.Value(AppendHeaders(nil, e.Headers))
	w.Value(e.Value)
}

// AppendHeaders appends headers to dst: their number, then for each the length of its name, the name, the length of its value
// plus one (0: null), and the value. Numbers are uvarints: no headers are one byte.
func AppendHeaders(dst []byte, headers []record.Header) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(headers)))
	for _, h := range headers {
		dst = binary.AppendUvarint(dst, uint64(len(h.Key)))
		dst = append(dst, h.Key...)
		if h.Value == nil {
			dst = append(dst, 0)
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(len(h.Value))+1)
		dst = append(dst, h.Value...)
	}
	return dst
}

var errHeaders = errors.New("layout: the headers of a row end early: another version or application wrote it")

// Headers splits what AppendHeaders wrote off b. The headers have memory of their own.
func Headers(b []byte) (headers []record.Header, rest []byte, err error) {
	n, b, ok := uvarint(b)
	if !ok || n > uint64(len(b)/2) { // a header has two lengths
		return nil, nil, errHeaders
	}
	if n > 0 {
		headers = make([]record.Header, n)
	}
	for i := range headers {
		var key, value []byte
		if key, b, ok = piece(b, 0); !ok {
			return nil, nil, errHeaders
		}
		if value, b, ok = piece(b, 1); !ok {
			return nil, nil, errHeaders
		}
		headers[i].Key = string(key)
		if value != nil {
			headers[i].Value = append([]byte{}, value...)
		}
	}
	return headers, b, nil
}

// SkipHeaders splits what AppendHeaders wrote off b, for those who want the rest only.
func SkipHeaders(b []byte) (rest []byte, err error) {
	if len(b) > 0 && b[0] == 0 { // the rule
		return b[1:], nil
	}
	_, rest, err = Headers(b)
	return rest, err
}

func uvarint(b []byte) (n uint64, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 {
		return 0, nil, false
	}
	return n, b[size:], true
}

// piece splits a length, which is too long by more, and so many bytes off b. A length below more is nil.
func piece(b []byte, more uint64) (p, rest []byte, ok bool) {
	n, b, ok := uvarint(b)
	switch {
	case !ok:
		return nil, nil, false
	case n < more:
		return nil, b, true
	case n-more > uint64(len(b)):
		return nil, nil, false
	}
	n -= more
	return b[:n:n], b[n:], true
}

// SplitDuplicate takes the key of a row of a store of duplicates apart. ok is false for what is none.
func SplitDuplicate(row []byte) (key []byte, start int64, number uint32, ok bool) {
	n := len(row) - NumberLen - SeqLen
	if n < NumberLen {
		return nil, 0, 0, false
	}
	return row[NumberLen:n], int64(binary.BigEndian.Uint64(row[n:])), binary.BigEndian.Uint32(row[n+NumberLen:]), true
}
