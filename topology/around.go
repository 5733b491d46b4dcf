package topology

import (
	"context"
	"time"
)

// A Step is a step of a topology in one task: a verb of kstream or ktable, a source, a sink.
type Step struct {
	Task TaskID
	Name string // as in descriptions
	Kind string // the verb: source, filter, count, process, sink …
	At   string // file:line of the call that made it
}

// Handling is a record that a step is about to handle.
type Handling struct {
	Position // of the record of the source topic that it comes from; without Topic if there is none, in a timer or at a commit
	Time     time.Time
	Headers  Headers // must not be changed
}

// An Around is asked, once per step and task, what to wrap the step's handling of records in; nil leaves the step as it is.
// It serves tracing, profiles, and tests that make a step fail:
//
//	func(s topology.Step) func(context.Context, topology.Handling, func()) error {
//		return func(ctx context.Context, h topology.Handling, handle func()) error {
//			defer trace.StartRegion(ctx, s.Name).End()
//			handle()
//			return nil
//		}
//	}
//
// What is returned is called for each record that the step gets; handle does the step's work and that of all steps behind
// it, whose own calls happen inside. It must be called at most once, on the same goroutine. If it is not called, the record
// goes no further; an error goes the way of a failure of the step, to its error policy. A failure inside comes through as
// a panic that must go on: use defer.
//
// Timers, and what a table emits at a commit, begin at the steps behind the one they belong to. (Kafka Streams calls it a
// processor wrapper, KIP-1112.)
type Around func(Step) func(ctx context.Context, h Handling, handle func()) error
