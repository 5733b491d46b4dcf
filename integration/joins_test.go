package integration

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

const (
	pairWithin  = 1500 * time.Millisecond
	pairGrace   = time.Minute
	pairKeys    = 20          // in every partition
	pairsJitter = time.Second // records come out of order by less than the grace: none is late
)

// pairs joins two streams: every pair within the window once, and once each record of the left that never finds a partner, when its
// window is closed.
var pairs = scenario{
	name:   "pairs",
	inputs: []string{"left", "right"},
	equal:  anyOrder,
	build: func(b *topology.Builder, topic func(string) topic) {
		w := window.Within(pairWithin).Grace(pairGrace).EmitEvery(0)
		kstream.From(b, topic("left")).
			LeftJoinStream("pair", kstream.From(b, topic("right")), w, func(l, r string, ok bool) string {
				if !ok {
					return l + " alone"
				}
				return l + " " + r
			}).
			To(topic("out"))
	},
	feed: func(tick int, at time.Time, rnd *rand.Rand) []*kgo.Record {
		jittered := func(side string, n int) *kgo.Record {
			return write(side, fmt.Sprint("key-", rnd.IntN(pairKeys)), fmt.Sprint(side, "-", tick, "-", n), at.Add(-rand.N(pairsJitter)))
		}
		batch := []*kgo.Record{jittered("left", 0)}
		for n := range rnd.IntN(3) {
			batch = append(batch, jittered("right", n))
		}
		return batch
	},
	// Records without a partner are looked for when time has passed the latest one that waited at the look before, as Kafka Streams does.
	last: func(at time.Time) []*kgo.Record {
		var batch []*kgo.Record
		for key := range pairKeys {
			batch = append(batch, write("right", fmt.Sprint("key-", key), fmt.Sprint("last-", at.UnixMilli()), at))
		}
		return batch
	},
	results: func(fed []*kgo.Record) results {
		now := map[int32]time.Time{} // event time of each partition; both topics' records of a key are in one
		rights := map[string][]*kgo.Record{}
		for _, r := range fed {
			if r.Timestamp.After(now[r.Partition]) {
				now[r.Partition] = r.Timestamp
			}
			if strings.HasSuffix(r.Topic, "-right") {
				rights[string(r.Key)] = append(rights[string(r.Key)], r)
			}
		}
		want := results{}
		for _, l := range fed {
			if !strings.HasSuffix(l.Topic, "-left") {
				continue
			}
			alone := true
			for _, r := range rights[string(l.Key)] {
				if l.Timestamp.Sub(r.Timestamp).Abs() <= pairWithin {
					want.add(string(l.Key), string(l.Value)+" "+string(r.Value))
					alone = false
				}
			}
			if alone && l.Timestamp.Add(pairWithin+pairGrace).Before(now[l.Partition]) {
				want.add(string(l.Key), string(l.Value)+" alone")
			}
		}
		return want
	},
}

// orders joins a stream with a table: each order meets the price of its time, or none. Prices and orders are written in turns, so
// that the order of their times is the order in which anybody can have seen them.
var orders = scenario{
	name:   "orders",
	inputs: []string{"orders", "prices"},
	build: func(b *topology.Builder, topic func(string) topic) {
		kstream.From(b, topic("orders")).
			LeftJoinTable(ktable.From(b, topic("prices"), "prices"), func(order, price string, ok bool) string {
				if !ok {
					return order + " has no price"
				}
				return order + " at " + price
			}).
			To(topic("out"))
	},
	feed: func(tick int, at time.Time, rnd *rand.Rand) []*kgo.Record {
		key := fmt.Sprint("good-", rnd.IntN(15))
		if tick%2 == 1 {
			return []*kgo.Record{write("orders", key, fmt.Sprint("order-", tick), at)}
		}
		if rnd.IntN(4) == 0 {
			return []*kgo.Record{remove("prices", key, at)} // not for sale any more
		}
		return []*kgo.Record{write("prices", key, fmt.Sprint("price-", tick), at)}
	},
	results: func(fed []*kgo.Record) results {
		prices, want := map[string]string{}, results{}
		for _, r := range fed {
			key := string(r.Key)
			switch price, ok := prices[key]; {
			case strings.HasSuffix(r.Topic, "-prices") && r.Value == nil:
				delete(prices, key)
			case strings.HasSuffix(r.Topic, "-prices"):
				prices[key] = string(r.Value)
			case ok:
				want.add(key, string(r.Value)+" at "+price)
			default:
				want.add(key, string(r.Value)+" has no price")
			}
		}
		return want
	},
	// Each order once, in order; which price it met is left open.
	loosely: func(all results) results {
		loose := results{}
		for key, values := range all {
			for _, v := range values {
				order, _, _ := strings.Cut(v, " ")
				loose.add(key, order)
			}
		}
		return loose
	},
}

// accounts joins two tables, in turns as orders does: every change of a row of either is a change of the result.
var accounts = scenario{
	name:   "accounts",
	inputs: []string{"names", "limits"},
	build: func(b *topology.Builder, topic func(string) topic) {
		limits := ktable.From(b, topic("limits"), "limits", store.NoCache())
		ktable.From(b, topic("names"), "names", store.NoCache()).
			OuterJoin(limits, func(name string, named bool, limit string, limited bool) string {
				return fmt.Sprintf("%q %v %q %v", name, named, limit, limited)
			}).
			To(topic("out"))
	},
	feed: func(tick int, at time.Time, rnd *rand.Rand) []*kgo.Record {
		side := []string{"names", "limits"}[tick%2]
		return []*kgo.Record{write(side, fmt.Sprint("account-", rnd.IntN(30)), fmt.Sprint(side, "-", tick), at)}
	},
	results: func(fed []*kgo.Record) results {
		names, limits, want := map[string]string{}, map[string]string{}, results{}
		for _, r := range fed {
			key := string(r.Key)
			if strings.HasSuffix(r.Topic, "-names") {
				names[key] = string(r.Value)
			} else {
				limits[key] = string(r.Value)
			}
			name, named := names[key]
			limit, limited := limits[key]
			want.add(key, fmt.Sprintf("%q %v %q %v", name, named, limit, limited))
		}
		return want
	},
	// Each change of either side once, in order; how the sides came between each other is left open.
	loosely: func(all results) results {
		loose := results{}
		for key, values := range all {
			sides := [2]string{`"" false`, `"" false`}
			for _, v := range values {
				var q [4]string
				if _, err := fmt.Sscan(v, &q[0], &q[1], &q[2], &q[3]); err != nil {
					loose.add(key, v)
				}
				for i, now := range []string{q[0] + " " + q[1], q[2] + " " + q[3]} {
					if now != sides[i] {
						loose.add(fmt.Sprint(key, " ", i), now)
						sides[i] = now
					}
				}
			}
			loose.add(key, fmt.Sprint(len(values), " in the end ", sides))
		}
		return loose
	},
}

// people joins a table with the table that its rows name: through two topics, so only what remains in the end is determined.
var people = scenario{
	name:   "people",
	inputs: []string{"people", "cities"},
	equal:  lastOnly,
	build: func(b *topology.Builder, topic func(string) topic) {
		ktable.From(b, topic("people"), "people").
			JoinForeign("home", ktable.From(b, topic("cities"), "cities"),
				func(_, person string) (string, bool) { _, city, ok := strings.Cut(person, " in "); return city, ok },
				func(person, city string) string { return person + ", " + city }).
			To(topic("out"))
	},
	feed: func(tick int, at time.Time, rnd *rand.Rand) []*kgo.Record {
		city := fmt.Sprint("city-", rnd.IntN(8))
		switch person := fmt.Sprint("person-", rnd.IntN(60)); {
		case tick%5 == 0:
			return []*kgo.Record{write("cities", city, fmt.Sprint("population ", tick), at)}
		case rnd.IntN(10) == 0:
			return []*kgo.Record{remove("people", person, at)}
		default:
			return []*kgo.Record{write("people", person, fmt.Sprintf("%d in %s", tick, city), at)}
		}
	},
	results: func(fed []*kgo.Record) results {
		people, cities := map[string]string{}, map[string]string{}
		for _, r := range fed {
			switch key := string(r.Key); {
			case strings.HasSuffix(r.Topic, "-cities"):
				cities[key] = string(r.Value)
			case r.Value == nil:
				delete(people, key)
			default:
				people[key] = string(r.Value)
			}
		}
		want := results{}
		for _, key := range slices.Sorted(maps.Keys(people)) {
			_, city, _ := strings.Cut(people[key], " in ")
			if population, ok := cities[city]; ok {
				want.add(key, people[key]+", "+population)
			}
		}
		return want
	},
}
