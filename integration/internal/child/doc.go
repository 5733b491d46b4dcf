// Package child runs programs beside a test: the test's own binary as an app, or another program that does its work. What a
// child writes to standard output is lines that the test asks for; the end of its standard error is shown when the test fails.
//
//	cmd := exec.Command(os.Args[0])
//	cmd.Env = append(os.Environ(), "MILLRACE_CHILD=count")
//	c := child.Start(t, "count", cmd) // killed with the test, and with the test's process
//	c.Until(t, "running", func() bool { return len(c.Said("state running")) > 0 })
//	c.Kill()                          // or c.End(t), in good order
package child
