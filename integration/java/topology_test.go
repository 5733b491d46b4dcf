package java

import (
	"strconv"
	"strings"
	"time"

	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

// shop is what src/main/java/shop/Shop.java computes, verb by verb. The names of stores, groupings, joins and suppressions are its
// names: they are what its topics are called by.
func shop(app string) (*topology.Topology, error) {
	text := func(name string) topology.Topic[string, string] {
		return topology.NewTopic(app+"-"+name, serde.String, serde.String)
	}
	number := func(name string) topology.Topic[string, int64] {
		return topology.NewTopic(app+"-"+name, serde.String, serde.Int64)
	}
	b := topology.NewBuilder()
	orders := kstream.From(b, text("orders"))

	orders.GroupBy("by-item", func(_, order string) string { return field(order, 1) }).
		Count("items", store.NoCache()).
		To(number("items"))

	windowed := window.KeySerde(serde.String, 10*time.Second)
	perWindow := orders.GroupByKey().
		WindowedBy(window.Tumbling(10*time.Second).Grace(5*time.Second)).
		Count("windows", store.NoCache())
	perWindow.To(topology.NewTopic(app+"-windows", windowed, serde.Int64))
	perWindow.SuppressUntil("final", window.Closed).To(topology.NewTopic(app+"-final", windowed, serde.Int64))

	orders.GroupByKey().
		WindowedBy(window.Tumbling(10*time.Second).Grace(5*time.Second)).
		EmitOnClose().
		Count("closed", store.Retention(3*time.Hour)).
		To(topology.NewTopic(app+"-closed", windowed, serde.Int64))

	orders.GroupByKey().
		WindowedBySession(window.Session(2*time.Second).Grace(5*time.Second)).
		Count("sessions", store.NoCache()).
		To(topology.NewTopic(app+"-sessions", window.SessionKeySerde(serde.String), serde.Int64))

	customers := ktable.From(b, text("customers"), "customers", store.History(time.Hour))
	orders.JoinTable(customers, func(order, customer string) string { return order + "|" + customer }).
		To(text("addressed"))

	orders.LeftJoinStream("paid", kstream.From(b, text("payments")), window.Within(time.Minute).Grace(time.Hour),
		func(order, payment string, ok bool) string {
			if !ok {
				payment = "unpaid"
			}
			return field(order, 0) + "|" + payment
		}).
		To(text("paid"))

	products := ktable.From(b, text("products"), "products", store.NoCache())
	suppliers := ktable.From(b, text("suppliers"), "suppliers", store.NoCache())
	products.JoinForeign("offers", suppliers,
		func(_, product string) (string, bool) { return field(product, 0), true },
		func(product, supplier string) string { return product + "|" + supplier }).
		As("offered"). // steps need names of their own; topics and stores keep theirs
		Materialize("offers", store.NoCache()).
		To(text("offers"))
	products.GroupBy(madeUp, func(_, product string) (string, int64) {
		price, err := strconv.ParseInt(field(product, 2), 10, 64)
		if err != nil {
			panic(err)
		}
		return field(product, 1), price
	}).
		Reduce(madeUp,
			func(sum, price int64) int64 { return sum + price },
			func(sum, price int64) int64 { return sum - price }, store.NoCache()).
		To(number("categories"))
	return b.Build()
}

// madeUp is the name that Kafka Streams gives the store of products by category, and their repartition topic, because the program
// does not: its topics are called so.
const madeUp = "KTABLE-AGGREGATE-STATE-STORE-0000000050"

// field returns a part of a value as "id|item".
func field(text string, i int) string { return strings.Split(text, "|")[i] }
