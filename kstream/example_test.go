package kstream_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// The topics of the examples. (words, of strings, and out are declared with the tests.)
var sums = topology.NewTopic("sums", serde.String, serde.Int64)

// play sends records to the topic words and prints what comes out of another topic. A record is written "key=value";
// "key" alone is a deletion, and "=value" has no key.
func play[K, V any](b *topology.Builder, from topology.Topic[K, V], records ...string) {
	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	in := d.Input(words)
	for _, s := range records {
		k, v, ok := strings.Cut(s, "=")
		r := kstest.KV(k, v)
		if !ok {
			r = r.WithoutValue()
		}
		if k == "" {
			r = r.WithoutKey()
		}
		in.SendRecord(r)
	}
	for _, r := range d.Output(from).Rest() {
		if r.HasValue() {
			fmt.Printf("%v=%v\n", r.Key, r.Value)
		} else {
			fmt.Printf("%v\n", r.Key)
		}
	}
}

func ExampleFrom() {
	b := topology.NewBuilder()
	kstream.From(b, words).To(out) // a copy: what goes in comes out

	play(b, out, "a=x", "b=y", "a")
	// Output:
	// a=x
	// b=y
	// a
}

func ExampleStream_Filter() {
	long := func(_, v string) bool { return len(v) > 2 }

	b := topology.NewBuilder()
	s := kstream.From(b, words)
	s.Filter(long).Merge(s.FilterNot(long).DropDeletes()).To(out) // Filter and FilterNot together lose nothing

	play(b, out, "a=x", "b=long", "a")
	// Output:
	// a=x
	// b=long
	// a
}

func ExampleStream_FilterNot() {
	b := topology.NewBuilder()
	kstream.From(b, words).FilterNot(func(k, _ string) bool { return k == "test" }).To(out)

	play(b, out, "test=x", "b=y")
	// Output:
	// b=y
}

func ExampleStream_DropDeletes() {
	b := topology.NewBuilder()
	kstream.From(b, words).DropDeletes().To(out)

	play(b, out, "a=x", "a")
	// Output:
	// a=x
}

func ExampleStream_MapValues() {
	b := topology.NewBuilder()
	kstream.From(b, words).MapValues(strings.TrimSpace).MapValues(strings.ToUpper).WithValueSerde(serde.String).To(out)

	play(b, out, "a= x ", "a") // the deletion passes
	// Output:
	// a=X
	// a
}

func ExampleStream_MapValuesWithKey() {
	b := topology.NewBuilder()
	kstream.From(b, words).MapValuesWithKey(func(k, v string) string { return k + " says " + v }).To(out)

	play(b, out, "a=hello")
	// Output:
	// a=a says hello
}

func ExampleStream_FilterMapValues() {
	number := func(v string) (int64, bool) {
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	}

	b := topology.NewBuilder()
	kstream.From(b, words).FilterMapValues(number).To(sums)

	play(b, sums, "a=1", "b=two", "c=3")
	// Output:
	// a=1
	// c=3
}

func ExampleStream_FlatMapValues() {
	b := topology.NewBuilder()
	kstream.From(b, words).FlatMapValues(strings.Fields).To(out)

	play(b, out, "a=to be", "b=")
	// Output:
	// a=to
	// a=be
}

func ExampleStream_FlatMapValuesWithKey() {
	b := topology.NewBuilder()
	kstream.From(b, words).FlatMapValuesWithKey(func(k, v string) []string { return []string{k, v} }).To(out)

	play(b, out, "a=x")
	// Output:
	// a=a
	// a=x
}

func ExampleStream_Map() {
	b := topology.NewBuilder()
	swap := func(k, v string) (string, string) { return v, k }
	kstream.From(b, words).Map(swap).Map(swap).To(out) // its own inverse, but for deletions: they have no value to become a key

	play(b, out, "a=x", "a")
	// Output:
	// a=x
}

func ExampleStream_FlatMap() {
	b := topology.NewBuilder()
	kstream.From(b, words).FlatMap(func(k, v string, emit func(string, string)) {
		for word := range strings.FieldsSeq(v) {
			emit(word, k)
		}
	}).To(out)

	play(b, out, "a=to be")
	// Output:
	// to=a
	// be=a
}

func ExampleStream_SelectKey() {
	b := topology.NewBuilder()
	kstream.From(b, words).SelectKey(func(_, v string) string { return v[:1] }).To(out)

	play(b, out, "a=x1", "=y2") // a missing key reads as ""
	// Output:
	// x=x1
	// y=y2
}

func ExampleStream_MapRecord() {
	b := topology.NewBuilder()
	kstream.From(b, words).MapRecord(func(r topology.Record[string, string]) topology.Record[string, string] {
		if !r.HasValue() {
			return r.WithValue("(deleted)")
		}
		return r
	}).To(out)

	play(b, out, "a=x", "a")
	// Output:
	// a=x
	// a=(deleted)
}

func ExampleStream_WithHeaders() {
	b := topology.NewBuilder()
	kstream.From(b, words).WithHeaders(func(k, _ string, h topology.Headers) topology.Headers {
		return h.With("from", []byte(k))
	}).To(out)

	d := kstest.New(kstest.InExample(), topology.Must(b.Build()))
	d.Input(words).Send("a", "x")
	from, _ := d.Output(out).Next().Headers.Get("from")
	fmt.Printf("%s\n", from)
	// Output:
	// a
}

func ExampleStream_Peek() {
	b := topology.NewBuilder()
	kstream.From(b, words).Peek(func(k, v string) { fmt.Println("saw", k, v) }).To(out)

	play(b, out, "a=x", "a")
	// Output:
	// saw a x
	// a=x
	// a
}

func ExampleStream_ForEach() {
	b := topology.NewBuilder()
	kstream.From(b, words).ForEach(func(k, v string) { fmt.Println(k, v) })

	play(b, words, "a=x", "a")
	// Output:
	// a x
	// a=x
	// a
}

func ExampleStream_Print() {
	b := topology.NewBuilder()
	kstream.From(b, words).MapValues(strings.ToUpper).Print(os.Stdout, "loud")

	play(b, out, "a=x")
	// Output:
	// [loud]: a, X
}

func ExampleStream_TryMapValues() {
	skip := func(e *topology.RecordError) topology.Action {
		fmt.Printf("skip: %v\n", e.Err)
		return topology.Skip()
	}

	b := topology.NewBuilder()
	kstream.From(b, words).OnError(skip).TryMapValues(strconv.Atoi).
		MapValues(func(n int) int64 { return int64(2 * n) }).
		To(sums)

	play(b, sums, "a=1", "b=two", "c=3")
	// Output:
	// skip: strconv.Atoi: parsing "two": invalid syntax
	// a=2
	// c=6
}

func ExampleStream_TryMap() {
	pair := func(_, v string) (string, string, error) {
		k, v, ok := strings.Cut(v, ":")
		if !ok {
			return "", "", errors.New("no colon")
		}
		return k, v, nil
	}
	dead := func(*topology.RecordError) topology.Action { return topology.DeadLetter("out") }

	b := topology.NewBuilder()
	kstream.From(b, words).OnError(dead).TryMap(pair).To(out)

	play(b, out, "1=a:x", "2=b")
	// Output:
	// a=x
	// 2=b
}

func ExampleStream_TryFlatMap() {
	b := topology.NewBuilder()
	kstream.From(b, words).
		OnError(func(*topology.RecordError) topology.Action { return topology.Skip() }).
		TryFlatMap(func(k, v string, emit func(string, int64)) error {
			for s := range strings.FieldsSeq(v) {
				n, err := strconv.ParseInt(s, 10, 64)
				if err != nil {
					return err // what was emitted of this record is dropped
				}
				emit(k, n)
			}
			return nil
		}).
		To(sums)

	play(b, sums, "a=1 2", "b=3 x", "c=4")
	// Output:
	// a=1
	// a=2
	// c=4
}

func ExampleStream_TryForEach() {
	b := topology.NewBuilder()
	kstream.From(b, words).
		OnError(func(e *topology.RecordError) topology.Action { fmt.Println(e.Node, e.Err); return topology.Skip() }).
		TryForEach(func(_ context.Context, k, v string) error {
			if v == "bad" {
				return errors.New(v)
			}
			fmt.Println(k, v)
			return nil
		})

	play(b, out, "a=x", "b=bad")
	// Output:
	// a x
	// for-each-1 bad
}
