//go:build !linux

package arena

// Elsewhere blocks are ordinary slices: a private mapping behaves differently on each system, and production is Linux.
const mappable = false

func mapped(n int) []byte { return make([]byte, n) }
func unmap([]byte)        {}
func large([]byte)        {}
func discard(b []byte)    { clear(b) }
