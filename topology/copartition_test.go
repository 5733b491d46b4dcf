package topology_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/topology"
)

func TestStepsThatNeedEqualKeysSayWhichTopicsMustMatch(t *testing.T) {
	top := build(t, func(b *topology.Builder) {
		tab := ktable.From(b, lines, "t")
		join := func(v, row string) string { return v }
		kstream.From(b, lines.Named("a")).Merge(kstream.From(b, lines.Named("b"))).JoinTable(tab, join).As("join")
		kstream.From(b, lines.Named("c")).Repartition("r").JoinTable(tab, join).As("repartitioned")
		kstream.From(b, lines.Named("d").AndNamed("e")).GroupByKey().Count("count")
		kstream.From(b, lines.Named("f")).GroupByKey().Count("alone")
		kstream.From(b, lines.Matching("g.*")).ToTable("pattern")
	})
	var got []string
	for _, s := range top.Subs {
		for _, g := range s.Groups {
			var names []string
			for _, topic := range g.Topics {
				names = append(names, topic.Name+topic.Pattern)
			}
			got = append(got, fmt.Sprint(s.ID, " ", g.Node, ": ", strings.Join(names, " ")))
		}
	}
	want := []string{"0 join: lines a b", "0 repartitioned: lines r", "2 count: d e", "4 pattern: g.*"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
