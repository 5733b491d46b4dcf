package integration

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

const (
	windowSize   = 2 * time.Second
	windowGrace  = time.Second
	clicksJitter = 6 * time.Second // some are in time, some within the grace, some too late
)

// clicks counts by windows, and sends one result of each when it is closed: what came too late is not in it.
var clicks = scenario{
	name:   "clicks",
	inputs: []string{"clicks"},
	equal:  anyOrder,
	build: func(b *topology.Builder, topic func(string) topic) {
		perWindow := kstream.From(b, topic("clicks")).
			GroupByKey().
			WindowedBy(window.Tumbling(windowSize).Grace(windowGrace)).
			Count("clicks").
			SuppressUntil("final", window.Closed)
		kstream.FromTable(perWindow).
			Map(func(k window.Key[string], n int64) (string, string) {
				return windowName(k.Key, k.Start()), fmt.Sprint(n)
			}).
			To(topic("out"))
	},
	feed: func(_ int, at time.Time, rnd *rand.Rand) []*kgo.Record {
		var batch []*kgo.Record
		for n := range 3 {
			if n > 0 {
				at = at.Add(-rand.N(clicksJitter))
			}
			batch = append(batch, write("clicks", fmt.Sprint("page-", rnd.IntN(10)), "click", at))
		}
		return batch
	},
	results: func(fed []*kgo.Record) results {
		type span struct {
			key   string
			start time.Time
		}
		now, counts, in := map[int32]time.Time{}, map[span]int{}, map[span]int32{}
		closed := func(s span, partition int32) bool {
			return !s.start.Add(windowSize + windowGrace).After(now[partition])
		}
		for _, r := range fed {
			if r.Timestamp.After(now[r.Partition]) {
				now[r.Partition] = r.Timestamp
			}
			s := span{string(r.Key), r.Timestamp.Truncate(windowSize)}
			if !closed(s, r.Partition) {
				counts[s]++
				in[s] = r.Partition
			}
		}
		want := results{}
		for s, n := range counts {
			if closed(s, in[s]) {
				want.add(windowName(s.key, s.start), fmt.Sprint(n))
			}
		}
		return want
	},
}

func windowName(key string, start time.Time) string { return fmt.Sprint(key, "@", start.UnixMilli()) }
