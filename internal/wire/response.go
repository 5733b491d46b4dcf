package wire

import "fmt"

// A Response is the answer to a subscription: the row of the foreign key. An empty row cannot be told from none.
//
//	version with bit 7 for "no hash" │ hash 16, if any │ row of the foreign key
type Response struct {
	Hash    Hash // of the left row that asked
	HasHash bool // there was one
	Row     []byte
}

// AppendResponse appends the bytes of a response up to its row, which the caller appends.
func AppendResponse(dst []byte, hash Hash, has bool) []byte {
	if !has {
		return append(dst, responseVersion|noHash)
	}
	return append(append(dst, responseVersion), hash[:]...)
}

// DecodeResponse reads the bytes of a response, to which its row refers; no row is empty.
func DecodeResponse(b []byte) (Response, error) {
	if len(b) == 0 {
		return Response{}, fmt.Errorf("%w: it is empty", errResponse)
	}
	if v := b[0] &^ noHash; v != responseVersion {
		return Response{}, fmt.Errorf("%w: version %d is not known: a newer program wrote it", errResponse, v)
	}
	r := Response{HasHash: b[0]&noHash == 0}
	b = b[1:]
	if r.HasHash {
		if len(b) < HashLen {
			return Response{}, fmt.Errorf("%w: its hash is cut off", errResponse)
		}
		b = b[copy(r.Hash[:], b):]
	}
	r.Row = b
	return r, nil
}
