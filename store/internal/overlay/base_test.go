package overlay_test

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/store/internal/overlay"
)

// disk is a lasting place for a fakeBase. A crash keeps what was flushed and perhaps some of the batches applied since.
type disk struct {
	t       testing.TB
	opts    overlay.Options
	rng     *rand.Rand
	base    *fakeBase
	state   state
	clean   bool
	crashed bool
}

// state is what a base holds.
type state struct {
	rows map[string]string
	cps  map[string]store.Checkpoint
}

func (s state) clone() state { return state{maps.Clone(s.rows), maps.Clone(s.cps)} }

func newDisk(t testing.TB, opts overlay.Options, seed uint64) *disk {
	if opts.Limit == nil {
		opts.Limit = func() int64 { return 1 << 30 }
	}
	return &disk{t: t, opts: opts, rng: rand.New(rand.NewPCG(seed, 9)), clean: true, state: state{map[string]string{}, map[string]store.Checkpoint{}}}
}

func (d *disk) Lasting() bool { return true }

func (d *disk) Open(stores ...string) store.DB {
	d.base = &fakeBase{disk: d, now: d.state.clone(), after: []state{d.state.clone()}}
	var parts []overlay.Store
	for _, s := range stores {
		parts = append(parts, overlay.Store{Name: s, Prefix: [2]byte{3, s[0]}})
	}
	clean := d.clean
	d.clean, d.crashed = false, false
	return overlay.Open(d.base, parts, slices.Collect(maps.Values(d.state.cps)), clean, d.opts)
}

func (d *disk) Crash() {
	d.base.mu.Lock()
	defer d.base.mu.Unlock()
	d.state = d.base.after[d.rng.IntN(len(d.base.after))].clone()
	d.crashed = true
}

// fakeBase is a Base that keeps a map.
type fakeBase struct {
	disk  *disk
	mu    sync.Mutex
	now   state
	after []state       // what a crash may leave: since the last flush, after each batch
	hold  chan struct{} // not nil: Apply waits for it
	err   error         // of every call
	reads int
	runs  [][]string // keys of the batches applied
}

func (b *fakeBase) Get(dst, key []byte) ([]byte, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads++
	v, ok := b.now.rows[string(key)]
	return append(dst, v...), ok, b.err
}

func (b *fakeBase) Read(keys [][]byte, f func(key, value []byte, ok bool) error) error {
	for _, k := range keys {
		v, ok, err := b.Get(nil, k)
		if err != nil {
			return err
		}
		if err := f(k, v, ok); err != nil {
			return err
		}
	}
	return nil
}

func (b *fakeBase) Apply(rows overlay.Rows, _ int, cps []store.Checkpoint, gone []overlay.Span) error {
	if b.hold != nil {
		<-b.hold
	}
	runtime.Gosched()
	b.mu.Lock()
	defer b.mu.Unlock()
	var run []string
	for len(rows) > 0 {
		var k, v []byte
		var has bool
		k, v, has, rows = rows.Next()
		run = append(run, string(k))
		delete(b.now.rows, string(k))
		if has {
			b.now.rows[string(k)] = string(v)
		}
	}
	for _, s := range gone {
		maps.DeleteFunc(b.now.rows, func(k, _ string) bool { return string(s.From) <= k && k < string(s.To) })
	}
	for _, cp := range cps {
		b.now.cps[cp.Changelog] = cp
	}
	b.runs = append(b.runs, run)
	b.after = append(b.after, b.now.clone())
	return b.err
}

func (b *fakeBase) Wipe(prefix []byte, changelog string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.now.rows, func(k, _ string) bool { return strings.HasPrefix(k, string(prefix)) })
	delete(b.now.cps, changelog)
	b.after = append(b.after, b.now.clone())
	return b.err
}

func (b *fakeBase) Flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.after = []state{b.now.clone()}
	return b.err
}

func (b *fakeBase) Close(clean bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.disk.crashed {
		b.disk.state, b.disk.clean = b.now, clean
	}
	return b.err
}

func (b *fakeBase) Size() int64 {
	n := 0
	for k, v := range b.now.rows {
		n += len(k) + len(v)
	}
	return int64(n)
}

func (b *fakeBase) Iter(from, to []byte, reverse bool) store.Iter {
	b.mu.Lock()
	defer b.mu.Unlock()
	it := &fakeIter{err: b.err, at: -1}
	for _, k := range slices.Sorted(maps.Keys(b.now.rows)) {
		if k >= string(from) && (to == nil || k < string(to)) {
			it.rows = append(it.rows, store.KV{Key: []byte(k), Value: []byte(b.now.rows[k])})
		}
	}
	if reverse {
		slices.Reverse(it.rows)
	}
	return it
}

// fakeIter overwrites what it has shown, as an iterator may.
type fakeIter struct {
	rows []store.KV
	at   int
	err  error
}

func (it *fakeIter) Next() bool {
	if it.at >= 0 && it.at < len(it.rows) {
		copy(it.rows[it.at].Key, bytes.Repeat([]byte{0xee}, 99))
		copy(it.rows[it.at].Value, bytes.Repeat([]byte{0xee}, 99))
	}
	it.at++
	return it.at < len(it.rows)
}
func (it *fakeIter) Key() []byte   { return it.rows[it.at].Key }
func (it *fakeIter) Value() []byte { return it.rows[it.at].Value }
func (it *fakeIter) Close() error  { return it.err }

var errBroken = errors.New("the disk is broken")
