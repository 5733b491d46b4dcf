package layout

import (
	"encoding/binary"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
)

// NumberLen is the length of a number in a key: a time or a segment. They are never negative, so that their order is that
// of their bytes.
const NumberLen = 8

func number(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }

func appendNumber(dst []byte, n int64) []byte { return binary.BigEndian.AppendUint64(dst, uint64(n)) }

// Index is the byte that rows begin with that say in which order of time other rows are. No segment and no time begins
// with it.
const Index = 0xff

// Indexed is the value of such a row. It is of the length of a time, which all rows' values have at least.
var Indexed [TimeLen]byte

// Segment returns how long the stretches are by which rows of a window or session store expire, in milliseconds: as
// declared, else as Kafka Streams has it by default.
func Segment(d *decl.Store) int64 {
	if d.Segment > 0 {
		return d.Segment.Milliseconds()
	}
	return max(d.Retention/2, time.Minute).Milliseconds()
}
