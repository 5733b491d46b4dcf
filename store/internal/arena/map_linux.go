package arena

import (
	"fmt"
	"syscall"
)

const mappable = true

// mapped returns zero pages of the system.
func mapped(n int) []byte {
	b, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(fmt.Sprintf("arena: the system refuses %d bytes: %v", n, err)) // as the Go runtime does when memory ends
	}
	return b
}

func unmap(b []byte) {
	if err := syscall.Munmap(b); err != nil {
		panic(fmt.Sprintf("arena: give back %d bytes: %v", len(b), err))
	}
}

// large allows large pages.
func large(b []byte) {
	const hugePage = 14
	_ = syscall.Madvise(b, hugePage) // a kernel without them goes on with small ones
}

// discard makes pages zero and gives them back until they are written again.
func discard(b []byte) {
	if err := syscall.Madvise(b, syscall.MADV_DONTNEED); err != nil {
		clear(b)
	}
}
