package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// A Buffered is a change of a table, or a record of a stream, that waits in a buffer. Nil bytes are null.
//
//	origin │ prior │ old │ new      each an int32 length, -1 for null, and bytes; an old like the prior has the length -2
type Buffered struct {
	Origin
	Prior []byte // the value before the first change that waits
	Old   []byte // the value before the last one
	New   []byte
}

const likePrior = ^uint32(1) // -2

// AppendBuffered appends the bytes of a buffered change.
func AppendBuffered(dst []byte, b *Buffered) []byte {
	dst = appendNullable(AppendOrigin(dst, &b.Origin), b.Prior)
	if b.Old != nil && b.Prior != nil && bytes.Equal(b.Old, b.Prior) {
		dst = binary.BigEndian.AppendUint32(dst, likePrior)
	} else {
		dst = appendNullable(dst, b.Old)
	}
	return appendNullable(dst, b.New)
}

var errBuffered = errors.New("not a buffered change")

// DecodeBuffered reads the bytes of a buffered change, to which the result refers, and returns the rest.
func DecodeBuffered(src []byte) (b Buffered, rest []byte, err error) {
	if b.Origin, rest, err = DecodeOrigin(src); err != nil {
		return b, nil, err
	}
	if b.Prior, rest, err = nullable(rest); err != nil {
		return b, nil, fmt.Errorf("%w: %w", errBuffered, err)
	}
	if len(rest) >= 4 && binary.BigEndian.Uint32(rest) == likePrior {
		b.Old, rest = b.Prior, rest[4:]
	} else if b.Old, rest, err = nullable(rest); err != nil {
		return b, nil, fmt.Errorf("%w: %w", errBuffered, err)
	}
	if b.New, rest, err = nullable(rest); err != nil {
		return b, nil, fmt.Errorf("%w: %w", errBuffered, err)
	}
	return b, rest, nil
}

// Size is what Kafka Streams takes a buffered change for when it counts the bytes of a buffer, without its key and time.
func (b *Buffered) Size() int64 {
	n := int64(len(b.Prior)+len(b.New)) + b.Origin.Size()
	if !bytes.Equal(b.Old, b.Prior) || (b.Old == nil) != (b.Prior == nil) {
		n += int64(len(b.Old))
	}
	return n
}
