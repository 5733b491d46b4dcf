package kstest_test

import (
	"testing"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// What Kafka Streams forgets of a deletion is forgotten after a restart, too, and what it knows of one is known: the changelog
// has every put, and a restore puts again.
func TestVersionsAreThoseOfKafkaStreamsAfterACrash(t *testing.T) {
	for _, together := range []bool{true, false} {
		b := topology.NewBuilder()
		rows := ktable.From(b, counts, "rows", store.History(time.Minute))
		rows.To(counts.Named("out"))
		d := kstest.New(t, topology.Must(b.Build()), kstest.ManualCommit())
		in, s := d.Input(counts), d.Versions(ktable.VersionedStore(rows))
		at := func(ms int64) time.Time { return time.UnixMilli(ms) }
		gone := func(key string, ms int64) {
			in.SendRecord(topology.Record[string, int64]{Key: key, Time: at(ms)}.WithoutValue())
		}
		in.SendAt(at(4), "no trace", 1)
		in.SendAt(at(5), "trace", 2)
		gone("trace", 3) // older than the newest, and so a time that something ended at
		if !together {
			d.Commit()
		}
		gone("no trace", 4)
		d.Commit()
		d.Crash()
		gone("trace", 5)
		in.SendAt(at(0), "no trace", 7)
		in.SendAt(at(4), "trace", 8)
		d.Commit()
		d.Crash()
		if row, ok := s.Get("no trace"); !ok || row.Value != 7 {
			t.Errorf("together %v: the newest is %v, %v: want the older put, as if nothing had been put since", together, row, ok)
		}
		if row, ok := s.Get("trace"); ok {
			t.Errorf("together %v: the newest is %v: want none, it is deleted", together, row)
		}
		// Each put is a record, as in Kafka Streams, also of a version that was put again before the commit.
		log := d.Output(topology.NewTopic("app-rows-changelog", serde.String, serde.Bytes)).Rest()
		for _, r := range log {
			if len(r.Headers) > 0 {
				t.Errorf("%v has headers", r)
			}
		}
		if len(log) != 7 {
			t.Errorf("the changelog has %d records, want one of each of 7 puts: %v", len(log), log)
		}
	}
}
