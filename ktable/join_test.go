package ktable_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

var (
	lefts  = words.Named("l")
	rights = words.Named("r")
)

// or shows a value that may be missing.
func or(v string, ok bool) string {
	if !ok {
		return "∅"
	}
	return v
}

// Three ways to join two tables, as text.
func inner(l, r ktable.Table[string, string]) ktable.Table[string, string] {
	return l.Join(r, func(a, b string) string { return a + "|" + b })
}

func left(l, r ktable.Table[string, string]) ktable.Table[string, string] {
	return l.LeftJoin(r, func(a, b string, ok bool) string { return a + "|" + or(b, ok) })
}

func outer(l, r ktable.Table[string, string]) ktable.Table[string, string] {
	return l.OuterJoin(r, func(a string, ok bool, b string, ok2 bool) string { return or(a, ok) + "|" + or(b, ok2) })
}

type joiner = func(l, r ktable.Table[string, string]) ktable.Table[string, string]

// joined wires a join of two tables that forward every update.
func joined(t *testing.T, join joiner, then func(ktable.Table[string, string])) *bench {
	return wire(t, func(b *topology.Builder) {
		then(join(ktable.From(b, lefts, "ls", store.NoCache()), ktable.From(b, rights, "rs", store.NoCache())))
	})
}

// What both sides get, and what Kafka Streams makes of it, step by step.
var joinSteps = []string{
	"l:k=l1@10", "r:k=r1@5", "l:k=l2@3", "r:k=r2@20", "l:k=-@21", "r:k=r3@22", "l:k=l3@23", "r:k=-@24", "l:k=l4@25", "l:k=-@26",
	"r:k=-@27", "l:-=x@28", "r:-=x@29", "r:m=r1@30", "r:m=-@31", "l:n=l1@32", "l:n=l1@31",
}

func TestJoinsOfTablesAreThoseOfKafkaStreams(t *testing.T) {
	for name, c := range map[string]struct {
		join joiner
		want []string
	}{
		"inner": {inner, []string{"", "k=l1|r1@10", "k=l2|r1@5", "k=l2|r2@20", "k=-@21", "", "k=l3|r3@23", "k=-@24", "", "", "", "", "", "", "", "", ""}},
		"left": {left, []string{"k=l1|∅@10", "k=l1|r1@10", "k=l2|r1@5", "k=l2|r2@20", "k=-@21", "", "k=l3|r3@23", "k=l3|∅@24", "k=l4|∅@25", "k=-@26",
			"", "", "", "", "", "n=l1|∅@32", "n=l1|∅@31"}},
		"outer": {outer, []string{"k=l1|∅@10", "k=l1|r1@10", "k=l2|r1@5", "k=l2|r2@20", "k=∅|r2@21", "k=∅|r3@22", "k=l3|r3@23", "k=l3|∅@24", "k=l4|∅@25", "k=-@26",
			"", "", "", "m=∅|r1@30", "m=-@31", "n=l1|∅@32", "n=l1|∅@31"}},
	} {
		check := func(t *testing.T, b *bench) {
			for i, s := range joinSteps {
				b.send(s)
				b.commit()
				var want []string
				if c.want[i] != "" {
					want = []string{"out:" + c.want[i]}
				}
				b.expect(want...)
				if t.Failed() {
					t.Fatalf("at %s", s)
				}
			}
			if b.Dropped["ls null-key"] != 1 || b.Dropped["rs null-key"] != 1 {
				t.Errorf("dropped %v", b.Dropped)
			}
		}
		t.Run(name, func(t *testing.T) {
			check(t, joined(t, c.join, func(j ktable.Table[string, string]) { j.To(out) }))
		})
		t.Run(name+" materialized", func(t *testing.T) {
			b := joined(t, c.join, func(j ktable.Table[string, string]) { j.Materialize("js", store.NoCache()).To(out) })
			check(t, b)
		})
	}
}

// TestAJoinSaysWhatTheRowWas: the old value is the join of the old row with the other side as it is, in all three kinds.
func TestAJoinSaysWhatTheRowWas(t *testing.T) {
	b := joined(t, outer, changes)
	b.send("l:k=a@1", "r:k=x@2", "l:k=b@3", "l:k=-@4", "r:k=-@5")
	b.expect("out:k=·>a|∅@1", "out:k=a|∅>a|x@2", "out:k=a|x>b|x@3", "out:k=b|x>∅|x@4", "out:k=∅|x>·@5")
	b = joined(t, left, changes)
	b.send("l:k=a@1", "r:k=x@2", "l:k=-@3", "r:k=y@4")
	b.expect("out:k=·>a|∅@1", "out:k=a|∅>a|x@2", "out:k=a|x>·@3")
	b = joined(t, inner, changes)
	b.send("l:k=a@1", "r:k=x@2", "l:k=b@3", "r:k=-@4", "l:k=c@5")
	b.expect("out:k=·>a|x@2", "out:k=a|x>b|x@3", "out:k=b|x>·@4")
}

// TestATableJoinedWithItself: each side reads what the other is now, and the row that both sides lose at once stays. So
// it does in Kafka Streams.
func TestATableJoinedWithItself(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		l := ktable.From(b, lefts, "ls", store.NoCache())
		changes(inner(l, l.MapValues(strings.ToUpper)).Materialize("js", store.NoCache()))
	})
	b.send("l:k=a@1", "l:k=b@2", "l:k=-@3")
	b.expect("out:k=·>a|A@1", "out:k=·>a|A@1", // once for each side; neither had a row before
		"out:k=b|A>b|B@2", "out:k=a|B>b|B@2")
}

// TestALookUpOfAJoinComputesIt from the two sides, each computed from its own store.
func TestALookUpOfAJoinComputesIt(t *testing.T) {
	for name, c := range map[string]struct {
		join joiner
		want []string
	}{
		"inner": {inner, []string{"out:both=z-B1|b2@7"}},
		"left":  {left, []string{"out:both=z-B1|b2@7", "out:left=z-L|∅@7"}},
		"outer": {outer, []string{"out:both=z-B1|b2@7", "out:left=z-L|∅@7", "out:right=z-∅|r@7"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := wire(t, func(b *topology.Builder) {
				l := ktable.From(b, lefts, "ls").Filter(func(_, v string) bool { return v != "hidden" }).MapValues(strings.ToUpper)
				third := ktable.From(b, words, "third", store.NoCache())
				inner(third, c.join(l, ktable.From(b, rights, "rs"))).MapValues(func(v string) string { return strings.Replace(v, "|", "-", 1) }).To(out)
			})
			b.send("l:both=b1@1", "r:both=b2@2", "l:left=l@1", "r:right=r@1", "l:gone=hidden@1")
			b.commit()
			b.Sent = nil
			b.send("words:both=z@7", "words:left=z@7", "words:right=z@7", "words:gone=z@7", "words:none=z@7")
			b.expect(c.want...)
		})
	}
}

// TestJoinsOfOneCommit: rows forwarded at the commit meet the other side as it is by then.
func TestJoinsOfOneCommit(t *testing.T) {
	b := wire(t, func(b *topology.Builder) {
		outer(ktable.From(b, lefts, "ls"), ktable.From(b, rights, "rs")).Materialize("js").To(out)
	})
	b.send("l:k=l1@5", "r:k=r1@5", "l:k=l2@5", "r:m=r2@5", "l:m=l3@5")
	b.commit()
	b.expect("out:k=l2|r1@5", "out:m=l3|r2@5")
	b.send("l:k=l4@3", "r:m=-@3")
	b.commit()
	b.expect("out:k=l4|r1@5", "out:m=l3|∅@5")
}

// TestJoinsAgreeWithARecomputation: whatever comes, the last result of a key is the join of the last rows. (Where both
// sides of an inner join lose a row within one commit the result stays, as in Kafka Streams: rows are changed once between
// commits here.)
func TestJoinsAgreeWithARecomputation(t *testing.T) {
	kinds := map[string]joiner{"inner": inner, "left": left, "outer": outer}
	for name, join := range kinds {
		for _, cached := range []bool{false, true} {
			b := wire(t, func(b *topology.Builder) {
				var opts []store.Option
				if !cached {
					opts = append(opts, store.NoCache())
				}
				join(ktable.From(b, lefts, "ls", opts...), ktable.From(b, rights, "rs", opts...)).Materialize("js", opts...).To(out)
			})
			rows := map[string]map[string]string{"l": {}, "r": {}}
			results := map[string]string{}
			seed := uint32(1)
			random := func(n uint32) int { seed = seed*1664525 + 1013904223; return int(seed >> 8 % (1 << 20) % n) }
			touched := map[string]bool{} // since the last commit
			for range 2000 {
				side, key := []string{"l", "r"}[random(2)], []string{"a", "b", "c"}[random(3)]
				if name == "inner" && touched[key] {
					continue
				}
				touched[key] = true
				if random(3) == 0 {
					delete(rows[side], key)
					b.send(side + ":" + key + "=-@1")
				} else {
					v := side + strings.Repeat("x", random(4))
					rows[side][key] = v
					b.send(side + ":" + key + "=" + v + "@1")
				}
				if random(3) == 0 {
					b.commit()
					clear(touched)
					for _, o := range b.Sent {
						if o.Value == nil {
							delete(results, string(o.Key))
						} else {
							results[string(o.Key)] = string(o.Value)
						}
					}
					b.Sent = nil
					for _, k := range []string{"a", "b", "c"} {
						l, lok := rows["l"][k]
						r, rok := rows["r"][k]
						want := or(l, lok) + "|" + or(r, rok)
						if !lok && !rok || name == "inner" && !(lok && rok) || name == "left" && !lok {
							want = ""
						}
						if results[k] != want {
							t.Fatalf("%s, cached %v: %s is %q, want %q", name, cached, k, results[k], want)
						}
					}
				}
			}
		}
	}
}

func TestAJoinAcrossBuildersIsAnError(t *testing.T) {
	a, b := topology.NewBuilder(), topology.NewBuilder()
	inner(ktable.From(a, lefts, "ls"), ktable.From(b, rights, "rs")).MapValues(strings.ToUpper).To(out)
	if _, err := a.Build(); err == nil || !strings.Contains(err.Error(), "the other side belongs to another Builder") {
		t.Errorf("got %v", err)
	}
}

func TestAJoinNeedsEqualNumbersOfPartitions(t *testing.T) {
	b := joined(t, inner, func(j ktable.Table[string, string]) { j.To(out) })
	groups := b.Plan.Subs[0].Groups
	if len(groups) != 1 || len(groups[0].Topics) != 2 {
		t.Fatalf("groups %v", groups)
	}
	names := []string{groups[0].Topics[0].Name, groups[0].Topics[1].Name}
	if !slices.Equal(names, []string{"l", "r"}) {
		t.Errorf("co-partitioned %v", names)
	}
}
