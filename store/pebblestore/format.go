package pebblestore

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/internal/overlay"
)

// Format is the number of the layout of keys and values in a database:
//
//	00 00 'f'             u32           number of the format
//	00 00 's' NAME        u16           prefix of the keys of a store; never used for another name
//	00 00 'o' CHANGELOG   16 i64 i64    checkpoint: topic id, offset, stamp in milliseconds
//	00 00 'x'             nothing       the database was closed in order; gone while it is open
//	PREFIX KEY            VALUE         a row; prefixes begin at 00 01
//
// Numbers are big endian. A change of any of it takes a new number.
const Format = 1

const (
	kindFormat     = 'f'
	kindStore      = 's'
	kindCheckpoint = 'o'
	kindClean      = 'x'
)

var (
	metaFrom = []byte{0, 0}
	metaTo   = []byte{0, 1} // rows begin here
)

// metaKey returns the key of a fact about the database.
func metaKey(kind byte, name string) []byte {
	return append([]byte{0, 0, kind}, name...)
}

func formatValue(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func checkpointValue(cp store.Checkpoint) []byte {
	b := append([]byte(nil), cp.TopicID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(cp.Offset))
	return binary.BigEndian.AppendUint64(b, uint64(cp.Stamp))
}

// catalog is what a database says about itself.
type catalog struct {
	format      uint32 // 0: new
	clean       bool
	prefixes    map[string][overlay.PrefixLen]byte
	checkpoints []store.Checkpoint
}

// add takes one fact. An error means that the database is damaged.
func (c *catalog) add(key, value []byte) error {
	if len(key) < 3 || !bytes.HasPrefix(key, metaFrom) {
		return fmt.Errorf("unknown key %x", key)
	}
	name := string(key[3:])
	named := key[2] == kindStore || key[2] == kindCheckpoint
	want := map[byte]int{kindFormat: 4, kindStore: overlay.PrefixLen, kindCheckpoint: 32, kindClean: 0}
	if n, ok := want[key[2]]; !ok || len(value) != n || !named && name != "" {
		return fmt.Errorf("unknown key %x with a value of %d bytes", key, len(value))
	}
	switch key[2] {
	case kindFormat:
		c.format = binary.BigEndian.Uint32(value)
	case kindStore:
		c.prefixes[name] = [overlay.PrefixLen]byte(value)
	case kindCheckpoint:
		cp := store.Checkpoint{Changelog: name, TopicID: [16]byte(value[:16])}
		cp.Offset = int64(binary.BigEndian.Uint64(value[16:]))
		cp.Stamp = int64(binary.BigEndian.Uint64(value[24:]))
		c.checkpoints = append(c.checkpoints, cp)
	case kindClean:
		c.clean = true
	}
	return nil
}

// allot returns the prefix of a store, a new one if it has none; added says so.
func (c *catalog) allot(name string) (prefix [overlay.PrefixLen]byte, added bool, err error) {
	if p, ok := c.prefixes[name]; ok {
		return p, false, nil
	}
	highest := uint16(0)
	for _, p := range c.prefixes {
		highest = max(highest, binary.BigEndian.Uint16(p[:]))
	}
	if highest == 1<<16-1 {
		return prefix, false, fmt.Errorf("no prefix is left for store %q: remove the directory to restore its state from the changelogs", name)
	}
	binary.BigEndian.PutUint16(prefix[:], highest+1)
	c.prefixes[name] = prefix
	return prefix, true, nil
}
