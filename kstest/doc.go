// Package kstest runs a topology inside a unit test: without a broker, without a disk, on a clock moved by hand. Records
// go through the code that runs them in production; only the topics and the stores are in memory.
//
//	          ┌──────────────────────── Driver ───────────────────────┐
//	Input ──► │ source topics ──► tasks, one per partition ──► topics │ ──► Output
//	          │                     ▲  │       ▲                      │
//	          │   repartition topics└──┘       └ Advance: timers      │
//	          │   changelogs ◄── commit ──► stores ───────────────────┼──► Table, Store
//	          └────────────────────── Crash: only what is committed ──┘
//
// A test sends records and looks at what comes out. This is all of one:
//
//	package shout_test
//
//	import (
//		"strings"
//		"testing"
//
//		"github.com/millrace-streams/millrace/kstest"
//		"github.com/millrace-streams/millrace/kstream"
//		"github.com/millrace-streams/millrace/serde"
//		"github.com/millrace-streams/millrace/topology"
//	)
//
//	var (
//		lines = topology.NewTopic("lines", serde.String, serde.String)
//		loud  = topology.NewTopic("loud", serde.String, serde.String)
//	)
//
//	func TestShout(t *testing.T) {
//		b := topology.NewBuilder()
//		kstream.From(b, lines).MapValues(strings.ToUpper).To(loud)
//
//		d := kstest.New(t, topology.Must(b.Build()))
//		d.Input(lines).Send("a", "hello")
//		d.Output(loud).Expect(kstest.KV("a", "HELLO"))
//	}
//
// # When things happen
//
// A record sent is processed before Send returns, through all subtopologies, and each task commits after every record. So
// tables that forward once per commit forward every update. With ManualCommit a task goes on in one transaction, and what
// it writes stays invisible, until Commit is called or a processor asks for a commit.
//
// The wall clock stands still except for Advance. Of several tasks the one whose next record was written first goes first, so
// a test has one outcome, for any number of partitions.
//
// # What fails a test
//
// A record that cannot be processed fails the test and stops the driver, as it would stop the app. With OnError the given
// policy decides instead, and Errors returns what it was asked about.
package kstest
