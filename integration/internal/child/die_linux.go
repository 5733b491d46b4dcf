package child

import (
	"os/exec"
	"syscall"
)

// DieWithParent has the kernel kill the process when the test process dies.
func DieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
