package testkafka

import "syscall"

// childAttr has the kernel kill the broker when the thread that started it ends, so that a test process that is killed
// leaves no broker behind. Its own process group keeps a Ctrl-C in the terminal from reaching it before its tests.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
