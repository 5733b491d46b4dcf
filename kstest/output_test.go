package kstest_test

import (
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

func TestExpectShowsBothSides(t *testing.T) {
	r := watch(func(t testing.TB) {
		d := kstest.New(t, shout())
		in := d.Input(lines)
		in.Send("a", "one two")
		in.Send("b", "x")
		in.Delete("c")
		d.Output(loud).Expect(kstest.KV("a", "ONE TWO"), kstest.Deleted[string, string]("b"), kstest.KV("c", ""), kstest.KV("d", "Y"))
	})
	want := strings.TrimPrefix(`
kstest: topic loud:
     want              got
   0 "a" = "ONE TWO"   "a" = "ONE TWO"
 > 1 "b" = deleted     "b" = "X"
 > 2 "c" = ""          "c" = deleted
 > 3 "d" = "Y"         -`, "\n")
	if len(r.failures) != 1 || r.failures[0] != want || r.fatal {
		t.Errorf("the failure is\n%s\nwant\n%s", strings.Join(r.failures, "\n"), want)
	}
}

func TestAMissingKeyIsNotAnEmptyOne(t *testing.T) {
	watch(func(t testing.TB) {
		d := kstest.New(t, shout())
		d.Input(lines).SendRecord(kstest.KV("", "v").WithoutKey())
		d.Output(loud).Expect(kstest.KV("", "V"))
	}).want(t, false, `"" = "V"   no key = "V"`)
}

func TestExpectationsGoOnWhereTheLastOneEnded(t *testing.T) {
	d := kstest.New(t, shout())
	for _, v := range []string{"1", "2", "3", "4"} {
		d.Input(lines).Send("k", v)
	}
	d.Output(loud).Expect(kstest.KV("k", "1"))
	d.Output(loud).Expect(kstest.KV("k", "2"))
	out := d.Output(loud)
	if r := out.Next(); r.Value != "3" {
		t.Errorf("Next returns %v", r)
	}
	if rest := out.Rest(); len(rest) != 1 || rest[0].Value != "4" {
		t.Errorf("Rest returns %v", rest)
	}
	out.ExpectNone()
}

func TestExpectNoneShowsWhatIsLeft(t *testing.T) {
	watch(func(t testing.TB) {
		d := kstest.New(t, shout())
		d.Input(lines).Send("a", "b")
		d.Output(loud).ExpectNone()
	}).want(t, false, "topic loud: want no further record", `> 0 -      "a" = "B"`)
}

func TestNextWithoutARecordIsFatal(t *testing.T) {
	watch(func(t testing.TB) {
		kstest.New(t, shout()).Output(loud).Next()
	}).want(t, true, "topic loud: no further record")
}

func TestAMissingCommitIsPointedOut(t *testing.T) {
	for name, look := range map[string]func(out *kstest.Output[string, string]){
		"Expect": func(out *kstest.Output[string, string]) { out.Expect(kstest.KV("a", "B")) },
		"Next":   func(out *kstest.Output[string, string]) { out.Next() },
	} {
		r := watch(func(t testing.TB) {
			d := kstest.New(t, shout(), kstest.ManualCommit())
			d.Input(lines).Send("a", "b")
			look(d.Output(loud))
		})
		if len(r.failures) != 1 || !strings.Contains(r.failures[0], "call Commit") {
			t.Errorf("%s: %q, want a hint to Commit", name, r.failures)
		}
	}
}

func TestWhatCannotBeDecodedFailsTheTest(t *testing.T) {
	watch(func(t testing.TB) {
		d := kstest.New(t, shout())
		d.Input(lines).Send("a", "b")
		d.Output(topology.NewTopic("loud", serde.String, serde.Int64)).Next()
	}).want(t, true, `the value "B" of a record of topic "loud" cannot be decoded`)
}

func TestNullsOfNullableTopicsAreSeen(t *testing.T) {
	maybe := topology.NewTopic("maybe", serde.String, serde.Nullable(serde.String))
	b := topology.NewBuilder()
	kstream.From(b, maybe).To(maybe.Named("out"))
	d := kstest.New(t, topology.Must(b.Build()))
	v := "v"
	d.Input(maybe).Send("k", &v)
	d.Input(maybe).Send("k", nil)
	out := d.Output(maybe.Named("out"))
	out.Expect(kstest.KV("k", &v))
	if r := out.Next(); r.Value != nil || !r.HasValue() {
		t.Errorf("got %+v, want nil as a value", r)
	}
	watch(func(t testing.TB) {
		d := kstest.New(t, topology.Must(b.Build()))
		d.Input(maybe).Send("k", &v)
		d.Output(maybe.Named("out")).Expect(kstest.KV[string, *string]("k", nil))
	}).want(t, false, `"k" = <nil>   "k" = &"v"`)
}
