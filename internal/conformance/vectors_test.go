package conformance

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/partition"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/window"
)

// vectors are bytes and hashes made by Kafka's own classes.
type vectors struct {
	Partition []struct {
		Key        string
		Partitions [][2]int32
	}
	TimeWindowKey []struct {
		Key   string
		Start int64
		Topic string
	}
	SessionKey []struct {
		Key        string
		Start, End int64
		Topic      string
	}
}

func readVectors(t *testing.T) (v vectors) {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKeysGoWhereKafkaPutsThem(t *testing.T) {
	all := readVectors(t).Partition
	if len(all) < 200 {
		t.Fatalf("%d vectors", len(all))
	}
	for _, v := range all {
		for _, p := range v.Partitions {
			if got := partition.Of(unhex(t, v.Key), p[0]); got != p[1] {
				t.Errorf("key %s of %d partitions: %d, want %d", v.Key, p[0], got, p[1])
			}
		}
	}
}

func TestWindowedKeysHaveKafkaStreamsBytes(t *testing.T) {
	v := readVectors(t)
	if len(v.TimeWindowKey) < 16 || len(v.SessionKey) < 16 {
		t.Fatalf("%d and %d vectors", len(v.TimeWindowKey), len(v.SessionKey))
	}
	const size = 10 * time.Millisecond
	for _, w := range v.TimeWindowKey {
		start := time.UnixMilli(w.Start)
		both(t, window.KeySerde(serde.Bytes, size), window.Key[[]byte]{Key: []byte(w.Key), Span: window.Between(start, start.Add(size))}, w.Topic)
	}
	for _, w := range v.SessionKey {
		span := window.Between(time.UnixMilli(w.Start), time.UnixMilli(w.End))
		both(t, window.SessionKeySerde(serde.Bytes), window.Key[[]byte]{Key: []byte(w.Key), Span: span}, w.Topic)
	}
}

// both checks that a key is written as given, and read back.
func both(t *testing.T, s serde.Serde[window.Key[[]byte]], k window.Key[[]byte], want string) {
	t.Helper()
	b, err := s.Append(nil, k)
	if err != nil || hex.EncodeToString(b) != want {
		t.Errorf("%x %v: %x, want %s (%v)", k.Key, k.Span, b, want, err)
	}
	back, err := s.Decode(unhex(t, want))
	if err != nil || string(back.Key) != string(k.Key) || back.Span != k.Span {
		t.Errorf("%s is read as %x %v (%v)", want, back.Key, back.Span, err)
	}
}
