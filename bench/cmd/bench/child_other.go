//go:build !linux

package main

import "syscall"

// childAttr has nothing to ask for: no engine can be measured here, since there is no /proc.
func childAttr() *syscall.SysProcAttr { return nil }
