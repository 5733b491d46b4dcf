//go:build !linux

package integration

import "os/exec"

// dieWithParent does nothing where the kernel cannot: the test kills its children itself.
func dieWithParent(*exec.Cmd) {}
