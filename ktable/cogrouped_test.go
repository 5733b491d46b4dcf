package ktable_test

import (
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

// sides is a cogrouped table of the topics words and others.
func sides(b *topology.Builder) ktable.Cogrouped[string, string] {
	tag := func(side string) func(_, v, a string) string {
		return func(_, v, a string) string { return a + side + v }
	}
	return grouped(b).Cogroup(tag("A")).And(kstream.From(b, words.Named("others")).GroupByKey(), tag("B"))
}

func TestStreamsAreFoldedIntoOneRow(t *testing.T) {
	input := []string{"words:k=1@10,h", "others:k=2@5,i", "words:j=3@11", "others:-=4@12", "others:k=-@13", "words:k=5@20"}
	b := wire(t, func(b *topology.Builder) { sides(b).Aggregate("co", nil, nil, store.NoCache()).To(out) })
	b.send(input...)
	b.expect("out:k=A1@10,h", "out:k=A1B2@10,i", "out:j=A3@11", "out:k=A1B2A5@20")
	if b.Dropped["co-cogroup-1 null-key"] != 1 || b.Dropped["co-cogroup-1 null-value"] != 1 {
		t.Errorf("dropped %v", b.Dropped)
	}
	b = wire(t, func(b *topology.Builder) { sides(b).Aggregate("co", nil, nil).To(out) })
	b.send(input...)
	b.commit()
	b.expect("out:j=A3@11", "out:k=A1B2A5@20")
}

func TestStreamsOfACogroupHaveAnEventTimeEachUnlessResultsAreFinal(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		texts(sides(b).WindowedBy(window.Tumbling(10*ms)).Aggregate("co", nil, nil, store.NoCache(), store.Retention(time.Hour)))
	})
	b.send("words:k=1@1", "words:k=2@25", "others:k=3@2")
	b.expect("out:k[0,10]=A1@1", "out:k[20,30]=A2@25", "out:k[0,10]=A1B3@2")

	b = wire(t, func(b *topology.Builder) {
		texts(sides(b).WindowedBy(window.Tumbling(10*ms)).EmitOnClose().Aggregate("co", nil, nil))
	})
	b.send("words:k=1@1", "others:k=2@2", "words:k=3@25", "others:k=4@3", "others:k=5@30")
	b.expect("out:k[0,10]=A1B2@2", "out:k[20,30]=A3@25")
	if b.Dropped["co-cogroup-1 late"] != 1 {
		t.Errorf("dropped %v: want the record whose window was sent", b.Dropped)
	}
}

func TestACogroupMergesSessionsOfAllStreams(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		merge := func(_, a, b string) string { return strings.Trim(a+"+"+b, "+") }
		texts(sides(b).WindowedBySession(window.Session(10*ms).Grace(50*ms), merge).Aggregate("co", nil, nil, store.NoCache()))
	})
	b.send("words:k=1@10", "others:k=2@30", "words:k=3@20")
	b.expect("out:k[10,10]=A1@10", "out:k[30,30]=B2@30", "out:k[10,10]=-@10", "out:k[30,30]=-@30", "out:k[10,30]=A1+B2A3@30")
}

func TestTopicsOfACogroupNeedEqualPartitions(t *testing.T) {
	b := topology.NewBuilder()
	sides(b).Aggregate("co", serde.String, nil)
	groups := (*graph.Plan)(topology.Must(b.Build())).Subs[0].Groups
	if len(groups) != 1 || len(groups[0].Topics) != 2 {
		t.Errorf("%+v: want both topics in one group", groups)
	}
}
