//go:build unix && !linux

package testkafka

import "syscall"

// childAttr: outside Linux the kernel offers no signal on the parent's death, so a test process that is killed leaves
// its broker behind.
func childAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
