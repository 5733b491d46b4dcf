package wire

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/millrace-streams/millrace/internal/record"
)

// buffers are bytes that Kafka Streams' own classes made.
type buffers struct {
	Suppress []struct {
		Prior, Old, New *string
		Headers         bool
		BufferTime      int64
		Bytes           string
	} `json:"suppressBuffer"`
	Contexts []struct {
		TS, Offset int64
		Partition  int32
		Topic      string
		Headers    string
		Bytes      string
	} `json:"recordContext"`
	Headers []struct{ Headers, Bytes string } `json:"storeHeaders"`
}

func readBuffers(t testing.TB) (v buffers) {
	t.Helper()
	b, err := os.ReadFile("testdata/buffers.json")
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil || len(v.Suppress) < 8 || len(v.Contexts) < 2 || len(v.Headers) < 2 {
		t.Fatalf("%v, %d, %d and %d vectors", err, len(v.Suppress), len(v.Contexts), len(v.Headers))
	}
	return v
}

var bothHeaders = []record.Header{{Key: "h", Value: []byte("x")}, {Key: "n"}}

func nullText(s *string) []byte {
	if s == nil {
		return nil
	}
	return []byte(*s)
}

func TestOriginsAreThoseOfKafkaStreams(t *testing.T) {
	for _, v := range readBuffers(t).Contexts {
		o := Origin{Time: v.TS, At: record.Position{Topic: v.Topic, Partition: v.Partition, Offset: v.Offset}}
		if v.Headers != "none" {
			o.Headers = bothHeaders
		}
		want := unhex(t, v.Bytes)
		if b := AppendOrigin(nil, &o); !bytes.Equal(b, want) {
			t.Errorf("%+v is %x, want %x", o, b, want)
		}
		if back, rest, err := DecodeOrigin(append(want, 7)); err != nil || !reflect.DeepEqual(back, o) || len(rest) != 1 {
			t.Errorf("%x is %+v, %x, %v; want %+v", want, back, rest, err, o)
		}
	}
}

func TestBufferedChangesAreThoseOfKafkaStreams(t *testing.T) {
	for _, v := range readBuffers(t).Suppress {
		c := Buffered{Prior: nullText(v.Prior), Old: nullText(v.Old), New: nullText(v.New)}
		c.Origin = Origin{Time: 100, At: record.Position{Topic: "in", Offset: 5}}
		if v.Headers {
			c.Headers = bothHeaders
		}
		want := unhex(t, v.Bytes)
		end := len(want) - 8 // the time for which it waits
		if b := AppendBuffered(nil, &c); !bytes.Equal(b, want[:end]) {
			t.Errorf("%+v is %x, want %x", c, b, want[:end])
		}
		if back, rest, err := DecodeBuffered(want); err != nil || !reflect.DeepEqual(back, c) || len(rest) != 8 {
			t.Errorf("%x is %+v, %x, %v; want %+v", want, back, rest, err, c)
		}
	}
}

// Kafka Streams' estimate: 8 for the time, the key, then this.
func TestTheSizeOfABufferedChangeCountsAnOldLikeThePriorOnce(t *testing.T) {
	b := Buffered{Prior: []byte("pp"), Old: []byte("pp"), New: []byte("new")}
	b.Origin = Origin{At: record.Position{Topic: "in𝄞"}, Headers: bothHeaders}
	if n := b.Size(); n != 2+3+(8+8+4+4)+(1+1)+1 {
		t.Errorf("size %d", n)
	}
	if b.Old = []byte("old"); b.Size() != 2+3+3+24+3 {
		t.Errorf("size %d with another old value", b.Size())
	}
}

func FuzzDecodeBuffered(f *testing.F) {
	for _, v := range readBuffers(f).Suppress {
		f.Add(unhex(f, v.Bytes))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		b, _, err := DecodeBuffered(src)
		if err != nil {
			return
		}
		again, rest, err := DecodeBuffered(AppendBuffered(nil, &b))
		if err != nil || len(rest) != 0 || !reflect.DeepEqual(again, b) {
			t.Fatalf("%+v came back as %+v, %x, %v", b, again, rest, err)
		}
	})
}
