package integration

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace/kafkatest"
)

// client returns a client that is closed with the test, and that no fault of the network reaches.
func client(t *testing.T, c *kafkatest.Cluster, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	all := append(c.Around(), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.FetchMaxWait(250*time.Millisecond),
		// A broker that is paused is given up before others have taken its place.
		kgo.RequestTimeoutOverhead(2*time.Second), kgo.ProduceRequestTimeout(2*time.Second), kgo.MetadataMinAge(100*time.Millisecond))
	cl, err := kgo.NewClient(append(all, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// A counted is a load of records with random keys, that knows how many of each key are acknowledged.
type counted struct {
	stop context.CancelFunc
	sent chan map[string]int
}

// feed writes records of n keys to a topic, some thousand a second, until it is ended.
func feed(t *testing.T, cl *kgo.Client, topic string, n int, perSecond int) *counted {
	ctx, stop := context.WithCancel(context.Background())
	f := &counted{stop: stop, sent: make(chan map[string]int, 1)}
	go func() {
		sent := map[string]int{}
		rnd := rand.New(rand.NewPCG(1, 2))
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			var batch []*kgo.Record
			for range perSecond / 100 {
				batch = append(batch, &kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "key%05d", rnd.IntN(n)), Value: []byte("x")})
			}
			if err := cl.ProduceSync(context.Background(), batch...).FirstErr(); err != nil {
				t.Errorf("feed %s: %v", topic, err)
				break
			}
			for _, r := range batch {
				sent[string(r.Key)]++
			}
			<-tick.C
		}
		f.sent <- sent
	}()
	t.Cleanup(stop)
	return f
}

// end stops the load and returns how often each key was written.
func (f *counted) end() map[string]int {
	f.stop()
	return <-f.sent
}

// sequences reads a topic as a stock consumer that sees committed records only, until every key has counted up to its number, and
// fails on any gap or repeat on the way.
func sequences(t *testing.T, c *kafkatest.Cluster, topic string, want map[string]int) {
	t.Helper()
	cl := client(t, c, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	total := 0
	for _, n := range want {
		total += n
	}
	got := map[string]int{}
	seen, bad := 0, 0
	for seen < total && bad < 10 {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%s: %d of %d records after %v", topic, seen, total, patience)
		}
		fs.EachRecord(func(r *kgo.Record) {
			n := int(binary.BigEndian.Uint64(r.Value))
			if n != got[string(r.Key)]+1 {
				bad++
				t.Errorf("%s: key %s counts %d after %d (partition %d offset %d)", topic, r.Key, n, got[string(r.Key)], r.Partition, r.Offset)
			}
			got[string(r.Key)] = n
			seen++
		})
	}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("%s: key %s counted to %d, want %d", topic, k, got[k], n)
		}
	}
	// What comes after the last record would be a repeat.
	quiet, cancelQuiet := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancelQuiet()
	cl.PollFetches(quiet).EachRecord(func(r *kgo.Record) { t.Errorf("%s: one record too many: key %s, %v", topic, r.Key, r.Value) })
}
