package overlay

// An appetite says how large the table should be. A cache that most look-ups miss is memory better spent on blocks of the
// base, which hold a row in a quarter of the space: then the table shrinks to its least size.
type appetite struct {
	hits, misses int
	small        bool
	patience     int // judgements to wait before growing again; doubled by each shrinking
	wait         int
}

const (
	judged      = 1 << 16 // look-ups between judgements
	worth       = 60      // per cent of hits below which a full table shrinks
	growAgain   = 20      // per cent of hits of a small table from which a large one would be worth its memory
	minPatience = 4
	maxPatience = 1 << 10
)

// missed notes a look-up that the base answered. A row that there is not would not have been in any cache.
func (a *appetite) missed(there bool) {
	if there {
		a.misses++
	}
}

// limit returns the bytes the table may hold.
func (a *appetite) limit(o *Options) int64 {
	if a.small && o.Least != nil {
		return min(o.Least()+waiting(o), o.Limit())
	}
	return o.Limit()
}

// waiting returns what the entries of rows take that the base may lack: those of two batches, which are larger than the
// rows. They stay whatever the limit says, and sweeping over them again and again would cost more than all else.
func waiting(o *Options) int64 { return 4 * int64(o.Batch) }

// judge looks at the hits of late. It is called at commits.
func (a *appetite) judge(bytes int64, o *Options) {
	n := a.hits + a.misses
	if n < judged || o.Least == nil {
		return
	}
	hits := max(0, a.hits) * 100 / n
	a.hits, a.misses = 0, 0
	limit := o.Limit()
	switch {
	case a.small:
		if a.wait--; a.wait <= 0 && hits >= growAgain {
			a.small = false
		}
	case bytes >= limit-limit/8 && hits < worth:
		a.small = true
		a.patience = min(max(minPatience, 2*a.patience), maxPatience)
		a.wait = a.patience
	}
}
