package ktable_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// What waits says where the record of its last update was read, as in Kafka Streams, also where a commit brings several
// rows at once.
func TestASuppressedRowKnowsTheRecordOfItsLastUpdate(t *testing.T) {
	b := topology.NewBuilder()
	ktable.From(b, lefts, "stock").Suppress("calm", time.Hour).To(out)
	d := kstest.New(t, topology.Must(b.Build()), kstest.ManualCommit())
	in := d.Input(lefts)
	for i, key := range []string{"pear", "fig", "pear", "plum"} {
		in.SendAt(time.Unix(int64(i), 0), key, "1")
	}
	d.Commit()
	got := map[string]int64{}
	for _, r := range d.Output(topology.NewTopic("app-calm-store-changelog", serde.String, serde.Bytes)).Rest() {
		got[r.Key] = int64(binary.BigEndian.Uint64(r.Value[8:])) // behind the time
	}
	if len(got) != 3 || got["fig"] != 1 || got["pear"] != 2 || got["plum"] != 3 {
		t.Errorf("offsets %v", got)
	}
}
