package rows_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// keys are such that one begins with another, and with bytes as times have them behind it.
var keys = []string{"", "a", "a\x00", "a\x00\x00\x00\x00\x00\x14\x00\x00", "ab", "b", "\xff"}

// A cell is a row of the model; windows have only a start.
type cell struct {
	at, then int64 // start of a window; end and start of a session
	key      string
}

type held struct{ v, time int64 }

// A model is what a store must hold, as a map that forgets nothing.
type model struct {
	rows, before map[cell]held // now, and at the last commit
	touched      map[cell]bool
	observed     int64
	was          int64
	dropped      int
	retention    int64
	segment      int64 // 0: exact
}

func newModel(d *decl.Store) *model {
	m := &model{rows: map[cell]held{}, before: map[cell]held{}, touched: map[cell]bool{}, observed: -1, was: -1,
		retention: d.Retention.Milliseconds(), segment: max(d.Retention.Milliseconds()/2, minute)}
	if d.Segment > 0 {
		m.segment = d.Segment.Milliseconds()
	}
	if d.InMemory {
		m.segment = 0
	}
	return m
}

func (m *model) refuses(at int64) bool {
	if m.segment == 0 {
		return at <= m.observed-m.retention
	}
	return at/m.segment < (m.observed-m.retention)/m.segment
}

func (m *model) shows(at int64) bool { return at > m.observed-m.retention }

// write writes, or removes (has is false), and reports whether the store takes it.
func (m *model) write(c cell, v held, has bool) bool {
	m.observed = max(m.observed, c.at)
	if m.refuses(c.at) {
		m.dropped++
		return false
	}
	m.touched[c] = true
	if has {
		m.rows[c] = v
	} else {
		delete(m.rows, c)
	}
	return true
}

func (m *model) commit() {
	m.before, m.was = maps.Clone(m.rows), m.observed
	clear(m.touched)
}

func (m *model) abort() {
	m.rows, m.observed = maps.Clone(m.before), m.was
	clear(m.touched)
}

// text spells the rows that pass, in order of time and key.
func (m *model) text(pass func(c cell) bool) string {
	cells := slices.Collect(maps.Keys(m.rows))
	cells = slices.DeleteFunc(cells, func(c cell) bool { return !pass(c) })
	slices.SortFunc(cells, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.then, b.then), strings.Compare(a.key, b.key))
	})
	var b strings.Builder
	for _, c := range cells {
		b.WriteString(spell(c, m.rows[c]))
	}
	return b.String()
}

func spell(c cell, h held) string {
	return fmt.Sprintf("%q@%d,%d=%d/%d ", c.key, c.at, c.then, h.v, h.time)
}

// dirty spells what the open transaction changed.
func (m *model) dirty() string {
	var all []string
	for c := range m.touched {
		was, had := m.before[c]
		is, has := m.rows[c]
		if had || has {
			all = append(all, dirtyText(c, was.v, had, is, has))
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func dirtyText(c cell, old int64, had bool, is held, has bool) string {
	return fmt.Sprint(spell(c, is), old, had, has)
}

var windowStores = map[string]func(d *decl.Store){
	"anywhere":                func(*decl.Store) {},
	"multiples":               func(d *decl.Store) { d.Advance = 7 * time.Second },
	"by time":                 func(d *decl.Store) { d.ByTime = true },
	"in memory":               func(d *decl.Store) { d.InMemory = true },
	"in memory, multiples":    func(d *decl.Store) { d.InMemory, d.Advance = true, 7*time.Second },
	"by time, short segments": func(d *decl.Store) { d.ByTime, d.Segment = true, 20*time.Second },
}

// TestWindowsAgreeWithAMap runs random writes, aborts, commits and restarts on all kinds of window stores, and compares all
// reads with a map that knows what must be hidden and what refused.
func TestWindowsAgreeWithAMap(t *testing.T) {
	for engine := range engines {
		for kind, change := range windowStores {
			t.Run(engine+"/"+kind, func(t *testing.T) {
				for seed := range seeds(engine) {
					d := store.NewWindow("rows", serde.String, serde.Int64, 10*time.Second, 3*time.Minute).Decl()
					change(d)
					compareWindows(t, newWorld(t, engine, d, seed), newModel(d))
				}
			})
		}
	}
}

// seeds returns with which numbers to begin: a disk is slow.
func seeds(engine string) uint64 {
	if engine == "memstore" {
		return 4
	}
	return 1
}

func compareWindows(t *testing.T, w *world, m *model) {
	advance := max(w.d.Advance.Milliseconds(), 1000) // so that windows of several keys start together
	now, keep, dropped := int64(1_000_000), int64(0), 0
	s := rows.OpenWindow[string, int64](w, node, w.d)
	s.KeepFrom(keep)
	time := func() int64 { return max(0, now+w.rng.Int64N(10*minute)-9*minute) / advance * advance }
	for n := range 2500 {
		k, start := keys[w.rng.IntN(len(keys))], time()
		c, v := cell{at: start, key: k}, held{int64(n), start + 5}
		switch w.rng.IntN(20) {
		default:
			if got, want := s.Write(k, start, v.v, v.time), m.write(c, v, true); got != want {
				t.Fatalf("write %d of %d: taken %v, want %v", n, start, got, want)
			}
			now += w.rng.Int64N(2000)
		case 0, 1:
			if got, want := s.Remove(k, start), m.write(c, held{}, false); got != want {
				t.Fatalf("removal %d of %d: taken %v, want %v", n, start, got, want)
			}
		case 2, 3:
			v, at, ok := s.Find(k, start)
			h, want := m.rows[c]
			if want = want && m.shows(start); ok != want || ok && (held{v, at}) != h {
				t.Fatalf("%q at %d is %d/%d %v, want %v %v", k, start, v, at, ok, h, want)
			}
		case 4, 5, 6:
			to, reverse, most := start+w.rng.Int64N(3*minute), w.rng.IntN(2) == 0, 1+w.rng.IntN(100)
			got, n := []string{}, 0
			s.Fetch(k, start, to, reverse, func(start int64, v, time int64) bool {
				n++
				got = append(got, spell(cell{at: start, key: k}, held{v, time}))
				return n < most
			})
			want := strings.SplitAfter(m.text(func(c cell) bool { return c.key == k && c.at >= start && c.at <= to && m.shows(c.at) }), " ")
			want = want[:len(want)-1]
			if reverse {
				slices.Reverse(want)
			}
			want = want[:min(most, len(want))]
			if !slices.Equal(got, want) {
				t.Fatalf("%q from %d to %d (reverse %v): %v, want %v", k, start, to, reverse, got, want)
			}
		case 7:
			checkAllWindows(t, s, m, k, keys[w.rng.IntN(len(keys))], start, start+w.rng.Int64N(5*minute))
		case 8:
			var got []string
			s.Dirty(true, func(d rows.Dirty[window.Key[string], int64]) {
				got = append(got, dirtyText(cell{at: d.Key.Start().UnixMilli(), key: d.Key.Key}, d.Old, d.HasOld, held{d.New, d.Time}, d.HasNew))
			})
			slices.Sort(got)
			if got, want := strings.Join(got, " "), m.dirty(); got != want {
				t.Fatalf("dirty are\n%s, want\n%s", got, want)
			}
		case 9:
			w.commit()
			m.commit()
			keep = max(keep, now-w.rng.Int64N(20*minute))
			s.KeepFrom(keep)
		case 10:
			if w.rng.IntN(3) == 0 {
				w.abort()
				m.abort()
			}
		case 11:
			if !w.restarts() {
				break
			}
			dropped += w.dropped
			w.restart()
			m.abort()
			s = rows.OpenWindow[string, int64](w, node, w.d)
			s.KeepFrom(keep)
			checkAllWindows(t, s, m, "", "\xff\xff", 0, math.MaxInt64)
		}
		if s.Observed() != m.observed && m.observed != m.was {
			t.Fatalf("observed is %d, want %d", s.Observed(), m.observed)
		}
	}
	checkAllWindows(t, s, m, "", "\xff\xff", 0, math.MaxInt64)
	checkKept(t, m, keep, func(f func(c cell, h held)) {
		s.Kept(keep, math.MaxInt64, func(k string, start int64, v, time int64) bool {
			f(cell{at: start, key: k}, held{v, time})
			return true
		})
	})
	if dropped+w.dropped != m.dropped || m.dropped == 0 {
		t.Fatalf("%d writes were counted as too late, want %d", dropped+w.dropped, m.dropped)
	}
}

// checkKept finds all rows that must not be given up; others that are found were refused at some time.
func checkKept(t *testing.T, m *model, keep int64, kept func(f func(c cell, h held))) {
	t.Helper()
	found := map[cell]held{}
	kept(func(c cell, h held) { found[c] = h })
	for c, h := range m.rows {
		if c.at >= keep && found[c] != h {
			t.Fatalf("%s is %v, want it kept from %d on", spell(c, h), found[c], keep)
		}
	}
	for c, h := range found {
		if m.rows[c] != h && !m.refuses(c.at) {
			t.Fatalf("%s is kept, and was never there", spell(c, h))
		}
	}
}

func checkAllWindows(t *testing.T, s *rows.Window[string, int64], m *model, a, b string, from, to int64) {
	t.Helper()
	for _, within := range []bool{false, true} {
		got := ""
		f := func(k string, start int64, v, time int64) bool {
			got += spell(cell{at: start, key: k}, held{v, time})
			return true
		}
		if within {
			s.FetchRange(a, b, from, to, f)
		} else {
			s.FetchAll(from, to, f)
		}
		want := m.text(func(c cell) bool {
			return c.at >= from && c.at <= to && m.shows(c.at) && (!within || a <= c.key && c.key <= b)
		})
		if got != want {
			t.Fatalf("from %d to %d (keys %v):\n%s, want\n%s", from, to, within, got, want)
		}
	}
}
