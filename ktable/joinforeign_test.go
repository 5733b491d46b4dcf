package ktable_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/kstest"
	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

// beforeColon is the foreign key of rows like "a:1".
func beforeColon(_, v string) (string, bool) {
	k, _, ok := strings.Cut(v, ":")
	return k, ok
}

func innerForeign(l, r ktable.Table[string, string]) ktable.Table[string, string] {
	return l.JoinForeign("fk", r, beforeColon, func(a, b string) string { return a + "|" + b })
}

func leftForeign(l, r ktable.Table[string, string]) ktable.Table[string, string] {
	return l.LeftJoinForeign("fk", r, beforeColon, func(a, b string, ok bool) string { return a + "|" + or(b, ok) })
}

func foreign(join joiner, opts ...store.Option) *topology.Builder {
	b := topology.NewBuilder()
	join(ktable.From(b, lefts, "ls", opts...), ktable.From(b, rights, "rs", opts...)).Materialize("js", opts...).To(out)
	return b
}

var foreignSteps = []string{
	"l:k1=a:1@10", "r:a=A1@11", "l:k2=a:2@12", "l:k1=a:3@13", "l:k1=b:4@14", "r:b=B1@5", "l:k2=none@15", "r:a=A2@16", "l:k3=a:5@2", "r:a=-@17",
	"l:k1=-@18", "l:k1=-@19", "r:b=-@20", "l:k3=c:6@21", "l:k4=-@22", "r:-=x@23", "l:-=a:1@24",
}

func TestForeignKeyJoinsAreThoseOfKafkaStreams(t *testing.T) {
	const registration, response = "app-fk-subscription-registration-topic", "app-fk-subscription-response-topic"
	h := map[string]string{ // hashes of left values, as Kafka Streams wrote them
		"a:1": `\f\xc8_\xbdg\x80\xfc\x02~0w\nn\xc0mg`, "a:2": `\xa4\xf3\xa4\xe7\xd4YG^\xfe\x04W\x9b\xe7q\xba\xfc`,
		"a:3": `\xb2\x9b\xb6Y\x01\xc7-gd\xf6\x02\x80\xdb\xe9N\xf8`, "b:4": `\u009f\xaf\xed\xc3E\xcaQ,\xf1\xec6\x10\bi\xbd`,
		"none": `9# \x9b\xcdU\x98A\x1a\xf5\x95C*\x19\x16|`, "a:5": `\xa6:c\xf2i\x9a\xb0{\xccd\x03\x0f\f7Y%`, "c:6": `-n\x9f\\\x1a\x9e\xcbB\xabT\xe1a\xe9\x91ܶ`,
	}
	ask := func(step int, fk, instruction, left, k string, at int) string {
		flag := `\x01`
		if left == "" {
			flag = `\x81`
		}
		return fmt.Sprintf(`%d:%s=%s\x0%s%s%s\x00\x00\x00\x00@%d`, step, fk, flag, instruction, h[left], k, at)
	}
	answer := func(step int, k, left, right string, at int) string {
		flag := `\x00`
		if left == "" {
			flag = `\x80`
		}
		return fmt.Sprintf(`%d:%s=%s%s%s@%d`, step, k, flag, h[left], right, at)
	}
	t.Run("inner", func(t *testing.T) {
		d := recorded(t, foreign(innerForeign, store.NoCache()), nil, foreignSteps, map[string][]string{
			registration: {ask(0, "a", "3", "a:1", "k1", 10), ask(2, "a", "3", "a:2", "k2", 12), ask(3, "a", "3", "a:3", "k1", 13),
				ask(4, "a", "0", "b:4", "k1", 14), ask(4, "b", "2", "b:4", "k1", 14), ask(6, "a", "1", "none", "k2", 15), ask(8, "a", "3", "a:5", "k3", 2),
				ask(10, "b", "1", "", "k1", 18), ask(13, "a", "0", "c:6", "k3", 21), ask(13, "c", "2", "c:6", "k3", 21)},
			response: {answer(1, "k1", "a:1", "A1", 11), answer(2, "k2", "a:2", "A1", 12), answer(3, "k1", "a:3", "A1", 13), answer(4, "k1", "b:4", "", 14),
				answer(5, "k1", "b:4", "B1", 5), answer(6, "k2", "none", "", 15), answer(8, "k3", "a:5", "A2", 16), answer(9, "k3", "a:5", "", 17),
				answer(10, "k1", "", "", 18), answer(13, "k3", "c:6", "", 21)},
			"out": {"1:k1=a:1|A1@11", "2:k2=a:2|A1@12", "3:k1=a:3|A1@13", "4:k1=-@14", "5:k1=b:4|B1@5", "6:k2=-@15", "8:k3=a:5|A2@16", "9:k3=-@17", "10:k1=-@18", "13:k3=-@21"},
		})
		if want := map[string]int{"null-key": 2, "null-foreign-key": 1}; !maps.Equal(d.Dropped(), want) {
			t.Errorf("dropped %v, want %v", d.Dropped(), want)
		}
	})
	t.Run("left", func(t *testing.T) {
		d := recorded(t, foreign(leftForeign, store.NoCache()), nil, foreignSteps, map[string][]string{
			registration: {ask(0, "a", "2", "a:1", "k1", 10), ask(2, "a", "2", "a:2", "k2", 12), ask(3, "a", "2", "a:3", "k1", 13),
				ask(4, "a", "0", "b:4", "k1", 14), ask(4, "b", "2", "b:4", "k1", 14), ask(6, "a", "0", "none", "k2", 15), ask(6, "", "2", "none", "k2", 15),
				ask(8, "a", "2", "a:5", "k3", 2), ask(10, "b", "0", "", "k1", 18), ask(10, "", "2", "", "k1", 18), ask(13, "a", "0", "c:6", "k3", 21), ask(13, "c", "2", "c:6", "k3", 21)},
			response: {answer(0, "k1", "a:1", "", 10), answer(1, "k1", "a:1", "A1", 11), answer(2, "k2", "a:2", "A1", 12), answer(3, "k1", "a:3", "A1", 13),
				answer(4, "k1", "b:4", "", 14), answer(5, "k1", "b:4", "B1", 5), answer(6, "k2", "none", "", 15), answer(8, "k3", "a:5", "A2", 16),
				answer(9, "k3", "a:5", "", 17), answer(10, "k1", "", "", 18), answer(13, "k3", "c:6", "", 21)},
			"out": {"0:k1=a:1|∅@10", "1:k1=a:1|A1@11", "2:k2=a:2|A1@12", "3:k1=a:3|A1@13", "4:k1=b:4|∅@14", "5:k1=b:4|B1@5", "6:k2=none|∅@15", "8:k3=a:5|A2@16",
				"9:k3=a:5|∅@17", "10:k1=-@18", "13:k3=c:6|∅@21"},
		})
		if want := map[string]int{"null-key": 2}; !maps.Equal(d.Dropped(), want) {
			t.Errorf("dropped %v, want %v", d.Dropped(), want)
		}
	})
}

// TestForeignKeysThatBeginWithOneAnother are told apart, also from primary keys that complete them.
func TestForeignKeysThatBeginWithOneAnother(t *testing.T) {
	recorded(t, foreign(innerForeign, store.NoCache()), nil,
		[]string{"l:k1=a:1@1", "l:k2=aa:2@2", "l:k3=aaa:3@3", "l:ak=a:4@4", "r:aa=X@5", "r:a=Y@6", "r:aaa=Z@7", "r:a=Y2@8"},
		map[string][]string{"out": {"4:k2=aa:2|X@5", "5:ak=a:4|Y@6", "5:k1=a:1|Y@6", "6:k3=aaa:3|Z@7", "7:ak=a:4|Y2@8", "7:k1=a:1|Y2@8"}})
}

// TestHeadersGoWithTheirRecord through both topics.
func TestHeadersGoWithTheirRecord(t *testing.T) {
	recorded(t, foreign(leftForeign, store.NoCache()), nil, []string{"l:k1=a:1@10,left", "r:a=A1@11,right", "l:k1=b:2@12,left2", "r:a=A2@13,right2"},
		map[string][]string{"out": {"0:k1=a:1|∅@10,left", "1:k1=a:1|A1@11,right", "2:k1=b:2|∅@12,left2"}})
}

// TestForeignKeyJoinsAgreeWithARecomputation: with several partitions, in all of which rows ask rows of others, and with
// crashes in between.
func TestForeignKeyJoinsAgreeWithARecomputation(t *testing.T) {
	for name, join := range map[string]joiner{"inner": innerForeign, "left": leftForeign} {
		for _, opts := range [][]store.Option{nil, {store.NoCache()}} {
			d := kstest.New(t, topology.Must(foreign(join, opts...).Build()), kstest.PartitionCount(4))
			l, r, results := d.Input(lefts), d.Input(rights), d.Output(out)
			left, right, got := map[string]string{}, map[string]string{}, map[string]string{}
			seed := uint32(7)
			random := func(n uint32) int { seed = seed*1664525 + 1013904223; return int(seed >> 10 % n) }
			for i := range 800 {
				key := fmt.Sprintf("k%d", random(12))
				switch random(6) {
				case 0:
					delete(left, key)
					l.Delete(key)
				case 1, 2, 3:
					left[key] = fmt.Sprintf("f%d:%d", random(6), i)
					if random(6) == 0 {
						left[key] = fmt.Sprint("none ", i)
					}
					l.Send(key, left[key])
				case 4:
					key = fmt.Sprintf("f%d", random(6))
					right[key] = fmt.Sprint("r", i)
					r.Send(key, right[key])
				case 5:
					key = fmt.Sprintf("f%d", random(6))
					delete(right, key)
					r.Delete(key)
				}
				if i%100 == 99 {
					d.Crash()
				}
			}
			for _, r := range results.Rest() {
				if got[r.Key] = r.Value; !r.HasValue() {
					delete(got, r.Key)
				}
			}
			want := map[string]string{}
			for k, v := range left {
				fk, _ := beforeColon(k, v)
				if w, ok := right[fk]; ok || name == "left" {
					want[k] = v + "|" + or(w, ok)
				}
			}
			if !maps.Equal(got, want) {
				t.Errorf("%s %d: got %v, want %v", name, len(opts), got, want)
			}
		}
	}
}

// TestForeignKeyJoinsInARow: the result of one, materialized, is the left side of the next.
func TestForeignKeyJoinsInARow(t *testing.T) {
	b := topology.NewBuilder()
	c := ktable.From(b, words.Named("c"), "cs", store.NoCache())
	j := innerForeign(ktable.From(b, lefts, "ls", store.NoCache()), ktable.From(b, rights, "rs", store.NoCache())).Materialize("js", store.NoCache())
	j.LeftJoinForeign("fk2", c, beforeColon, func(a, b string, ok bool) string { return a + "|" + or(b, ok) }).To(out)
	recorded(t, b, nil, []string{"l:1=x:p@1", "r:x=B@2", "c:x=C@3", "l:1=y:p@4", "r:y=BB@5", "c:y=CC@6", "r:y=-@7"},
		map[string][]string{"out": {"1:1=x:p|B|∅@2", "2:1=x:p|B|C@3", "3:1=-@4", "4:1=y:p|BB|∅@5", "5:1=y:p|BB|CC@6", "6:1=-@7"}})
}

func TestWhatAForeignKeyJoinGivesMustBeMaterializedToBeLookedUp(t *testing.T) {
	b := topology.NewBuilder()
	l, r := ktable.From(b, lefts, "ls"), ktable.From(b, rights, "rs")
	j := innerForeign(l, r)
	inner(l, j).To(out)
	j.GroupBy("again", func(k, v string) (string, string) { return v, k }).Count("n")
	_, err := b.Build()
	if err == nil || !strings.Contains(err.Error(), "Join: the rows of the table are kept nowhere to be looked up: call Materialize on it") ||
		!strings.Contains(err.Error(), `GroupBy("again"): the changes of the table do not say what a row was before: call Materialize on it`) {
		t.Errorf("got %v", err)
	}
}

// TestAFilterOfWhatIsNotKept deletes whatever does not pass, since nobody knows whether it was there.
func TestAFilterOfWhatIsNotKept(t *testing.T) {
	b := topology.NewBuilder()
	innerForeign(ktable.From(b, lefts, "ls", store.NoCache()), ktable.From(b, rights, "rs", store.NoCache())).
		Filter(func(_, v string) bool { return strings.HasSuffix(v, "!") }).To(out)
	recorded(t, b, nil, []string{"l:k=a:1@1", "r:a=A@2", "r:a=A!@3"}, map[string][]string{"out": {"1:k=-@2", "2:k=a:1|A!@3"}})
}
