// Package enginetest runs an engine in the test process, on a broker in the test process, the way the harness runs it in a
// process of its own: load, let it work, stop it, compare the whole output with what is expected.
//
//	           Work(n)                          Verify
//	load ─► engine until n are committed ─► stop ─► compare
//
//	b := enginetest.Start(t, "count-1k", 6_000)
//	b.Work(t, run, 2_000)  // run, a func(context.Context, contract.Options) error, gets so many records and is then stopped
//	b.Work(t, run, 6_000)  // goes on with the rest
//	b.Verify(t)
package enginetest
