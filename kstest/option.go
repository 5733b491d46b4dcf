package kstest

import (
	"time"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// Option changes a driver.
type Option struct{ change func(o *options) }

type options struct {
	partitions  int
	start       time.Time
	application string
	manual      bool
	between     func() bool
	databases   func(stores ...string) (store.DB, error)
	oneTask     bool
	policy      topology.ErrorPolicy
	around      topology.Around
}

// PartitionCount sets the number of partitions of every topic but those of Repartition with a number of their own; the
// default is 1. Records meet in tasks as they would in production: keys that only meet in one partition show with more.
func PartitionCount(n int) Option { return Option{func(o *options) { o.partitions = n }} }

// StartingAt sets the clock; the default is the Unix epoch.
func StartingAt(t time.Time) Option { return Option{func(o *options) { o.start = t }} }

// OnError sets the error policy, as Config.OnError does in production; the default fails the test. With it, an app that
// stops because a policy said Fail does not fail the test: see Driver.Stopped.
func OnError(p topology.ErrorPolicy) Option { return Option{func(o *options) { o.policy = p }} }

// Around wraps each step's handling of records, as Config.Around does in production: to look at what passes between steps, or
// to have one fail.
func Around(f topology.Around) Option { return Option{func(o *options) { o.around = f }} }

// ManualCommit has tasks commit when Driver.Commit is called, or when a processor asks for it, instead of after every
// record.
func ManualCommit() Option { return Option{func(o *options) { o.manual = true }} }

// ApplicationID sets the id of the app, with which the names of its changelog and repartition topics begin; the default is
// "app".
func ApplicationID(id string) Option { return Option{func(o *options) { o.application = id }} }

// CommitBetween has a task commit also between a record and the timers that follow it, and between one timer and the next
// record, whenever now says so: what is seen in the end must not depend on it. Commits that follow each record stay.
func CommitBetween(now func() bool) Option { return Option{func(o *options) { o.between = now }} }

// Databases has the rows of tasks kept in databases that open makes instead of in memory: to test a storage engine by what
// topologies do with it. They are opened in the same order whenever the driver starts, and closed before it starts again. One
// that is empty is restored from the changelogs; one that comes back with the rows it was closed with, or with older ones, goes
// on from its checkpoints.
func Databases(open func(stores ...string) (store.DB, error)) Option {
	return Option{func(o *options) { o.databases = open }}
}
