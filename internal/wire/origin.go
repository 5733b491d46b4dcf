package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/millrace-streams/millrace/internal/record"
)

// An Origin is a record's time, headers, and where it was read: what is kept of a record that waits in a buffer.
//
//	time int64 │ offset int64 │ topic int32 length, bytes │ partition int32 │ headers int32 count
//	    per header: key int32 length, bytes │ value int32 length, -1 for null, bytes
type Origin struct {
	Time    int64 // milliseconds
	At      record.Position
	Headers []record.Header
}

// AppendOrigin appends the bytes of an origin.
func AppendOrigin(dst []byte, o *Origin) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(o.Time))
	dst = binary.BigEndian.AppendUint64(dst, uint64(o.At.Offset))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(o.At.Topic)))
	dst = append(dst, o.At.Topic...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(o.At.Partition))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(o.Headers)))
	for _, h := range o.Headers {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(h.Key)))
		dst = append(dst, h.Key...)
		dst = appendNullable(dst, h.Value)
	}
	return dst
}

var errOrigin = errors.New("not the origin of a buffered record")

// DecodeOrigin reads the bytes of an origin and returns the rest. Values of headers refer to src.
func DecodeOrigin(src []byte) (o Origin, rest []byte, err error) {
	if len(src) < 20 {
		return o, nil, fmt.Errorf("%w: it has %d bytes", errOrigin, len(src))
	}
	o.Time = int64(binary.BigEndian.Uint64(src))
	o.At.Offset = int64(binary.BigEndian.Uint64(src[8:]))
	topic, rest, err := nullable(src[16:])
	if err != nil || len(rest) < 8 {
		return o, nil, fmt.Errorf("%w: it ends early", errOrigin)
	}
	o.At.Topic = string(topic)
	o.At.Partition = int32(binary.BigEndian.Uint32(rest))
	n := int(int32(binary.BigEndian.Uint32(rest[4:])))
	rest = rest[8:]
	if n > len(rest)/8 { // a header has two lengths
		return o, nil, fmt.Errorf("%w: it has %d headers in %d bytes", errOrigin, n, len(rest))
	}
	if n > 0 { // early versions wrote -1 for none
		o.Headers = make([]record.Header, n)
	}
	for i := range o.Headers {
		var key []byte
		if key, rest, err = nullable(rest); err != nil {
			return o, nil, fmt.Errorf("%w: it ends early", errOrigin)
		}
		o.Headers[i].Key = string(key)
		if o.Headers[i].Value, rest, err = nullable(rest); err != nil {
			return o, nil, fmt.Errorf("%w: it ends early", errOrigin)
		}
	}
	return o, rest, nil
}

// Size is what Kafka Streams takes an origin for when it counts the bytes of a buffer.
func (o *Origin) Size() int64 {
	n := 8 + 8 + utf16Len(o.At.Topic) + 4
	for _, h := range o.Headers {
		n += utf16Len(h.Key) + int64(len(h.Value))
	}
	return n
}

// utf16Len returns the length of s in Java's characters.
func utf16Len(s string) (n int64) {
	for _, r := range s {
		n++
		if r > 0xffff && r != utf8.RuneError {
			n++
		}
	}
	return n
}

// appendNullable appends a length and bytes; nil has the length -1.
func appendNullable(dst, b []byte) []byte {
	if b == nil {
		return binary.BigEndian.AppendUint32(dst, ^uint32(0))
	}
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(b))), b...)
}

var errLength = errors.New("a length is not that of what follows")

// nullable reads what appendNullable wrote and returns the rest. Bytes that are not null are not nil.
func nullable(src []byte) (b, rest []byte, err error) {
	if len(src) < 4 {
		return nil, nil, errLength
	}
	n := int(int32(binary.BigEndian.Uint32(src)))
	src = src[4:]
	switch {
	case n == -1:
		return nil, src, nil
	case n < 0 || n > len(src):
		return nil, nil, errLength
	}
	return src[:n:n], src[n:], nil
}
