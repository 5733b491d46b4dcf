package main

import "syscall"

// childAttr makes the engine the leader of its own process group, so that a Ctrl-C in the terminal reaches only this
// program, and has the kernel kill it when this program dies.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
