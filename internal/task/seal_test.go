package task

import (
	"maps"
	"testing"
)

// TestOwnTimesAreForgottenWhenAnotherHasCommitted: Kafka Streams carries on the entries of metadata that it does not know. What a
// store of ours says of its rows is then older than rows that Kafka Streams wrote; a time of an operator is a lower bound.
func TestOwnTimesAreForgottenWhenAnotherHasCommitted(t *testing.T) {
	a, b := TP{Topic: "a"}, TP{Topic: "b"}
	times := map[string]int64{"count": 40, "join/t": 100, "join/n": 7}
	ours := func(tp TP, offset int64) string {
		m := metadata{50, maps.Clone(times)}
		m.progress[sealName] = 0
		return m.seal(tp, offset).encode()
	}
	theirs := func(of ...string) string { // Kafka Streams keeps the largest of each entry
		m := metadata{60, map[string]int64{}}
		for _, text := range of {
			was, err := decodeMetadata(text)
			if err != nil {
				t.Fatal(err)
			}
			for name, at := range was.progress {
				m.progress[name] = max(m.progress[name], at)
			}
		}
		return m.encode()
	}
	for _, c := range []struct {
		name    string
		a, b    string // committed with offsets 5 and 8
		at      map[string]int64
		carried map[string]int64 // what the next commit says
	}{
		{"we committed both", ours(a, 5), ours(b, 8), times, times},
		{"we committed one, the other never", ours(a, 5), "", times, times},
		{"the other was set by hand", ours(a, 5), "console", times, times},
		{"another went on with both", theirs(ours(a, 3), ours(b, 4)), theirs(ours(a, 3), ours(b, 4)), nil, map[string]int64{"count": 40}},
		{"another went on with one", theirs(ours(a, 3), ours(b, 8)), ours(b, 8), nil, map[string]int64{"count": 40}},
		{"another went on with one, and said so of both", theirs(ours(a, 3), ours(b, 8)), theirs(ours(a, 3), ours(b, 8)), nil, map[string]int64{"count": 40}},
		{"another went on with a new one", metadata{60, nil}.encode(), ours(b, 8), nil, map[string]int64{"count": 40}},
		{"no one wrote any of ours", metadata{60, map[string]int64{"count": 40}}.encode(), metadata{60, nil}.encode(), nil, map[string]int64{"count": 40}},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf := bench(t)
			conf.Inputs = []TP{a, b}
			task, err := New(conf)
			if err != nil {
				t.Fatal(err)
			}
			defer task.Close()
			early := env{task}.Clock("join/t") // asked for before and after the offsets are known
			task.Resume(b, 8, c.b)
			if early.Now() != -1 {
				t.Errorf("after one input of two, join/t shows %d", early.Now())
			}
			task.Resume(a, 5, c.a)
			late := env{task}.Clock("join/n")
			for name, clock := range map[string]int64{"join/t": early.Now(), "join/n": late.Now()} {
				want, ok := c.at[name]
				if !ok {
					want = -1
				}
				if clock != want {
					t.Errorf("%s shows %d, want %d", name, clock, want)
				}
			}
			for _, o := range task.Offsets() {
				m, err := decodeMetadata(o.Metadata)
				if err != nil {
					t.Fatal(err)
				}
				if _, ok := c.carried["join/t"]; ok != m.sealed(o.TP, o.Offset) {
					t.Errorf("the metadata of %v is sealed: %v", o.TP, !ok)
				}
				delete(m.progress, sealName)
				if !maps.Equal(m.progress, c.carried) {
					t.Errorf("beside %v the next commit says %v, want %v", o.TP, m.progress, c.carried)
				}
			}
		})
	}
}
