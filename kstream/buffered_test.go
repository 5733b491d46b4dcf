package kstream_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// held is a join of records of l with the rows of r, which may be late by grace.
func held(t *testing.T, grace time.Duration, opts ...kstest.Option) ends {
	b := topology.NewBuilder()
	rows := ktable.From(b, joinRight, "rows", store.History(time.Minute))
	kstream.From(b, joinLeft).LeftJoinTable(rows, func(v, row string, ok bool) string {
		if !ok {
			row = "-"
		}
		return v + row
	}, kstream.Buffered("j", grace)).To(joinOut)
	return drive(t, topology.Must(b.Build()), opts...)
}

func TestRecordsHeldBackComeBackAfterACrashInTheirOrder(t *testing.T) {
	e := held(t, 10*ms, kstest.ManualCommit())
	for _, v := range []string{"a", "b", "a"} { // of equal time and key, in one transaction
		e.l.SendRecord(topology.Record[string, string]{Key: "k", Value: v, Time: milli(10), Headers: topology.Headers{{Key: "h", Value: []byte(v)}}})
	}
	e.Commit()
	e.Crash()
	e.l.SendAt(milli(10), "k", "c")
	e.l.SendAt(milli(5), "k", "d")
	e.r.SendAt(milli(9), "k", "R")
	e.Commit()
	e.Crash()
	e.l.SendAt(milli(20), "z", "z")
	e.Commit()
	var got []string
	for _, r := range e.out.Rest() {
		got = append(got, fmt.Sprintf("%s@%d%s", r.Value, r.Time.UnixMilli(), r.Headers))
	}
	if want := []string{"d-@5[]", "aR@10[{h a}]", "bR@10[{h b}]", "aR@10[{h a}]", "cR@10[]"}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// A record that is late is joined at once, also if the one that made it late was taken up before a restart.
func TestARecordTooLateToBeHeldIsSoAfterACrash(t *testing.T) {
	e := held(t, 10*ms)
	e.l.SendAt(milli(100), "k", "a")
	e.Crash()
	e.l.SendAt(milli(89), "k", "late")
	e.expect(t, "k=late-@89")
	e.l.SendAt(milli(90), "k", "due")
	e.expect(t, "k=due-@90")
	e.l.SendAt(milli(91), "k", "held")
	e.expect(t, "")
}
