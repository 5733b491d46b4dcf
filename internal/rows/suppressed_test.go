package rows_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/changelog"
	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/internal/wire"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/memstore"
	"github.com/millrace-streams/millrace/store/pebblestore"
)

func bufferDecl(kind decl.Kind) *decl.Store {
	d := store.NewKeyValue("rows", serde.String, serde.String).Decl()
	d.Kind, d.NoCache = kind, true
	return d
}

// waits is a change in the dumb model of a suppress buffer.
type waits struct {
	until           int64
	prior, old, new string // "": none
	time            int64
}

func (w waits) size(key string) int64 {
	n := 8 + len(key) + len(w.prior) + len(w.new) + 8 + 8 + len("in") + 4
	if w.old != w.prior {
		n += len(w.old)
	}
	return int64(n)
}

// order returns the keys in the order in which they are taken out.
func order(m map[string]waits) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[a].until, m[b].until), strings.Compare(a, b))
	})
}

func TestSuppressBuffersAgreeWithAMapOverAbortsAndRestarts(t *testing.T) {
	engine := pebblestore.NewEngine(64<<20, nil)
	defer func() { check(t, engine.Close()) }()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		e := newChangelogged(bufferDecl(decl.Suppressed))
		counted := seed%2 == 0
		onDisk := seed%100 == 0
		dir := ""
		if onDisk {
			dir = t.TempDir()
			e.db = openPebble(t, engine, dir)
		}
		open := func() *rows.Suppressed[string, string] {
			e.onRollback = nil
			return rows.OpenSuppressed[string, string](e, node, e.d, counted)
		}
		s := open()
		model := map[string]waits{}
		saved := map[string]waits{}
		for step := range 150 {
			k := fmt.Sprint("key", r.IntN(6))
			switch op := r.IntN(100); {
			case op < 60:
				value := func() string { return []string{"", "a", "bb"}[r.IntN(3)] }
				w := waits{until: int64(r.IntN(20)) - 5, old: value(), new: value(), time: int64(step)}
				w.prior = w.old
				if was, ok := model[k]; ok {
					w.until, w.prior = was.until, was.prior
				}
				model[k] = w
				s.Put(k, record.Change[string]{Old: w.old, HasOld: w.old != "", New: w.new, HasNew: w.new != ""}, w.until,
					&wire.Origin{Time: w.time, At: record.Position{Topic: "in", Offset: 7}, Headers: nil})
			case op < 75:
				until := int64(r.IntN(20)) - 5
				var got, want []string
				if s.Waits(until) {
					s.Drain(func(u int64) bool { return u <= until }, func(b *rows.Buffered[string, string]) {
						got = append(got, fmt.Sprint(b.Key, b.Change, b.Time, b.At))
						if _, _, waits := s.Prior(b.Key); !waits { // Kafka Streams has it in the buffer while it is sent
							t.Errorf("seed %d: %s does not wait while it is sent", seed, b.Key)
						}
					})
				}
				for _, k := range order(model) {
					if w := model[k]; w.until <= until {
						c := record.Change[string]{Old: w.old, HasOld: w.old != "", New: w.new, HasNew: w.new != ""}
						want = append(want, fmt.Sprint(k, c, w.time, record.Position{Topic: "in", Offset: 7}))
						delete(model, k)
					}
				}
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d: drained %v, want %v", seed, got, want)
				}
			case op < 85:
				e.commit(t)
				saved = maps.Clone(model)
			case op < 92:
				e.abort()
				model = maps.Clone(saved)
			case op < 96 && onDisk:
				e.abort()
				check(t, e.db.Close())
				e.db = openPebble(t, engine, dir)
				s = open()
				model = maps.Clone(saved)
			default:
				e.abort()
				if onDisk {
					check(t, e.db.Close())
					dir = t.TempDir()
					e.restore(t, openPebble(t, engine, dir), 1+r.IntN(10))
				} else {
					e.restore(t, memstore.Open("rows"), 1+r.IntN(10))
				}
				s = open()
				model = maps.Clone(saved)
			}
			if counted {
				var bytes int64
				for k, w := range model {
					bytes += w.size(k)
				}
				if n, b := s.Size(); n != len(model) || b != bytes {
					t.Fatalf("seed %d: %d changes of %d bytes wait, want %d of %d", seed, n, b, len(model), bytes)
				}
			}
			w, waits := model[k]
			if prior, ok, got := s.Prior(k); got != waits || ok != (w.prior != "") || prior != w.prior {
				t.Fatalf("seed %d: %s was %q, %v, %v before: want %q, %v", seed, k, prior, ok, got, w.prior, waits)
			}
		}
		check(t, e.db.Close())
	}
}

func TestASuppressBufferOfAnotherVersionIsRefused(t *testing.T) {
	for _, headers := range [][]record.Header{nil, {{Key: "v", Value: []byte{2}}}} {
		e := newChangelogged(bufferDecl(decl.Suppressed))
		r := changelog.NewRestore(e.d, store.Checkpoint{}, 1, e.db.Prefix("rows"), e.db)
		err := r.Feed([]changelog.Entry{{Key: []byte("k"), Value: make([]byte, 50), Headers: headers}}, 1)
		if err == nil || !strings.Contains(err.Error(), "this program reads 3") {
			t.Errorf("with headers %v: %v", headers, err)
		}
	}
}

func TestHeldRecordsComeOutInOrderOverAbortsAndRestarts(t *testing.T) {
	type held struct {
		key, value string
		at         int64
		n          int
	}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		e := newChangelogged(bufferDecl(decl.Held))
		open := func() *rows.Held[string, string] {
			e.onRollback = nil
			return rows.OpenHeld[string, string](e, node, e.d)
		}
		s := open()
		var model, saved []held
		for step := range 150 {
			switch op := r.IntN(100); {
			case op < 60:
				h := held{fmt.Sprint("k", r.IntN(3)), fmt.Sprint("v", step), int64(r.IntN(10)), step}
				model = append(model, h)
				s.Put(h.key, h.value, &wire.Origin{Time: h.at, At: record.Position{Topic: "in"}, Headers: []record.Header{{Key: "n"}}})
			case op < 75:
				until := int64(r.IntN(12))
				var got, want []string
				s.Drain(until, func(r *rows.HeldRecord[string, string]) {
					got = append(got, fmt.Sprint(r.Key, r.Value, r.Time, r.Headers))
				})
				slices.SortFunc(model, func(a, b held) int {
					return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.key, b.key), cmp.Compare(a.n, b.n))
				})
				for len(model) > 0 && model[0].at <= until {
					want = append(want, fmt.Sprint(model[0].key, model[0].value, model[0].at, []record.Header{{Key: "n"}}))
					model = model[1:]
				}
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d: got %v, want %v", seed, got, want)
				}
			case op < 85:
				e.commit(t)
				saved = slices.Clone(model)
			case op < 93:
				e.abort()
				model = slices.Clone(saved)
			default:
				e.abort()
				e.restore(t, memstore.Open("rows"), 1+r.IntN(10))
				s = open()
				model = slices.Clone(saved)
			}
		}
		check(t, e.db.Close())
	}
}
