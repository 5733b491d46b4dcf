package statedir

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	maxName  = 180                      // longest spelling of the stores, in bytes; file systems take 255 for a name
	hashSize = 16                       // bytes of the hash of a longer one
	cutAt    = maxName - 1 - 2*hashSize // where it is cut, for '~' and the hash
)

// taskName names a task folder by the stores in it and the partition: "counts+totals@3". Lower-case letters, digits, '-',
// '_' and inner dots stand for themselves, everything else is a percent sign and two digits, upper-case letters too,
// because some file systems do not tell them from lower-case ones. Names too long for a file system are cut, and told
// apart by a hash after a '~'.
//
// Different stores or partitions give different names: '+', '@', '~' and '%' are never part of a store's name.
func taskName(stores []string, partition int32) string {
	stores = slices.Clone(stores)
	slices.Sort(stores)
	stores = slices.Compact(stores)
	var b strings.Builder
	for i, s := range stores {
		if i > 0 {
			b.WriteByte('+')
		}
		escape(&b, s)
	}
	name := b.String()
	if len(name) > maxName {
		hash := sha256.Sum256([]byte(name))
		name = fmt.Sprintf("%s~%x", name[:cutAt], hash[:hashSize])
	}
	return name + "@" + strconv.Itoa(int(partition))
}

const hexDigits = "0123456789abcdef"

func escape(b *strings.Builder, store string) {
	if store == "" {
		b.WriteByte('%') // otherwise no store and one without a name would look the same
	}
	for i := range len(store) {
		switch c := store[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
}

// parseTask takes a task folder's name apart. stores is nil if the name was cut; ok is false if it is no task's.
func parseTask(name string) (stores []string, partition int32, ok bool) {
	list, number, found := strings.Cut(name, "@")
	p, err := strconv.ParseInt(number, 10, 32)
	if !found || err != nil || strconv.FormatInt(p, 10) != number {
		return nil, 0, false
	}
	if _, hash, cut := strings.Cut(list, "~"); cut {
		digits, err := hex.DecodeString(hash)
		return nil, int32(p), err == nil && len(digits) == hashSize && len(list) == maxName
	}
	if list != "" {
		for text := range strings.SplitSeq(list, "+") {
			store, ok := unescape(text)
			if !ok {
				return nil, 0, false
			}
			stores = append(stores, store)
		}
	}
	if taskName(stores, int32(p)) != name {
		return nil, 0, false
	}
	return stores, int32(p), true
}

func unescape(text string) (string, bool) {
	if text == "%" {
		return "", true
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			b.WriteByte(text[i])
			continue
		}
		if i+2 >= len(text) {
			return "", false
		}
		c, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return b.String(), true
}
