package integration

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/kafkatest"
	"github.com/millrace-streams/millrace/serde"
)

// An app gets TLS and SASL through Config.Client alone, and its leaders may move.
func TestCountOnASecuredClusterOfThree(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.TLS(), kafkatest.SCRAM(), kafkatest.Brokers(3))
	t.Setenv("MILLRACE_APP", "secured")
	c.CreateTopics(3, "secured-in", "secured-out")
	top, err := countTopology()
	if err != nil {
		t.Fatal(err)
	}
	app, err := millrace.New(top, millrace.Config{
		ApplicationID: "secured", Brokers: c.Brokers(), Client: c.Client(), StateDir: t.TempDir(), Memory: 32 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Run(app.Run)
	const keys, each = 5, 20
	for range each {
		for k := range keys {
			c.Produce("secured-in", kgo.KeyStringRecord(fmt.Sprint("key-", k), "x"))
		}
	}
	last, done := map[string]int64{}, 0
	for r := range c.Records("secured-out") {
		n, err := serde.Int64.Decode(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		key := string(r.Key)
		if n != last[key]+1 {
			t.Fatalf("%s went from %d to %d", key, last[key], n)
		}
		if last[key] = n; n == each {
			if done++; done == keys {
				return
			}
		}
	}
}
