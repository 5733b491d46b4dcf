package main

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/bench/internal/contract"
	"github.com/millrace-streams/millrace/bench/internal/enginetest"
	"github.com/millrace-streams/millrace/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const records = 10_000

func TestEveryWorkloadIsRightOverACleanStop(t *testing.T) {
	for _, name := range names() {
		t.Run(name, func(t *testing.T) {
			b := enginetest.Start(t, name, records)
			b.Work(t, run, records/2)
			b.Work(t, run, records)
			b.Verify(t)
		})
	}
}

// The stream alone is larger than the room for records that wait, and waits for the table: rows must be fetched all the same.
func TestAStreamFarAheadOfItsTableDoesNotShutItOut(t *testing.T) {
	b := enginetest.Start(t, "table-join", 200_000)
	b.Work(t, run, 200_000)
	b.Verify(t)
}

func TestCountsPerCommitAreRight(t *testing.T) {
	b := enginetest.Start(t, "count-1k", records)
	b.Options.CacheMB = 10
	b.Work(t, run, records/2)
	b.Work(t, run, records)
	b.Verify(t)
}

func TestALostDirectoryComesBackFromTheChangelog(t *testing.T) {
	b := enginetest.Start(t, "count-1k", records)
	b.Work(t, run, records/2)
	b.Options.StateDir = t.TempDir()
	b.Work(t, run, records)
	b.Verify(t)
}

func TestOtherGuaranteesCopyEverythingWhenNothingFails(t *testing.T) {
	for _, g := range []contract.Guarantee{contract.AtLeastOnce, contract.AtMostOnce} {
		b := enginetest.Start(t, "copy", records)
		b.Options.Guarantee = g
		b.Work(t, run, records)
		b.Verify(t)
	}
}

func TestFlagsReachTheLibrary(t *testing.T) {
	c := config(contract.Options{
		Brokers: []string{"b:1"}, App: "id", StateDir: "dir", Guarantee: contract.AtLeastOnce, Commit: 7 * time.Millisecond, Workers: 3,
	})
	if !slices.Equal(c.Brokers, []string{"b:1"}) || c.ApplicationID != "id" || c.StateDir != "dir" ||
		c.Guarantee != millrace.AtLeastOnce || c.CommitInterval != 7*time.Millisecond || c.Workers != 3 {
		t.Errorf("got %+v", c)
	}
	for g := range guarantees {
		if got := config(contract.Options{Guarantee: g}).Guarantee; (got == millrace.ExactlyOnce) != (g == contract.ExactlyOnce) {
			t.Errorf("%s becomes %s", g, got)
		}
	}
}

func TestWorkloadsBuild(t *testing.T) {
	for _, name := range names() {
		b := topology.NewBuilder()
		workloads[name](b, contract.Options{Workload: name, In: []string{"in", "rows"}, Out: "out"})
		if _, err := b.Build(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUserFunctionsReturnNewValues(t *testing.T) {
	v, row := []byte{1, 2}, []byte{3}
	if got := invert(v); !bytes.Equal(got, []byte{0xfe, 2}) || !bytes.Equal(v, []byte{1, 2}) {
		t.Errorf("invert: %v, argument now %v", got, v)
	}
	if got := concat(v[:1], row); !bytes.Equal(got, []byte{1, 3}) || !bytes.Equal(v, []byte{1, 2}) {
		t.Errorf("concat: %v, argument now %v", got, v)
	}
}
