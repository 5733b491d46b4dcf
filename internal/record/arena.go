package record

// arenaChunk is the size of one chunk of an Arena, bytes.
const arenaChunk = 64 << 10

// An Arena hands out byte slices that live as long as somebody refers to them, many to one allocation. The zero value
// is ready. It is not safe for concurrent use.
//
//	b, err := serde.Append(a.Tail(), v) // appends in place while the chunk has room
//	key := a.Take(b)                    // what was appended; nobody else writes to it
type Arena struct{ chunk []byte }

// Tail returns an empty, non-nil slice whose spare capacity is the rest of the present chunk.
func (a *Arena) Tail() []byte {
	if cap(a.chunk)-len(a.chunk) < 256 {
		a.chunk = make([]byte, 0, arenaChunk)
	}
	return a.chunk[len(a.chunk):len(a.chunk):cap(a.chunk)]
}

// Take ends what was begun with Tail: b is the slice Tail returned, after appends. If appending outgrew the chunk, b
// has memory of its own and the chunk is untouched.
func (a *Arena) Take(b []byte) []byte {
	n := len(a.chunk)
	if len(b) > 0 && n+len(b) <= cap(a.chunk) && &b[0] == &a.chunk[:n+1][n] {
		a.chunk = a.chunk[:n+len(b)]
	}
	return b[:len(b):len(b)]
}

// Copy returns a copy of b; nil stays nil.
func (a *Arena) Copy(b []byte) []byte {
	if b == nil {
		return nil
	}
	return a.Take(append(a.Tail(), b...))
}
