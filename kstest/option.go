package kstest

import (
	"time"

	"github.com/millrace-streams/millrace/topology"
)

// Option changes a driver.
type Option struct{ change func(o *options) }

type options struct {
	partitions  int
	start       time.Time
	application string
	manual      bool
	oneTask     bool
	policy      topology.ErrorPolicy
}

// PartitionCount sets the number of partitions of every topic but those of Repartition with a number of their own; the
// default is 1. Records meet in tasks as they would in production: keys that only meet in one partition show with more.
func PartitionCount(n int) Option { return Option{func(o *options) { o.partitions = n }} }

// StartingAt sets the clock; the default is the Unix epoch.
func StartingAt(t time.Time) Option { return Option{func(o *options) { o.start = t }} }

// OnError sets the error policy, as Config.OnError does in production; the default fails the test. With it, an app that
// stops because a policy said Fail does not fail the test: see Driver.Stopped.
func OnError(p topology.ErrorPolicy) Option { return Option{func(o *options) { o.policy = p }} }

// ManualCommit has tasks commit when Driver.Commit is called, or when a processor asks for it, instead of after every
// record.
func ManualCommit() Option { return Option{func(o *options) { o.manual = true }} }

// ApplicationID sets the id of the app, with which the names of its changelog and repartition topics begin; the default is
// "app".
func ApplicationID(id string) Option { return Option{func(o *options) { o.application = id }} }
