package rows_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/changelog"
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/layout"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/store/pebblestore"
)

// changelogged is a task with a changelog, which outlives its databases. Drops are counted by reason.
type changelogged struct {
	*env
	d       *decl.Store
	logs    []changelog.Entry // of the open transaction, that no row says
	topic   []changelog.Entry
	reasons map[string]int
	stream  int64
}

func (e *changelogged) StreamTime() int64 { return e.stream }

func (e *changelogged) Drop(_ *graph.Node, reason string) { e.reasons[reason]++ }

func (e *changelogged) Log(_ *decl.Store, key, value []byte, headers []record.Header, time int64) {
	e.logs = append(e.logs, changelog.Entry{Key: key, Value: value, Headers: headers, Time: time})
}

func (e *changelogged) commit(t testing.TB) {
	format, prefix := layout.Of(e.d), e.db.Prefix(e.d.Name)
	e.db.Dirty(prefix, func(d store.Dirty) bool {
		if d.Had || d.Has {
			if entry, ok := format.Record(&e.arena, d.Key[len(prefix):], d.Value, d.Has, e.meta.Time); ok {
				e.topic = append(e.topic, entry)
			}
		}
		return true
	})
	e.topic = append(e.topic, e.logs...)
	e.logs = nil
	check(t, e.db.Commit())
}

func (e *changelogged) abort() {
	e.db.Abort()
	e.logs = nil
	for _, f := range e.onRollback {
		f()
	}
}

// restore fills a new database from the changelog, some records at a time: each time by another process, as if the ones
// before had been killed.
func (e *changelogged) restore(t testing.TB, db store.DB, batch int) {
	t.Helper()
	e.db = db
	at := int64(0)
	for entries := range slices.Chunk(e.topic, batch) {
		r := changelog.NewRestore(e.d, store.Checkpoint{Changelog: "log", Offset: at}, int64(len(e.topic)), db.Prefix(e.d.Name), db)
		at += int64(len(entries))
		check(t, r.Feed(entries, at))
	}
}

func newChangelogged(d *decl.Store) *changelogged {
	return &changelogged{env: newEnv(memstore.Open(d.Name)), d: d, reasons: map[string]int{}}
}

func ms(n int64) time.Time { return time.UnixMilli(n) }

// state shows a versioned store: the newest version of each key, and what held at the given times.
func state(s *rows.Versioned[string, string], keys []string, times []int64) string {
	var b strings.Builder
	for _, k := range keys {
		row, ok := s.Get(k)
		fmt.Fprintf(&b, "%s: %s", k, versionText(row, ok, false))
		for _, at := range times {
			row, ok := s.GetAsOf(k, ms(at))
			fmt.Fprintf(&b, " %d:%s", at, versionText(row, ok, true))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func versionText(r store.Row[string], ok, until bool) string {
	switch {
	case !ok:
		return "-"
	case until && !r.Until.IsZero():
		return fmt.Sprintf("%s@%d-%d", r.Value, r.Time.UnixMilli(), r.Until.UnixMilli())
	}
	return fmt.Sprintf("%s@%d", r.Value, r.Time.UnixMilli())
}

func TestVersionsHoldFromTheirTimeToTheNext(t *testing.T) {
	e := newChangelogged(store.NewVersioned("rows", serde.String, serde.String, 100*time.Millisecond).Decl())
	s := rows.OpenVersioned[string, string](e, node, e.d)
	for _, p := range []struct {
		value string
		at    int64
		until int64 // 0: newest, -1: refused
	}{
		{"a", 10, 0}, {"c", 30, 0}, {"b", 20, 30}, {"b2", 20, 30}, {"f", 130, 0}, {"d", 30, 130}, {"late", 29, -1},
	} {
		until, ok := s.Put("k", p.value, ms(p.at))
		got := int64(-1)
		if ok {
			if got = 0; !until.IsZero() {
				got = until.UnixMilli()
			}
		}
		if got != p.until {
			t.Errorf("put %s at %d: until %d, want %d", p.value, p.at, got, p.until)
		}
	}
	want(t, state(s, []string{"k"}, []int64{10, 29, 30, 129, 130, 500}), "k: f@130 10:- 29:- 30:d@30-130 129:d@30-130 130:f@130 500:f@130\n")
	if row, ok := s.Delete("k", ms(131)); !ok || row.Value != "f" {
		t.Errorf("deleting returned %v, %v", row, ok)
	}
	want(t, state(s, []string{"k", "other"}, []int64{130, 131}), "k: - 130:f@130-131 131:-\nother: - 130:- 131:-\n")
	var history []string
	for row := range s.History("k", ms(0), ms(1000)) {
		history = append(history, versionText(row, true, true))
	}
	want(t, fmt.Sprint(history), "[f@130-131 d@30-130]")
	want(t, e.reasons[rows.TooOld], 1)
}

// A key that is another one and the beginning of a version of it lies between the versions of that one.
func TestVersionsOfKeysThatLookLikeVersionsAreNotMixedUp(t *testing.T) {
	e := newChangelogged(store.NewVersioned("rows", serde.String, serde.String, 100*time.Millisecond).Decl())
	s := rows.OpenVersioned[string, string](e, node, e.d)
	strange := "k" + string(layout.AppendVersion(nil, 20)) + "x"
	s.Put("k", "a", ms(10))
	s.Put("k", "b", ms(30))
	s.Put(strange, "strange", ms(25))
	want(t, state(s, []string{"k"}, []int64{10, 20, 25, 30}), "k: b@30 10:a@10-30 20:a@10-30 25:a@10-30 30:b@30\n")
	want(t, state(s, []string{strange}, []int64{24, 25}), strange+": strange@25 24:- 25:strange@25\n")
	row, _ := s.GetAsOf("k", ms(12))
	want(t, row.Value, "a")
}

func TestARestoreDoesNotMixUpKeysThatLookLikeVersions(t *testing.T) {
	e := newChangelogged(store.NewVersioned("rows", serde.String, serde.String, 100*time.Millisecond).Decl())
	s := rows.OpenVersioned[string, string](e, node, e.d)
	s.Put("k"+string(layout.AppendVersion(nil, 20))+"x", "strange", ms(25))
	s.Put("k", "gone", ms(12))
	s.Delete("k", ms(12)) // leaves no trace, since nothing is newer
	s.Put("k", "old", ms(3))
	e.commit(t)
	for _, batch := range []int{1, 4} {
		e.restore(t, memstore.Open("rows"), batch)
		want(t, state(rows.OpenVersioned[string, string](e, node, e.d), []string{"k"}, nil), "k: old@3\n")
	}
}

func TestARefusedPutIsLoggedAndRefusedAgainByARestore(t *testing.T) {
	for _, batch := range []int{1, 2, 100} {
		e := newChangelogged(store.NewVersioned("rows", serde.String, serde.String, 100*time.Millisecond).Decl())
		s := rows.OpenVersioned[string, string](e, node, e.d)
		s.Put("k", "new", ms(500))
		e.commit(t)
		s.Put("j", "old", ms(399))
		s.Put("k", "old", ms(399))
		e.commit(t)
		if len(e.topic) != 3 || string(e.topic[1].Value) != "old" || e.topic[1].Time != 399 {
			t.Fatalf("the changelog is %v: want the refused puts too", e.topic)
		}
		before := state(s, []string{"j", "k"}, []int64{399, 400, 500})
		e.restore(t, memstore.Open("rows"), batch)
		s = rows.OpenVersioned[string, string](e, node, e.d)
		want(t, state(s, []string{"j", "k"}, []int64{399, 400, 500}), before)
		if _, ok := s.Put("j", "old", ms(399)); ok {
			t.Error("the restored store takes what it refused before")
		}
	}
}

// A restore that begins in the middle of the changelog knows what came before from the rows that are there.
func TestARestoreOfTheTailRefusesWhatTheWholeRefuses(t *testing.T) {
	e := newChangelogged(store.NewVersioned("rows", serde.String, serde.String, 100*time.Millisecond).Decl())
	s := rows.OpenVersioned[string, string](e, node, e.d)
	s.Put("k", "new", ms(500))
	e.commit(t)
	prefix := e.db.Prefix("rows")
	r := changelog.NewRestore(e.d, store.Checkpoint{Changelog: "log", Offset: 1}, 2, prefix, e.db)
	check(t, r.Feed([]changelog.Entry{{Key: []byte("j"), Value: []byte("old"), Time: 399}}, 2))
	want(t, state(s, []string{"j", "k"}, []int64{450}), "j: - 450:-\nk: new@500 450:-\n")
}

func TestSeveralVersionsOfAKeyInOneTransactionAreAllRestored(t *testing.T) {
	e := newChangelogged(store.NewVersioned("rows", serde.String, serde.String, time.Second).Decl())
	s := rows.OpenVersioned[string, string](e, node, e.d)
	s.Put("k", "a", ms(10))
	s.Put("k", "c", ms(30))
	s.Put("k", "b", ms(20))
	s.Delete("k", ms(25))
	s.Put("k", "b2", ms(20))
	e.commit(t)
	want(t, len(e.topic), 5) // each put, also of the version that was put again
	before := state(s, []string{"k"}, []int64{9, 10, 20, 25, 30})
	e.restore(t, memstore.Open("rows"), 3)
	want(t, state(rows.OpenVersioned[string, string](e, node, e.d), []string{"k"}, []int64{9, 10, 20, 25, 30}), before)
}

// A deletion at the very time of the only version leaves nothing, and an older put is the newest version then, as in Kafka
// Streams; also where the put and the deletion are one record of the changelog.
func TestADeletionThatLeftNoTraceLeavesNoneAfterARestore(t *testing.T) {
	for _, together := range []bool{true, false} {
		e := newChangelogged(store.NewVersioned("rows", serde.String, serde.String, time.Second).Decl())
		s := rows.OpenVersioned[string, string](e, node, e.d)
		s.Put("k", "gone", ms(4))
		if !together {
			e.commit(t)
		}
		s.Delete("k", ms(4))
		e.commit(t)
		e.restore(t, memstore.Open("rows"), 1)
		s = rows.OpenVersioned[string, string](e, node, e.d)
		if until, ok := s.Put("k", "old", ms(0)); !ok || !until.IsZero() {
			t.Errorf("together %v: the older put holds until %v, %v: want it to be the newest", together, until, ok)
		}
		e.commit(t)
		e.restore(t, memstore.Open("rows"), 1)
		want(t, state(rows.OpenVersioned[string, string](e, node, e.d), []string{"k"}, []int64{0, 4}), "k: old@0 0:old@0 4:old@0\n")
	}
}

func TestVersionsNobodyCanAskForAreRemoved(t *testing.T) {
	e := newChangelogged(store.NewVersioned("rows", serde.String, serde.String, 100*time.Millisecond).Decl())
	s := rows.OpenVersioned[string, string](e, node, e.d)
	for i := range int64(20_000) { // each key is put twice and deleted
		k := fmt.Sprint("key-", i)
		s.Put(k, "a", ms(10*i))
		s.Put(k, "b", ms(10*i+1))
		s.Delete(k, ms(10*i+2))
		if i%100 == 0 {
			e.commit(t)
			e.topic = nil
		}
	}
	n := 0
	prefix := e.db.Prefix("rows")
	for it := e.db.Range(prefix, nil, false); it.Next(); {
		n++
	}
	if n > 30_000 {
		t.Errorf("%d rows are left of 60,000, of which some 30 can be asked for", n)
	}
}

// versions is what Kafka Streams keeps of one key: the newest version in one place, and what was replaced as stretches from
// one time to the next. A deletion that nothing follows is a stretch of no length, or the end of one.
type versions struct {
	latest    *stretch
	stretches []stretch
	gone      []int64 // deletions that left no trace
}

type stretch struct {
	from, to int64
	value    *string
}

// put is the algorithm of Kafka Streams' RocksDBVersionedStore without its segments. It returns when the version ends, -1 if it
// is the newest.
func (v *versions) put(value *string, at int64) int64 {
	v.gone = slices.DeleteFunc(v.gone, func(t int64) bool { return t == at })
	found := int64(-1)
	if l := v.latest; l != nil && at >= l.from {
		if at > l.from {
			v.stretches = append(v.stretches, stretch{l.from, at, l.value})
		} else if value == nil && !v.edge(at) {
			v.gone = append(v.gone, at)
		}
		if v.latest = nil; value != nil {
			v.latest = &stretch{from: at, value: value}
		}
		return -1
	} else if l != nil {
		found = l.from
	}
	for i := range v.stretches {
		s := &v.stretches[i]
		if s.from <= at && at < s.to {
			end := s.to
			if s.from == at {
				s.value = value
			} else {
				s.to = at
				v.stretches = append(v.stretches, stretch{at, end, value})
			}
			return end
		}
		if s.from > at && (found < 0 || s.from < found) {
			found = s.from
		}
	}
	switch {
	case found >= 0:
		v.stretches = append(v.stretches, stretch{at, found, value})
	case value != nil:
		v.latest = &stretch{from: at, value: value}
	case !v.edge(at):
		v.stretches = append(v.stretches, stretch{at, at, nil})
	}
	return found
}

// edge reports whether a stretch ends or begins at a time.
func (v *versions) edge(at int64) bool {
	return slices.ContainsFunc(v.stretches, func(s stretch) bool { return s.to == at || s.from == at })
}

func (v *versions) asOf(at, horizon int64) *stretch {
	if v.latest != nil && v.latest.from <= at {
		return v.latest
	}
	if at < horizon {
		return nil
	}
	for i := range v.stretches {
		if s := &v.stretches[i]; s.from <= at && at < s.to && s.value != nil {
			return s
		}
	}
	return nil
}

func (v *versions) clone() *versions {
	return &versions{v.latest, slices.Clone(v.stretches), slices.Clone(v.gone)}
}

type history struct {
	keys  map[string]*versions
	clock int64
}

func (h history) clone() history {
	keys := map[string]*versions{}
	for k, v := range h.keys {
		keys[k] = v.clone()
	}
	return history{keys, h.clock}
}

func TestVersionsAgreeWithKafkaStreamsOverAbortsAndRestarts(t *testing.T) {
	const reach = 40
	engine := pebblestore.NewEngine(64<<20, nil)
	defer func() { check(t, engine.Close()) }()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		d := store.NewVersioned("rows", serde.String, serde.String, reach*time.Millisecond).Decl()
		e := newChangelogged(d)
		s := rows.OpenVersioned[string, string](e, node, d)
		dir := ""
		if seed%100 == 0 {
			dir = t.TempDir()
			e.db = openPebble(t, engine, dir)
			s = rows.OpenVersioned[string, string](e, node, d)
		}
		keys := []string{"a", "b", "ab"}
		model := history{map[string]*versions{}, -1}
		for _, k := range keys {
			model.keys[k] = &versions{}
		}
		saved := model.clone()
		now := int64(0)
		var script []string
		fail := func(format string, a ...any) {
			t.Helper()
			t.Fatalf("seed %d: %s\n%s", seed, fmt.Sprintf(format, a...), strings.Join(script, "\n"))
		}
		for range 120 {
			switch op := r.IntN(100); {
			case op < 80:
				k := keys[r.IntN(len(keys))]
				now += int64(r.IntN(6))
				at := max(0, now-int64(r.IntN(12))*int64(r.IntN(6)))
				if seed%2 == 0 { // few times, many puts of each
					at = at / 15 * 15
				}
				value := fmt.Sprint("v", r.IntN(1000))
				var p *string
				if r.IntN(3) > 0 {
					p = &value
				}
				script = append(script, fmt.Sprintf("put %s=%v at %d", k, p != nil, at))
				w := s.Set(k, value, p != nil, at, true)
				v := model.keys[k]
				if refused := at < model.clock-reach; refused != w.Refused {
					fail("refused is %v", w.Refused)
				} else if refused {
					continue
				}
				if w.HasOld != (v.latest != nil) || w.HasOld && w.Old != *v.latest.value {
					fail("the newest before was %q, %v", w.Old, w.HasOld)
				}
				model.clock = max(model.clock, at)
				end := v.put(p, at)
				if w.Latest != (end < 0) || !w.Latest && w.Until != end {
					fail("until %d, newest %v: want %d", w.Until, w.Latest, end)
				}
			case op < 90:
				script = append(script, "commit")
				e.commit(t)
				saved = model.clone()
			case op < 94:
				script = append(script, "abort")
				e.abort()
				model = saved.clone()
			case op < 97 && dir != "":
				script = append(script, "reopen")
				e.abort()
				check(t, e.db.Close())
				e.db = openPebble(t, engine, dir)
				s = rows.OpenVersioned[string, string](e, node, d)
				model = saved.clone()
			default:
				script = append(script, "restore")
				if dir != "" {
					check(t, e.db.Close())
					dir = t.TempDir()
					e.restore(t, openPebble(t, engine, dir), 1+r.IntN(20))
				} else {
					e.restore(t, memstore.Open("rows"), 1+r.IntN(20))
				}
				e.logs = nil
				s = rows.OpenVersioned[string, string](e, node, d)
				model = saved.clone()
			}
			for _, k := range keys {
				v := model.keys[k]
				if got, _, ok := s.Find(k); ok != (v.latest != nil) || ok && got != *v.latest.value {
					fail("the newest of %s is %q, %v", k, got, ok)
				}
				at := max(0, model.clock-int64(r.IntN(reach+5)))
				got, from, ok := s.FindAsOf(k, at)
				want := v.asOf(at, model.clock-reach)
				if ok != (want != nil) || ok && (got != *want.value || from != want.from) {
					fail("%s as of %d is %q from %d, %v: want %v", k, at, got, from, ok, want)
				}
			}
		}
		check(t, e.db.Close())
	}
}

func openPebble(t testing.TB, engine *pebblestore.Engine, dir string) store.DB {
	t.Helper()
	db, err := engine.Open(dir, []string{"rows"}, pebblestore.Options{})
	check(t, err)
	return db
}
