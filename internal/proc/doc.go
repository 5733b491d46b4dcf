// Package proc is what stands behind a user's processor: the ends it sends to, its view of the task, and what it has in
// hand. The types of package topology (Out, OutValue, Task) have types of this package as underlying types, so that kstream
// can make them and users see nothing inside.
//
//	             ┌─► Task: stores, timers, clocks
//	setup ◄──────┤
//	handler ─────┴─► Out, OutValue ──► next step
//
//	hand := proc.NewHand(n)
//	handle := setup((*topology.Task)(proc.NewTask(env, n, hand)), topology.Out[K, V](proc.NewOut(env.Meta(), hand, next)))
package proc
