package assign

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// memberFormat numbers the format of a member's user data:
//
//	format byte ‖ process ‖ endpoint ‖ counter
//	‖ n ‖ (fingerprint ‖ flags byte ‖ n ‖ topic… ‖ n ‖ changelog…)…
//	‖ n ‖ (changelog ‖ n ‖ (partition ‖ offset)…)…
//
// Numbers are unsigned varints, texts have their length in front. Bit 0 of flags: the subtopology is stateful.
const memberFormat = 1

const flagStateful = 1

// FormatError says that a message is in a format this version does not know.
type FormatError struct {
	What string // "user data of a member"
	Got  byte
	Want byte // the highest format this version reads
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("assign: %s has format %d, this version reads up to %d: deploy the newer version of the application here too", e.What, e.Got, e.Want)
}

// AppendMember appends the user data of a member to dst. Equal members give equal bytes, whatever the order of their lists.
// A negative partition or offset is a broken invariant.
func AppendMember(dst []byte, m Member) []byte {
	m = m.normal()
	dst = append(dst, memberFormat)
	dst = appendText(dst, m.Process)
	dst = appendText(dst, m.Endpoint)
	dst = binary.AppendUvarint(dst, uint64(m.Counter))
	dst = binary.AppendUvarint(dst, uint64(len(m.Subs)))
	for _, s := range m.Subs {
		dst = appendText(dst, s.Fingerprint)
		var flags byte
		if s.Stateful {
			flags |= flagStateful
		}
		dst = append(dst, flags)
		dst = appendTexts(dst, s.Topics)
		dst = appendTexts(dst, s.Changelogs)
	}
	return appendDisk(dst, m.Disk)
}

// appendDisk writes each changelog's name once; disk is sorted.
func appendDisk(dst []byte, disk []Stored) []byte {
	names := 0
	for i, d := range disk {
		if i == 0 || d.Changelog != disk[i-1].Changelog {
			names++
		}
	}
	dst = binary.AppendUvarint(dst, uint64(names))
	for len(disk) > 0 {
		n := 0
		for n < len(disk) && disk[n].Changelog == disk[0].Changelog {
			n++
		}
		dst = appendText(dst, disk[0].Changelog)
		dst = binary.AppendUvarint(dst, uint64(n))
		for _, d := range disk[:n] {
			if d.Partition < 0 || d.Offset < 0 {
				panic(fmt.Sprintf("assign: %s/%d is stored up to offset %d: neither may be negative", d.Changelog, d.Partition, d.Offset))
			}
			dst = binary.AppendUvarint(dst, uint64(d.Partition))
			dst = binary.AppendUvarint(dst, uint64(d.Offset))
		}
		disk = disk[n:]
	}
	return dst
}

// DecodeMember reads the user data of a member; its ID stays empty. It fails with a *FormatError if a newer version
// wrote them.
func DecodeMember(src []byte) (Member, error) {
	const what = "user data of a member"
	r, err := open(what, src, memberFormat)
	if err != nil {
		return Member{}, err
	}
	m := Member{Process: r.text(), Endpoint: r.text(), Counter: uint32(r.number(math.MaxUint32))}
	for range r.count() {
		s := Sub{Fingerprint: r.text()}
		s.Stateful = r.byte()&flagStateful != 0
		s.Topics, s.Changelogs = r.texts(), r.texts()
		m.Subs = append(m.Subs, s)
	}
	for range r.count() {
		changelog := r.text()
		for range r.count() {
			m.Disk = append(m.Disk, Stored{changelog, int32(r.number(math.MaxInt32)), int64(r.number(math.MaxInt64))})
		}
	}
	if err := r.close(); err != nil {
		return Member{}, err
	}
	return m.normal(), nil
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendTexts(dst []byte, texts []string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(texts)))
	for _, s := range texts {
		dst = appendText(dst, s)
	}
	return dst
}

// A reader takes a message apart. After the first error it returns zeros.
type reader struct {
	what string
	src  []byte
	size int
	err  error
}

// open checks the format number.
func open(what string, src []byte, format byte) (*reader, error) {
	if len(src) == 0 {
		return nil, fmt.Errorf("assign: %s is empty: another kind of client is a member of this consumer group", what)
	}
	if src[0] == 0 || src[0] > format {
		return nil, &FormatError{what, src[0], format}
	}
	return &reader{what: what, src: src[1:], size: len(src)}, nil
}

var errCut = errors.New("it ends too early")

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = fmt.Errorf("assign: %s is damaged at byte %d of %d: %w", r.what, r.size-len(r.src), r.size, err)
	}
	r.src = nil
}

func (r *reader) byte() byte {
	if len(r.src) == 0 {
		r.fail(errCut)
		return 0
	}
	b := r.src[0]
	r.src = r.src[1:]
	return b
}

func (r *reader) number(limit uint64) uint64 {
	v, n := binary.Uvarint(r.src)
	switch {
	case n == 0:
		r.fail(errCut)
		return 0
	case n < 0 || v > limit:
		r.fail(fmt.Errorf("a number is greater than %d", limit))
		return 0
	}
	r.src = r.src[n:]
	return v
}

// count reads the length of a list. Each element takes a byte at least, so a count that cannot be true is refused before
// anything is allocated for it.
func (r *reader) count() int {
	n := r.number(math.MaxInt32)
	if n > uint64(len(r.src)) {
		r.fail(fmt.Errorf("%d elements in %d bytes", n, len(r.src)))
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count()
	s := string(r.src[:n])
	r.src = r.src[n:]
	return s
}

func (r *reader) texts() []string {
	var texts []string
	for range r.count() {
		texts = append(texts, r.text())
	}
	return texts
}

func (r *reader) close() error {
	if r.err == nil && len(r.src) > 0 {
		r.fail(fmt.Errorf("%d bytes are left over", len(r.src)))
	}
	return r.err
}
