package rows_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/store/pebblestore"
)

func forgetfulDecl(opts ...store.Option) *decl.Store {
	return store.NewKeyValue("rows", serde.String, serde.String, opts...).Decl()
}

// A cache is the dumb model of a store of the rows used last.
type cache struct {
	rows map[string]string
	used []string // last one last
}

func (c *cache) use(k string) {
	c.used = append(slices.DeleteFunc(c.used, func(have string) bool { return have == k }), k)
}

func (c *cache) clone() cache { return cache{maps.Clone(c.rows), slices.Clone(c.used)} }

func TestRowsUsedLastStayOverAbortsAndRestarts(t *testing.T) {
	engine := pebblestore.NewEngine(64<<20, nil)
	defer func() { check(t, engine.Close()) }()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 4))
		most := 1 + r.IntN(4)
		e := newChangelogged(forgetfulDecl(store.LRU(most)))
		onDisk, dir := seed%100 == 0, ""
		if onDisk {
			dir = t.TempDir()
			e.db = openPebble(t, engine, dir)
		}
		var forgot, lost []string
		open := func() *rows.KeyValue[string, string] {
			s := rows.Open[string, string](e, node, e.d)
			s.Forgets(func(key []byte, k, old string, at int64) {
				forgot = append(forgot, fmt.Sprint(string(key), k, old, at))
			})
			return s
		}
		s := open()
		model := cache{rows: map[string]string{}}
		saved := model.clone()
		for step := range 150 {
			k := fmt.Sprint("k", r.IntN(6))
			e.meta.Time = int64(step)
			switch op := r.IntN(100); {
			case op < 40:
				v := fmt.Sprint("v", step)
				s.Put(k, v)
				model.rows[k] = v
				model.use(k)
				for len(model.used) > most {
					old := model.used[0]
					lost = append(lost, fmt.Sprint(old, old, model.rows[old], step))
					delete(model.rows, old)
					model.used = model.used[1:]
				}
			case op < 70:
				got, ok := s.Get(k)
				want, has := model.rows[k]
				if ok != has || got != want {
					t.Fatalf("seed %d step %d: %s is %q, %v: want %q, %v", seed, step, k, got, ok, want, has)
				}
				if has {
					model.use(k)
				}
			case op < 78:
				s.Delete(k)
				delete(model.rows, k)
				model.used = slices.DeleteFunc(model.used, func(have string) bool { return have == k })
			case op < 86:
				e.commit(t)
				saved = model.clone()
			case op < 93:
				e.abort()
				model = saved.clone()
			case op < 96 && onDisk:
				e.abort()
				check(t, e.db.Close())
				e.db = openPebble(t, engine, dir)
				s, model = open(), saved.clone()
			default:
				e.abort()
				if onDisk {
					check(t, e.db.Close())
					dir = t.TempDir()
					e.restore(t, openPebble(t, engine, dir), 1+r.IntN(10))
				} else {
					e.restore(t, memstore.Open("rows"), 1+r.IntN(10))
				}
				saved.used = nil // what was read last is not in the changelog: what was written last counts
				for _, entry := range e.topic {
					if entry.Value != nil {
						saved.use(string(entry.Key))
					}
				}
				saved.used = slices.DeleteFunc(saved.used, func(k string) bool { _, ok := saved.rows[k]; return !ok })
				s, model = open(), saved.clone()
			}
			if got := maps.Collect(s.All()); !maps.Equal(got, model.rows) || s.Len() != len(got) {
				t.Fatalf("seed %d step %d: the rows are %v, want %v", seed, step, got, model.rows)
			}
			if !slices.Equal(forgot, lost) {
				t.Fatalf("seed %d step %d: forgot %v, want %v", seed, step, forgot, lost)
			}
		}
		check(t, e.db.Close())
	}
}

func TestRowsNotWrittenForTheirTimeToLiveAreGone(t *testing.T) {
	const ttl = 10
	type row struct {
		value string
		at    int64
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 5))
		opts := []store.Option{store.TTL(ttl * time.Millisecond)}
		e := newChangelogged(forgetfulDecl(opts...))
		var forgot []string
		open := func() *rows.KeyValue[string, string] {
			s := rows.Open[string, string](e, node, e.d)
			s.Forgets(func(_ []byte, k, old string, at int64) { forgot = append(forgot, fmt.Sprint(k, old, at)) })
			return s
		}
		s := open()
		model, saved := map[string]row{}, map[string]row{}
		committed := int64(0)
		for step := range 150 {
			k := fmt.Sprint("k", r.IntN(5))
			switch op := r.IntN(100); {
			case op < 50:
				e.stream += int64(r.IntN(4))
				e.meta.Time = max(0, e.stream-int64(r.IntN(8)))
				v := fmt.Sprint("v", step)
				s.Put(k, v)
				model[k] = row{v, e.meta.Time}
			case op < 60:
				s.Delete(k)
				delete(model, k) // also one that is not seen any more
			case op < 75:
				var want []string
				for k, r := range model {
					if r.at <= e.stream-ttl {
						want = append(want, fmt.Sprint(k, r.value, r.at+ttl))
						delete(model, k)
					}
				}
				forgot = nil
				s.Expire()
				slices.Sort(want)
				slices.Sort(forgot)
				if !slices.Equal(forgot, want) {
					t.Fatalf("seed %d: forgot %v, want %v", seed, forgot, want)
				}
				e.commit(t)
				saved, committed = maps.Clone(model), e.stream
			case op < 85:
				e.abort()
				model, e.stream = maps.Clone(saved), committed
			case op < 92:
				e.abort()
				e.restore(t, memstore.Open("rows"), 1+r.IntN(10))
				s, model, e.stream = open(), maps.Clone(saved), committed
			}
			want := map[string]string{}
			for k, r := range model {
				if r.at > e.stream-ttl {
					want[k] = r.value
				}
			}
			if got := maps.Collect(s.All()); !maps.Equal(got, want) || s.Len() != len(want) {
				t.Fatalf("seed %d step %d: the rows are %v, want %v", seed, step, got, want)
			}
			if got, ok := s.Get(k); got != want[k] || ok != (want[k] != "") {
				t.Fatalf("seed %d step %d: %s is %q, %v: want %q", seed, step, k, got, ok, want[k])
			}
		}
		n := 0
		for it := e.db.Range(e.db.Prefix("rows"), nil, false); it.Next(); {
			n++
		}
		if e.stream += 100; n > 0 {
			s.Expire()
			if it := e.db.Range(e.db.Prefix("rows"), nil, false); it.Next() {
				t.Fatalf("seed %d: %q is left of rows that nobody can see", seed, it.Key())
			}
		}
		check(t, e.db.Close())
	}
}

func TestRowsKeepHeadersWhereAsked(t *testing.T) {
	e := newChangelogged(forgetfulDecl(store.Headers()))
	s := rows.Open[string, string](e, node, e.d)
	e.meta.Headers = []record.Header{{Key: "h", Value: []byte("x")}, {Key: "n"}}
	s.Put("a", "1")
	e.meta.Headers = nil
	s.Put("b", "2")
	e.commit(t)
	for range 2 {
		want(t, show(s.All()), "a=1 b=2")
		want(t, fmt.Sprint(s.Headers("a"), s.Headers("b"), s.Headers("c")), "[{h [120]} {n []}] [] []")
		if v := s.Headers("a")[1].Value; v != nil {
			t.Errorf("a header without a value has %v", v)
		}
		e.restore(t, memstore.Open("rows"), 1)
		s = rows.Open[string, string](e, node, e.d)
	}
	want(t, len(e.topic[0].Headers), 2)
	want(t, string(e.topic[0].Value), "1")
}

func TestForgettingIsForKeyValueStores(t *testing.T) {
	for _, opt := range []store.Option{store.LRU(3), store.TTL(time.Second), store.Headers()} {
		d := store.NewVersioned("v", serde.String, serde.String, time.Hour, opt).Decl()
		if d.Err == nil || !strings.Contains(d.Err.Error(), "for key-value stores") {
			t.Errorf("a versioned store takes the option: %v", d.Err)
		}
	}
}
