package rows_test

import (
	"math"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/changelog"
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/internal/wire"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
)

// everything is, per form of a store, what reads all that a restored store holds.
var everything = []struct {
	d    decl.Store
	read func(env graph.Env, d *decl.Store)
}{
	{decl.Store{}, readKeyValue},
	{decl.Store{Headers: true}, readKeyValue},
	{decl.Store{TTL: time.Hour, LRU: 3}, readKeyValue},
	{decl.Store{Kind: decl.Versioned, History: time.Hour}, readVersions},
	{decl.Store{Kind: decl.Window, Retention: time.Hour, Size: time.Second}, readWindows},
	{decl.Store{Kind: decl.Window, Retention: time.Hour, Size: time.Second, Advance: time.Second}, readWindows},
	{decl.Store{Kind: decl.Window, Retention: time.Hour, ByTime: true}, readWindows},
	{decl.Store{Kind: decl.Session, Retention: time.Hour}, readSessions},
	{decl.Store{Kind: decl.Session, Retention: time.Hour, ByTime: true}, readSessions},
	{decl.Store{Kind: decl.Window, Duplicates: true, Retention: time.Hour}, readDuplicates},
	{decl.Store{Kind: decl.Suppressed}, readSuppressed},
	{decl.Store{Kind: decl.Held}, readHeld},
	{decl.Store{}, readUnmatched},
}

var origin5 = wire.Origin{Time: 5, At: record.Position{Topic: "in"}}

// apart is a task whose clocks are not one.
type apart struct {
	*changelogged
	clocks map[string]*graph.Clock
}

func (a apart) Clock(name string) *graph.Clock {
	if a.clocks[name] == nil {
		a.clocks[name] = graph.NewClock(-1)
	}
	return a.clocks[name]
}

func readKeyValue(env graph.Env, d *decl.Store) {
	s := rows.Open[string, int16](env, node, d)
	for k := range s.All() {
		s.GetRow(k)
		s.Put(k, 1)
		s.Delete(k)
	}
	s.Expire()
}

func readVersions(env graph.Env, d *decl.Store) {
	s := rows.OpenVersioned[string, int16](env, node, d)
	for _, k := range []string{"", "key"} {
		s.Find(k)
		s.FindAsOf(k, 5)
		for range s.History(k, time.UnixMilli(0), time.UnixMilli(math.MaxInt64)) {
		}
		s.Set(k, 1, true, 5, true)
	}
}

func readWindows(env graph.Env, d *decl.Store) {
	s := rows.OpenWindow[string, int16](env, node, d)
	s.FetchAll(0, math.MaxInt64, func(k string, start int64, _ int16, _ int64) bool {
		s.Find(k, start)
		return true
	})
	s.Fetch("key", 0, 10_000, true, func(int64, int16, int64) bool { return true })
	s.Write("key", 5, 1, 5)
}

func readSessions(env graph.Env, d *decl.Store) {
	s := rows.OpenSession[string, int16](env, node, d)
	s.FetchAll(0, math.MaxInt64, func(k string, start, end int64, _ int16, _ int64) bool {
		s.Find(k, start, end)
		return true
	})
	s.Overlapping("key", 0, 10_000, func(int64, int64, int16, int64) bool { return true })
	s.Write("key", 5, 6, 1, 5)
}

func readDuplicates(env graph.Env, d *decl.Store) {
	s := rows.OpenDuplicates[string, int16](env, node, d)
	s.Fetch("key", s.Time()-10_000, s.Time(), func(int64, int16) bool { return true })
	s.Put("key", 1, true, 5, 5, nil)
}

func readSuppressed(env graph.Env, d *decl.Store) {
	s := rows.OpenSuppressed[string, int16](env, node, d, true)
	s.Size()
	s.Prior("key")
	s.Put("key", record.Change[int16]{New: 1, HasNew: true}, 5, &origin5)
	s.Drain(func(int64) bool { return true }, func(*rows.Buffered[string, int16]) {})
}

func readHeld(env graph.Env, d *decl.Store) {
	s := rows.OpenHeld[string, int16](env, node, d)
	s.Put("key", 1, &origin5)
	s.Drain(math.MaxInt64, func(*rows.HeldRecord[string, int16]) {})
}

func readUnmatched(env graph.Env, d *decl.Store) {
	s := rows.OpenUnmatched[string, int16, int32](env, node, d, serde.Int32)
	s.Earliest()
	s.Latest()
	s.Match(5, true, "key")
	s.Walk(0, func(w rows.Waiting[string, int16, int32]) bool {
		w.Each(func(string, int16) {}, func(string, int32) {})
		w.Remove()
		return true
	})
	s.AddLeft(5, "key", 1)
	s.AddLeft(5, "key", 2)
}

// FuzzRestored: whatever a changelog says is refused by the restore, or by whoever reads the row, who says so; or it is read.
func FuzzRestored(f *testing.F) {
	f.Add([]byte("key"), []byte("\x00\x07"), "", []byte(nil), int64(5), 0)
	f.Add([]byte("key"), []byte("\x00\x07"), "", []byte(nil), int64(5), 2)
	f.Add([]byte("key"), []byte("\x00\x07"), "millrace-flags", []byte{0x16}, int64(5), 3)
	f.Add([]byte("key\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00"), []byte("\x00\x07"), "", []byte(nil), int64(5), 4)
	f.Add([]byte("key\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x05"), []byte("\x00\x07"), "", []byte(nil), int64(5), 7)
	f.Add([]byte("key\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x01"), []byte("\x00\x07"), "", []byte(nil), int64(5), 9)
	buffered := "\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x02in\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x02\x00\x07\x00\x00\x00\x00\x00\x00\x00\x05"
	f.Add([]byte("key"), []byte(buffered), "v", []byte{3}, int64(5), 10)
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x05key\x00\x00\x00\x01"), []byte(buffered), "", []byte(nil), int64(5), 11)
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x05\x01key"), []byte("\x01\x00\x00\x00\x01\x00\x00\x00\x03\x01\x00\x07"), "", []byte(nil), int64(5), 12)
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x05\x01key"), []byte("\x01\xff\xff\xff\xff\x00\x00\x00\x03\x01\x00\x07"), "", []byte(nil), int64(5), 12)
	f.Fuzz(func(t *testing.T, key, value []byte, name string, text []byte, at int64, form int) {
		if form < 0 || form >= len(everything) {
			return
		}
		c := everything[form]
		c.d.Name, c.d.Key, c.d.Value = "rows", serde.Serde[string](serde.String), serde.Serde[int16](serde.Int16)
		e := newChangelogged(&c.d)
		db := memstore.Open("rows")
		defer func() { check(t, db.Close()) }()
		e.db = db
		r := changelog.NewRestore(&c.d, store.Checkpoint{Changelog: "log"}, 1, db.Prefix("rows"), db)
		entry := changelog.Entry{Key: append([]byte{}, key...), Value: append([]byte{}, value...), Time: at, Headers: []record.Header{{Key: name, Value: text}}}
		if r.Feed([]changelog.Entry{entry}, 1) != nil {
			return
		}
		defer func() {
			switch p := recover().(type) {
			case nil, record.Failure: // which says the store, and that another version wrote it
			default:
				panic(p)
			}
		}()
		c.read(apart{e, map[string]*graph.Clock{}}, &c.d)
	})
}
