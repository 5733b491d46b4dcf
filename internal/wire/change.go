package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A Change is a row of a table before and after, as bytes. One of HasOld, HasNew is true.
type Change struct {
	Old, New       []byte
	HasOld, HasNew bool
}

// The last byte of a Change says which values it has.
//
//	old 0 │ new 1 │ varint(len(new)) new old 2 │ 3, 4, 5: as 0, 1, 2 with a byte before the last (newer writers)
const (
	onlyOld byte = iota
	onlyNew
	bothValues
	onlyOldLatest
	onlyNewLatest
	bothLatest
)

// errChange is wrapped by what is wrong with the bytes of a Change.
var errChange = errors.New("not the change of a table's row")

// AppendChange appends the bytes of a change, which must have one value at least.
func AppendChange(dst []byte, c Change) []byte {
	switch {
	case c.HasOld && c.HasNew:
		dst = binary.AppendVarint(dst, int64(len(c.New)))
		dst = append(dst, c.New...)
		dst = append(dst, c.Old...)
		return append(dst, bothValues)
	case c.HasNew:
		return append(append(dst, c.New...), onlyNew)
	case c.HasOld:
		return append(append(dst, c.Old...), onlyOld)
	}
	panic("wire: a change without an old and a new value has no format")
}

// DecodeChange reads the bytes of a change. Its values refer to b.
func DecodeChange(b []byte) (Change, error) {
	if len(b) == 0 {
		return Change{}, fmt.Errorf("%w: it is empty", errChange)
	}
	flag, rest := b[len(b)-1], b[:len(b)-1]
	if flag >= onlyOldLatest && flag <= bothLatest {
		if len(rest) == 0 {
			return Change{}, fmt.Errorf("%w: flag %d without the byte before it", errChange, flag)
		}
		flag, rest = flag-onlyOldLatest, rest[:len(rest)-1]
	}
	switch flag {
	case onlyOld:
		return Change{Old: rest, HasOld: true}, nil
	case onlyNew:
		return Change{New: rest, HasNew: true}, nil
	case bothValues:
		n, size := binary.Varint(rest)
		if size <= 0 || n < 0 || n > int64(len(rest)-size) {
			return Change{}, fmt.Errorf("%w: the length of its new value is damaged", errChange)
		}
		rest = rest[size:]
		return Change{New: rest[:n:n], Old: rest[n:], HasNew: true, HasOld: true}, nil
	}
	return Change{}, fmt.Errorf("%w: flag %d is not known", errChange, flag)
}
