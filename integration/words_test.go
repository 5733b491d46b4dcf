package integration

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// words counts words: every word's counts must read 1, 2, 3 … to the end. They go through a repartition topic.
var words = scenario{
	name:   "words",
	inputs: []string{"lines"},
	build: func(b *topology.Builder, topic func(string) topic) {
		kstream.From(b, topic("lines")).
			FlatMapValues(strings.Fields).
			GroupBy("by-word", func(_, word string) string { return word }).
			Count("word-counts", store.NoCache()).
			MapValues(func(n int64) string { return strconv.FormatInt(n, 10) }).
			To(topic("out"))
	},
	feed: func(_ int, at time.Time, rnd *rand.Rand) []*kgo.Record {
		line := fmt.Sprintf("word%02d word%02d  word%02d", rnd.IntN(50), rnd.IntN(50), rnd.IntN(50))
		return []*kgo.Record{write("lines", fmt.Sprint(rnd.IntN(100)), line, at)}
	},
	results: func(fed []*kgo.Record) results {
		counts, want := map[string]int{}, results{}
		for _, r := range fed {
			for word := range strings.FieldsSeq(string(r.Value)) {
				counts[word]++
				want.add(word, strconv.Itoa(counts[word]))
			}
		}
		return want
	},
}
