package kafkatest_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/kafkatest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

func TestOrdersAreCounted(t *testing.T) {
	kafka := kafkatest.Start(t)
	orders, counts := kafka.Name("orders"), kafka.Name("counts")
	kafka.CreateTopics(4, orders, counts)

	b := topology.NewBuilder()
	kstream.From(b, topology.NewTopic(orders, serde.String, serde.String)).
		GroupByKey().Count("orders-by-customer").To(topology.NewTopic(counts, serde.String, serde.Int64))
	app, err := millrace.New(topology.Must(b.Build()), millrace.Config{
		ApplicationID: kafka.Name("counter"), Brokers: kafka.Brokers(), Client: kafka.Client(), StateDir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	kafka.Run(app.Run) // until the test ends

	kafka.Produce(orders, kgo.KeyStringRecord("ann", "tea"), kgo.KeyStringRecord("ann", "jam"))
	for r := range kafka.Records(counts) {
		if n, err := serde.Int64.Decode(r.Value); err != nil {
			t.Fatal(err)
		} else if string(r.Key) == "ann" && n == 2 {
			return // both were counted
		}
	}
}
