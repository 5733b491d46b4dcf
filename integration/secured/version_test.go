package secured

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-streams/millrace/kafkatest"
)

// transactions says how an app speaks to a cluster: the requests that KIP-890 has changed.
type transactions struct {
	offsets int16 // the highest version of TxnOffsetCommit
	added   bool  // whether AddOffsetsToTxn comes before it
}

var (
	first  = transactions{4, true}  // transaction.version 0 or 1
	second = transactions{5, false} // transaction.version 2
)

// The oldest Kafka that the README claims, the last one with transactions of the first kind, and the newest.
func TestEveryRecordIsCountedOnceOnEachVersionOfKafka(t *testing.T) {
	for _, v := range []struct {
		version string
		speaks  transactions
	}{{"3.0.2", first}, {"3.9", first}, {"4.3", second}} {
		t.Run(v.version, func(t *testing.T) {
			c := kafkatest.Start(t, kafkatest.Version(v.version), kafkatest.OrSkip())
			countThroughAKill(t, c, "count", v.speaks)
		})
	}
}

// countThroughAKill counts under load, killed with -9 in the middle, and stopped and started again.
func countThroughAKill(t *testing.T, c *kafkatest.Cluster, app string, want transactions) {
	c.CreateTopics(2, app+".in", app+".out")
	dir := t.TempDir()
	f := feed(t, c, app+".in")
	p := start(t, c, app, dir)
	seen(c, app+".out", 300)
	p.Kill()
	sent := p.Said("sent")
	before := len(committed(t, c, app+".out"))
	p = start(t, c, app, dir)
	seen(c, app+".out", before+300)
	p.End(t)
	sent = append(sent, p.Said("sent")...)
	words := f.end()
	total := 0
	for _, n := range words {
		total += n
	}
	p = start(t, c, app, dir)
	runs(t, p)
	seen(c, app+".out", total)
	p.End(t) // what it had left to say it has said
	recount(t, committed(t, c, app+".out"), words)

	var got transactions
	for _, line := range sent {
		var key, version int16
		if _, err := fmt.Sscanf(line, "sent %d %d", &key, &version); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		switch kmsg.Key(key) {
		case kmsg.TxnOffsetCommit:
			got.offsets = max(got.offsets, version)
		case kmsg.AddOffsetsToTxn:
			got.added = true
		}
	}
	if got.added != want.added || got.offsets == 0 || got.offsets > want.offsets || !want.added && got.offsets != want.offsets {
		t.Errorf("offsets went with TxnOffsetCommit %d, AddOffsetsToTxn: %v; want at most %d, %v; sent: %v", got.offsets, got.added, want.offsets, want.added, sent)
	}
}

// A feeder writes words, and knows how often each is in the topic.
type feeder struct {
	stop context.CancelFunc
	sent chan map[string]int
}

// feed writes random words to a topic until its end, some hundred a second.
func feed(t *testing.T, c *kafkatest.Cluster, topic string) *feeder {
	t.Helper()
	cl, err := kgo.NewClient(append(c.Options(), kgo.ProducerBatchCompression(kgo.NoCompression()))...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	f := &feeder{stop, make(chan map[string]int, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		sent, rnd := map[string]int{}, rand.New(rand.NewPCG(1, 2))
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			var batch []*kgo.Record
			for range 8 {
				batch = append(batch, &kgo.Record{Topic: topic, Key: fmt.Append(nil, rnd.IntN(1000)), Value: fmt.Append(nil, "word-", rnd.IntN(50))})
			}
			if err := cl.ProduceSync(context.Background(), batch...).FirstErr(); err != nil {
				t.Errorf("feed %s: %v", topic, err)
				break
			}
			for _, r := range batch {
				sent[string(r.Value)]++
			}
			<-tick.C
		}
		f.sent <- sent
	}()
	t.Cleanup(func() { stop(); <-done; cl.Close() })
	return f
}

// end stops the feeder and returns how often it has written each word.
func (f *feeder) end() map[string]int {
	f.stop()
	return <-f.sent
}

// seen waits until so many records of a topic are committed.
func seen(c *kafkatest.Cluster, topic string, n int) {
	for range c.Records(topic) {
		if n--; n == 0 {
			return
		}
	}
}

// committed returns all records of a topic that a stock consumer of committed records is shown, to its very end.
func committed(t *testing.T, c *kafkatest.Cluster, topic string) []*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ends, err := c.Admin().ListCommittedOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(append(c.Options(), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())...) // markers tell that the end is reached
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	var list []*kgo.Record
	for len(left) > 0 {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("read %s: %v; left: %v", topic, err, left)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if !r.Attrs.IsControl() {
				list = append(list, r)
			}
		})
	}
	return list
}

// recount wants each word to have counted up to its number, without gap or repeat.
func recount(t *testing.T, list []*kgo.Record, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for _, r := range list {
		word, n := string(r.Key), int(binary.BigEndian.Uint64(r.Value))
		if n != got[word]+1 {
			t.Fatalf("%s counts %d after %d, of %d (partition %d, offset %d)", word, n, got[word], want[word], r.Partition, r.Offset)
		}
		got[word] = n
	}
	if !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}
