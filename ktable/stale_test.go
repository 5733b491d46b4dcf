package ktable_test

import (
	"testing"

	"github.com/millrace-streams/millrace/internal/record"
	formats "github.com/millrace-streams/millrace/internal/wire"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// TestAnAnswerThatTheRowHasOvertakenIsDropped: the row changed, or came or went, after it had asked and before it was answered.
func TestAnAnswerThatTheRowHasOvertakenIsDropped(t *testing.T) {
	answer := func(left string) record.In {
		in := record.In{Key: []byte("k"), Time: 9}
		if left == "" {
			in.Value = append(formats.AppendResponse(nil, formats.Hash{}, false), "A"...)
		} else {
			in.Value = append(formats.AppendResponse(nil, formats.HashOf([]byte(left)), true), "A"...)
		}
		return in
	}
	b := leftHalf(t)
	stale := 0
	for _, c := range []struct {
		row    string // of the left table now; "-": deleted
		about  string // what the answer is about; "": no row
		result string // "": dropped
	}{
		{"a:1", "a:1", "out:k=a:1|A@9"}, {"a:2", "a:1", ""}, {"a:2", "", ""}, {"-", "a:2", ""}, {"-", "", "out:k=-@9"}, {"a:1", "a:1", "out:k=a:1|A@9"},
	} {
		b.send("l:k=" + c.row + "@1")
		b.Sent = nil
		if f := b.Feed("app-fk-subscription-response-topic", answer(c.about)); f != nil {
			t.Fatal(f.Err)
		}
		if c.result == "" {
			stale++
			b.expect()
		} else {
			b.expect(c.result)
		}
		if got := b.Dropped["fk stale-response"]; got != stale {
			t.Errorf("%+v: %d answers were dropped, want %d: %v", c, got, stale, b.Dropped)
		}
	}
}

// leftHalf wires the left half of an inner foreign-key join.
func leftHalf(t *testing.T) *bench {
	return wire(t, func(b *topology.Builder) {
		innerForeign(ktable.From(b, lefts, "ls", store.NoCache()), ktable.From(b, rights, "rs")).To(out)
	})
}
