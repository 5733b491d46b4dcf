//go:build !linux

package child

import "os/exec"

// dieWithParent does nothing where the kernel cannot: the test kills its children itself.
func dieWithParent(*exec.Cmd) {}
