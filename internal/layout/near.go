package layout

// Near is what is around the place where a version is put.
//
// Kafka Streams keeps the newest version in one place and what it replaced in another, as stretches from one time to the
// next. A deletion that overwrites the newest version at its very time leaves a trace only if a stretch ends there: else the
// key is as if nothing had ever been put at that time, and an older put becomes the newest version. Edge and Bounded remember
// whether a stretch ends where a version begins.
type Near struct {
	Latest bool // nothing is newer

	same, before     byte // flags of the version of the same time, and of the one before that
	isSame, isBefore bool
	beforeAt         int64
}

// see takes up a version; the order does not matter.
func (n *Near) see(t int64, flags byte, at int64) {
	switch {
	case flags&Void != 0:
	case t > at:
		n.Latest = false
	case t == at:
		n.same, n.isSame = flags, true
	case !n.isBefore || t > n.beforeAt:
		n.before, n.beforeAt, n.isBefore = flags, t, true
	}
}

// Same tells of the version of the same time, Before of the newest one before that.
func (n *Near) Same(flags byte) { n.same, n.isSame = flags, true }

// Before tells of the newest version before.
func (n *Near) Before(flags byte) { n.before, n.isBefore = flags, true }

// Flags returns the flags of a version put there: with a value, or a deletion.
func (n *Near) Flags(has bool) (flags byte) {
	stretched := n.isBefore && n.before&Deleted == 0 // what was before is one that ends here
	switch {
	case !n.Latest:
		flags = Edge | Bounded
	case has:
		if stretched || n.isSame && n.same&(Deleted|Edge) != 0 {
			flags = Edge
		}
	case n.isSame && n.same&(Deleted|Edge) == 0 && !stretched && !(n.isBefore && n.before&Bounded != 0):
		return Deleted | Void
	}
	if !has {
		flags |= Deleted
	}
	return flags
}

// A batch is the versions that were restored and are not to be read yet.
type batch struct {
	keys  []byte
	at    []placed
	index map[string]map[int64]byte // flags by key and time; nil until somebody asks
}

// placed is a version in a batch: its key ends at end, and begins where that before it ends.
type placed struct {
	end   int
	at    int64
	flags byte
}

func (b *batch) add(key []byte, at int64, flags byte) {
	if b.index != nil {
		b.put(key, at, flags)
		return
	}
	b.keys = append(b.keys, key...)
	b.at = append(b.at, placed{len(b.keys), at, flags})
}

func (b *batch) put(key []byte, at int64, flags byte) {
	versions := b.index[string(key)]
	if versions == nil {
		versions = map[int64]byte{}
		b.index[string(key)] = versions
	}
	versions[at] = flags
}

// of returns the versions of a key: flags by time.
func (b *batch) of(key []byte) map[int64]byte {
	if b.index == nil {
		b.index = map[string]map[int64]byte{}
		from := 0
		for _, p := range b.at {
			b.put(b.keys[from:p.end], p.at, p.flags)
			from = p.end
		}
	}
	return b.index[string(key)]
}

func (b *batch) clear() { b.keys, b.at, b.index = b.keys[:0], b.at[:0], nil }
