package java

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/internal/testkafka"
	"github.com/millrace-streams/millrace/kafkatest"
)

// TestShopIsHandedOverAndBack runs one application by Kafka Streams and by Millrace in turn, under load, each going on with the topics,
// changelogs and offsets that the other left.
func TestShopIsHandedOverAndBack(t *testing.T) {
	program, err := testkafka.BuildProgram(t.Context(), ".")
	if missing, ok := errors.AsType[*testkafka.Missing](err); ok && !testkafka.Required() {
		t.Skip(missing)
	}
	if err != nil {
		t.Fatal(err)
	}
	kafka := kafkatest.Start(t, kafkatest.Real(), kafkatest.OrSkip())
	app := kafka.Name("shop")
	for _, topic := range []string{"orders", "payments", "customers", "products", "suppliers"} {
		kafka.CreateTopics(partitions, app+"-"+topic)
	}
	out := readOutputs(t, app, kafka.Options()...)
	kafka.CreateTopics(partitions, out.topics()...)
	client, err := kgo.NewClient(append(kafka.Options(), kgo.MetadataMinAge(50*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	adm := kadm.NewClient(client)
	_ = adm

	load := newLoad(t, client, app)
	load.start()
	at := &place{t: t, app: app, brokers: kafka.Brokers(), dir: t.TempDir(), java: program}
	began := time.Now()
	lap := func(what string) { t.Logf("%5.1f s: %s", time.Since(began).Seconds(), what) }

	shop := at.kafkaStreams()
	out.more(shop, 1000)
	shop.stop()
	lap("Kafka Streams stopped")

	load.changeCustomers()
	shop = at.millrace()
	out.more(shop, 1000)
	shop.stop()
	lap("Millrace stopped")

	load.changeCustomers()
	shop = at.kafkaStreams()
	out.more(shop, 1000)

	load.end()
	want := load.expect()
	out.is(shop, "result of every open window", results.early, want)
	lap("all windows are as wanted")
	out.is(shop, "result of every closed window", func(r results) results { load.closeWindows(); return r }, want)
	lap("all is there")
	shop.stop()
	for _, w := range out.wrong {
		t.Error(w)
	}
	t.Log(len(load.orders), "orders", len(load.payments), "payments", out.records)
}
