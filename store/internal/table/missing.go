package table

import "hash/maphash"

// groupLen is how many keys are looked up at once: few enough for what was fetched to be in the nearest cache still.
const groupLen = 64

// nearby hashes n keys and has what is known of them in the processor's cache: a look-up waits for memory twice, and here
// the waits of many overlap.
func (t *Table) nearby(n int, key func(i int) []byte, hashes *[groupLen]uint64) {
	var refs [groupLen]Ref
	for i := range n {
		hashes[i] = maphash.Bytes(t.seed, key(i))
	}
	// The loads of these two loops do not depend on one another, so the processor has many under way.
	for i := range n {
		refs[i] = t.first(hashes[i])
	}
	near := uint32(0)
	for _, r := range refs[:n] {
		if r != 0 {
			near += t.at(r).vlen
		}
	}
	t.near = near
}

// first returns the entry in the first slot of a hash.
func (t *Table) first(h uint64) Ref {
	s := t.index[h>>56].s
	if len(s) == 0 {
		return 0
	}
	return Ref(s[uint32(h)&uint32(len(s)-1)])
}

// Missing calls f with each key that has no entry. The entries of the others are near then.
func (t *Table) Missing(keys [][]byte, f func(key []byte)) {
	var hashes [groupLen]uint64
	for len(keys) > 0 {
		group := keys[:min(groupLen, len(keys))]
		keys = keys[len(group):]
		t.nearby(len(group), func(i int) []byte { return group[i] }, &hashes)
		for i, key := range group {
			if t.find(key, hashes[i]) == 0 {
				f(key)
			}
		}
	}
}
