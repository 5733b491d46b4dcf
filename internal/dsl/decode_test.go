package dsl_test

import (
	"testing"

	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/wiretest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// tagged is a serde that depends on the topic, as those of a schema registry: it writes the topic's name before the text.
type tagged struct{ tag string }

func (s tagged) Append(dst []byte, v string) ([]byte, error) {
	return append(append(dst, s.tag...), v...), nil
}
func (s tagged) Decode(src []byte) (string, error) { return s.tag + "<" + string(src), nil }
func (s tagged) ForTopic(topic string, part serde.Part) serde.Serde[string] {
	return tagged{topic + map[serde.Part]string{serde.Key: ".k:", serde.Value: ".v:"}[part]}
}

func TestSerdesAreBoundToTheTopicOfEachRecord(t *testing.T) {
	topic := topology.NewTopic[string, string]("a", tagged{}, tagged{})
	b := topology.NewBuilder()
	kstream.From(b, topic.AndNamed("b")).To(topic.Named("out"))
	kstream.From(b, topic.Named("one")).Repartition("r")
	top := topology.Must(b.Build())
	r := wiretest.New(t, top, 0, nil)
	in := record.In{Key: []byte("1"), Value: []byte("2")}
	for _, name := range []string{"a", "b", "b", "a"} {
		if f := r.Feed(name, in); f != nil {
			t.Fatal(f.Err)
		}
	}
	want := []string{"out.k:a.k:<1=out.v:a.v:<2", "out.k:b.k:<1=out.v:b.v:<2", "out.k:b.k:<1=out.v:b.v:<2", "out.k:a.k:<1=out.v:a.v:<2"}
	for i, o := range r.Sent {
		if got := string(o.Key) + "=" + string(o.Value); got != want[i] {
			t.Errorf("record %d: %s, want %s", i, got, want[i])
		}
	}

	r = wiretest.New(t, top, 1, nil)
	r.Feed("one", in)
	if got := string(r.Sent[0].Key); got != "app-r-repartition.k:one.k:<1" {
		t.Errorf("key %s: want the serde of the repartition topic's full name", got)
	}
}
