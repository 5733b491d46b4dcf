package rows_test

import (
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

var sessionStores = map[string]func(d *decl.Store){
	"plain":                   func(*decl.Store) {},
	"by time":                 func(d *decl.Store) { d.ByTime = true },
	"in memory":               func(d *decl.Store) { d.InMemory = true },
	"by time, short segments": func(d *decl.Store) { d.ByTime, d.Segment = true, 20*time.Second },
}

// TestSessionsAgreeWithAMap is TestWindowsAgreeWithAMap for sessions.
func TestSessionsAgreeWithAMap(t *testing.T) {
	for engine := range engines {
		for kind, change := range sessionStores {
			t.Run(engine+"/"+kind, func(t *testing.T) {
				for seed := range seeds(engine) {
					d := store.NewSession("rows", serde.String, serde.Int64, 3*time.Minute).Decl()
					change(d)
					compareSessions(t, newWorld(t, engine, d, seed), newModel(d))
				}
			})
		}
	}
}

func compareSessions(t *testing.T, w *world, m *model) {
	now, keep, dropped := int64(1_000_000), int64(0), 0
	s := rows.OpenSession[string, int64](w, node, w.d)
	s.KeepFrom(keep)
	for n := range 2500 {
		k, end := keys[w.rng.IntN(len(keys))], max(0, now+w.rng.Int64N(10*minute)-9*minute)/1000*1000
		start := max(0, end-1000*w.rng.Int64N(100))
		c, v := cell{at: end, then: start, key: k}, held{int64(n), end + 5}
		switch w.rng.IntN(20) {
		default:
			if got, want := s.Write(k, start, end, v.v, v.time), m.write(c, v, true); got != want {
				t.Fatalf("write %d of %d: taken %v, want %v", n, end, got, want)
			}
			now += w.rng.Int64N(2000)
		case 0, 1:
			if got, want := s.Remove(k, start, end), m.write(c, held{}, false); got != want {
				t.Fatalf("removal %d of %d: taken %v, want %v", n, end, got, want)
			}
		case 2, 3:
			v, at, ok := s.Find(k, start, end)
			h, want := m.rows[c]
			if want = want && m.shows(end); ok != want || ok && (held{v, at}) != h {
				t.Fatalf("%q from %d to %d is %d/%d %v, want %v %v", k, start, end, v, at, ok, h, want)
			}
		case 4, 5, 6:
			latest, most := start+w.rng.Int64N(3*minute), 1+w.rng.IntN(100)
			got, n := []string{}, 0
			s.Overlapping(k, end, latest, func(start, end int64, v, time int64) bool {
				n++
				got = append(got, spell(cell{end, start, k}, held{v, time}))
				return n < most
			})
			want := strings.SplitAfter(m.text(func(c cell) bool { return c.key == k && c.at >= end && c.then <= latest && m.shows(c.at) }), " ")
			want = want[:min(most, len(want)-1)]
			if !slices.Equal(got, want) {
				t.Fatalf("%q ending from %d on, starting up to %d: %v, want %v", k, end, latest, got, want)
			}
		case 7:
			checkAllSessions(t, s, m, end, end+w.rng.Int64N(5*minute))
			got := ""
			s.FetchKey(k, func(start, end int64, v, time int64) bool {
				got += spell(cell{end, start, k}, held{v, time})
				return true
			})
			if want := m.text(func(c cell) bool { return c.key == k && m.shows(c.at) }); got != want {
				t.Fatalf("sessions of %q are %s, want %s", k, got, want)
			}
		case 8:
			var got []string
			s.Dirty(true, func(d rows.Dirty[window.Key[string], int64]) {
				c := cell{d.Key.End().UnixMilli(), d.Key.Start().UnixMilli(), d.Key.Key}
				got = append(got, dirtyText(c, d.Old, d.HasOld, held{d.New, d.Time}, d.HasNew))
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
			s = rows.OpenSession[string, int64](w, node, w.d)
			s.KeepFrom(keep)
			checkAllSessions(t, s, m, 0, math.MaxInt64)
		}
	}
	checkAllSessions(t, s, m, 0, math.MaxInt64)
	checkKept(t, m, keep, func(f func(c cell, h held)) {
		s.Kept(keep, math.MaxInt64, func(k string, start, end int64, v, time int64) bool {
			f(cell{end, start, k}, held{v, time})
			return true
		})
	})
	if dropped+w.dropped != m.dropped || m.dropped == 0 {
		t.Fatalf("%d writes were counted as too late, want %d", dropped+w.dropped, m.dropped)
	}
}

func checkAllSessions(t *testing.T, s *rows.Session[string, int64], m *model, from, to int64) {
	t.Helper()
	got := ""
	s.FetchAll(from, to, func(k string, start, end int64, v, time int64) bool {
		got += spell(cell{end, start, k}, held{v, time})
		return true
	})
	if want := m.text(func(c cell) bool { return c.at >= from && c.at <= to && m.shows(c.at) }); got != want {
		t.Fatalf("from %d to %d:\n%s, want\n%s", from, to, got, want)
	}
}
