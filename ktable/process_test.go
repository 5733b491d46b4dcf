package ktable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

var seen = store.NewKeyValue("seen", serde.String, serde.Int64)

// numbered numbers the changes of each key, leaves those to "same" out, and deletes the row that becomes "gone".
func numbered(t *topology.Task, out topology.OutValue[string]) topology.Handler[string, string] {
	counts := t.KeyValue(seen)
	return func(_ context.Context, r topology.Record[string, string]) error {
		n, _ := counts.Get(r.Key)
		counts.Put(r.Key, n+1)
		switch {
		case !r.HasValue() || r.Value == "gone":
			out.SendDelete()
		case r.Value == "bad":
			return errors.New("bad row")
		case r.Value != "same":
			out.Send(fmt.Sprint(r.Value, "#", n+1))
		}
		return nil
	}
}

func TestAProcessorSeesTheChangesOfATable(t *testing.T) {
	b := topology.NewBuilder()
	ktable.From(b, words.Named("in"), "st", store.NoCache()).ProcessValues("number", numbered, seen).Materialize("js", store.NoCache()).
		Then(kstream.FromChanges).MapValues(func(c kstream.Change[string]) string { return or(c.Old, c.HasOld) + ">" + or(c.New, c.HasNew) }).To(out)
	recorded(t, b, nil, []string{"in:k=a@1,h", "in:k=same@2", "in:k=b@3", "in:k=-@4", "in:k=gone@5", "in:k=c@6"},
		map[string][]string{"out": {"0:k=∅>a#1@1,h", "2:k=a#1>b#3@3", "3:k=b#3>∅@4", "4:k=∅>∅@5", "5:k=∅>c#6@6"}})
}

func TestAFailingProcessorOfATableIsJudged(t *testing.T) {
	b := topology.NewBuilder()
	ktable.From(b, words.Named("in"), "st", store.NoCache()).ProcessValues("number", numbered, seen).To(out)
	d := kstest.New(t, topology.Must(b.Build()), kstest.OnError(func(e *topology.RecordError) topology.Action { return topology.Skip() }))
	in := d.Input(words.Named("in"))
	in.Send("k", "a")
	in.Send("k", "bad")
	in.Send("k", "b")
	d.Output(out).Expect(kstest.KV("k", "a#1"), kstest.KV("k", "b#2")) // the failed one left nothing behind
	if e := d.Errors(); len(e) != 1 || e[0].Node != "number" {
		t.Errorf("errors %v", e)
	}
}

func TestWhatAProcessorGivesMustBeMaterializedToBeLookedUp(t *testing.T) {
	b := topology.NewBuilder()
	p := ktable.From(b, words.Named("in"), "st").ProcessValues("number", numbered, seen)
	kstream.From(b, words).JoinTable(p, func(a, b string) string { return a + b }).To(out)
	ktable.From(b, words.Named("two"), "st2").ProcessValues("", numbered, store.KeyValueSpec[string, string]{})
	_, err := b.Build()
	for _, want := range []string{"the rows of the table are kept nowhere to be looked up: call Materialize on it", "the name is empty", "a store is nil or the zero spec"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
