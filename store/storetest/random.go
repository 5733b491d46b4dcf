package storetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-streams/millrace/store"
)

// Random applies random operations to a database and to a model, and compares them after each. On a lasting disk it also
// closes and crashes: after a crash the rows must be those committed with the checkpoint that is found, and replaying the
// rest must give the committed rows.
func Random(t testing.TB, disk Disk, seed uint64, operations int) {
	r := &random{suite: suite{TB: t, disk: disk}, rng: rand.New(rand.NewPCG(seed, 1)), model: newModel()}
	r.open(names...)
	defer func() {
		if t.Failed() {
			t.Logf("seed %d, operation %d; the last ones:\n%s", seed, r.now, strings.Join(r.log[max(0, len(r.log)-40):], "\n"))
		}
	}()
	for r.now = range operations {
		r.step()
	}
	for _, w := range r.walks {
		r.check(w.it.Close())
	}
	r.check(r.db.Close())
}

// random is a random history.
type random struct {
	suite
	rng   *rand.Rand
	model *model
	walks []*walk
	now   int
	log   []string
}

func (r *random) logf(format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf("%d: ", r.now)+fmt.Sprintf(format, args...))
}

func (r *random) name() string { return names[r.rng.IntN(len(names))] }

func (r *random) k() string { return fmt.Sprintf("%02x", r.rng.IntN(120)) }

func (r *random) v() string {
	n := r.rng.IntN(20)
	switch r.rng.IntN(40) {
	case 0:
		n = r.rng.IntN(3000)
	case 1:
		n = 0
	}
	return fmt.Sprint(r.now, "-")[:min(n, len(fmt.Sprint(r.now, "-")))] + strings.Repeat("v", n)
}

func (r *random) step() {
	switch n := r.rng.IntN(1000); {
	case n < 420:
		r.write()
	case n < 540:
		r.get()
	case n < 560:
		r.warm()
	case n < 620:
		r.scanSome()
	case n < 720:
		r.walk()
	case n < 770:
		r.logf("mark")
		r.model.mark(r.db.Mark())
	case n < 800:
		r.rollback()
	case n < 850:
		r.dirties()
	case n < 930:
		r.commitAll()
	case n < 950:
		r.logf("abort")
		r.db.Abort()
		r.model.abort(r.now)
	case n < 975:
		r.loadSome()
	case n < 985:
		r.logf("flush")
		r.check(r.db.Flush(int64(r.now)))
	case n < 988:
		r.wipe()
	case n < 992 && r.disk.Lasting():
		r.reopen()
	case n < 996 && r.disk.Lasting():
		r.crash()
	}
	if wrote := r.model.wrote(); r.db.Wrote() != wrote || r.db.Pending() > 0 != wrote {
		r.Fatalf("wrote %v, %d bytes pending, want %v", r.db.Wrote(), r.db.Pending(), wrote)
	}
}

func (r *random) write() {
	name, k := r.name(), r.k()
	if r.rng.IntN(4) == 0 {
		r.logf("delete %s/%s", name, k)
		r.delete(name, k)
		r.model.parts[name].write(k, "", false, r.now)
		return
	}
	v := r.v()
	if _, there := r.model.parts[name].rows[k]; !there && r.rng.IntN(2) == 0 {
		r.logf("insert %s/%s %.20q", name, k, v)
		r.check(r.db.Insert(r.key(name, k), []byte(v)))
	} else {
		r.logf("set %s/%s %.20q", name, k, v)
		r.set(name, k, v)
	}
	r.model.parts[name].write(k, v, true, r.now)
}

// warm announces keys, some of them more than once, and then asks for one of them.
func (r *random) warm() {
	var keys [][]byte
	var asked [][2]string
	for range 1 + r.rng.IntN(40) {
		name, k := r.name(), r.k()
		keys = append(keys, r.key(name, k))
		asked = append(asked, [2]string{name, k})
	}
	r.logf("warm %d keys", len(keys))
	r.check(r.db.Warm(keys))
	for _, a := range asked[:3*len(asked)/4] {
		v, ok := r.model.parts[a[0]].rows[a[1]]
		r.want(a[0], a[1], show([]byte(v), ok))
	}
}

func (r *random) get() {
	name, k := r.name(), r.k()
	v, ok := r.model.parts[name].rows[k]
	r.logf("get %s/%s", name, k)
	r.want(name, k, show([]byte(v), ok))
}

func (r *random) scanSome() {
	name, from, to, reverse := r.name(), r.k(), r.k(), r.rng.IntN(2) == 0
	if r.rng.IntN(4) == 0 {
		from, to = "", ""
	}
	r.logf("scan %s %q-%q %v", name, from, to, reverse)
	end := r.key(name, to)
	if to == "" {
		end = after(r.db.Prefix(name))
	}
	r.wantRows(r.scan(r.key(name, from), end, reverse), sorted(r.model.parts[name].rows, from, to, reverse)...)
}

func (r *random) rollback() {
	if len(r.model.marks) == 0 {
		return
	}
	i := r.rng.IntN(len(r.model.marks))
	r.logf("rollback to mark %d of %d", i, len(r.model.marks))
	r.db.Rollback(r.model.marks[i].id)
	r.model.rollback(i, r.now)
}

func (r *random) dirties() {
	for _, n := range names {
		r.logf("dirty %s", n)
		r.wantRows(r.dirty(n), r.model.parts[n].lines()...)
	}
}

func (r *random) commitAll() {
	r.logf("commit")
	r.dirties()
	r.commit(r.model.commit()...)
}

// settle ends the open transaction, for what must not be done in one.
func (r *random) settle() {
	if r.rng.IntN(2) == 0 {
		r.commitAll()
	} else {
		r.logf("abort")
		r.db.Abort()
		r.model.abort(r.now)
	}
}

func (r *random) loadSome() {
	r.settle()
	r.model.marks = nil
	name := r.name()
	p := r.model.parts[name]
	var kvs []store.KV
	for range r.rng.IntN(30) {
		k, v := r.k(), r.v()
		if r.rng.IntN(3) == 0 {
			kvs = append(kvs, store.KV{Key: r.key(name, k)})
			p.put(k, "", false, r.now)
		} else {
			kvs = append(kvs, store.KV{Key: r.key(name, k), Value: []byte(v)})
			p.put(k, v, true, r.now)
		}
	}
	p.committed = maps.Clone(p.rows)
	p.advance()
	r.logf("load %d rows of %s", len(kvs), name)
	r.check(r.db.Load(kvs, checkpoint(name, p.offset)))
}

func (r *random) wipe() {
	r.settle()
	r.model.marks = nil
	name := r.name()
	p := r.model.parts[name]
	r.logf("wipe %s", name)
	r.check(r.db.Wipe(name, name+"-changelog"))
	for k := range p.rows {
		p.touched[k] = r.now
	}
	p.rows, p.committed, p.offset = rowmap{}, rowmap{}, -1
}

func (r *random) reopen() {
	r.logf("close and open")
	r.check(r.db.Close())
	r.walks = nil
	r.model.abort(r.now)
	r.open(names...)
	if !r.db.Clean() {
		r.Fatal("closed in order and not clean")
	}
	r.compare()
}

func (r *random) crash() {
	r.logf("crash")
	r.disk.Crash()
	_ = r.db.Close()
	r.walks = nil
	r.model.abort(r.now)
	r.open(names...)
	if r.db.Clean() {
		r.Fatal("clean after a crash")
	}
	for _, n := range names {
		p := r.model.parts[n]
		found := int64(-1)
		if cp, ok := r.db.Checkpoint(n + "-changelog"); ok {
			found = cp.Offset
		}
		past, ok := p.history[found]
		if !ok {
			r.Fatalf("store %s was found with checkpoint %d: there was no such commit", n, found)
		}
		r.logf("store %s was found with checkpoint %d of %d", n, found, p.offset)
		r.wantRows(r.all(n), sorted(past, "", "", false)...)
		var tail []store.KV
		for k := range past {
			if _, ok := p.committed[k]; !ok {
				tail = append(tail, store.KV{Key: r.key(n, k)})
			}
		}
		for k, v := range p.committed {
			tail = append(tail, store.KV{Key: r.key(n, k), Value: []byte(v)})
		}
		p.advance()
		r.check(r.db.Load(tail, checkpoint(n, p.offset)))
	}
	r.compare()
}

// compare compares everything.
func (r *random) compare() {
	for _, n := range names {
		p := r.model.parts[n]
		r.wantRows(r.all(n), sorted(p.rows, "", "", false)...)
		cp, ok := r.db.Checkpoint(n + "-changelog")
		if ok != (p.offset >= 0) || ok && cp.Offset != p.offset {
			r.Fatalf("checkpoint of %s is %d %v, want %d", n, cp.Offset, ok, p.offset)
		}
	}
}

// A walk is an iterator that stays open over other operations. What it shows must be in order, and rows that were not
// written since it was opened must be shown as they were then.
type walk struct {
	it      store.Iter
	name    string
	reverse bool
	opened  int
	rows    []string // keys it has still to show or pass, in its order
	then    rowmap
	last    string
	begun   bool
}

// walk goes on with an open walk, or opens one.
func (r *random) walk() {
	if len(r.walks) < 3 {
		name, from, to := r.name(), r.k(), r.k()
		w := &walk{name: name, reverse: r.rng.IntN(2) == 0, opened: r.now, then: maps.Clone(r.model.parts[name].rows)}
		w.it = r.db.Range(r.key(name, from), r.key(name, to), w.reverse)
		for _, row := range sorted(w.then, from, to, w.reverse) {
			k, _, _ := strings.Cut(row, "=")
			w.rows = append(w.rows, k)
		}
		if from > to {
			w.rows = nil
		}
		r.logf("open a walk over %s %q-%q %v", name, from, to, w.reverse)
		r.walks = append(r.walks, w)
		return
	}
	i := r.rng.IntN(len(r.walks))
	w := r.walks[i]
	p := r.model.parts[w.name]
	for range 1 + r.rng.IntN(15) {
		if w.it.Next() {
			r.shown(w, p, string(w.it.Key()[2:]), string(w.it.Value()))
			continue
		}
		for _, k := range w.rows {
			r.passed(w, p, k)
		}
		r.check(w.it.Close())
		r.walks = slices.Delete(r.walks, i, i+1)
		return
	}
}

func (r *random) shown(w *walk, p *modelPart, k, v string) {
	if w.begun && (k > w.last) == w.reverse || w.begun && k == w.last {
		r.Fatalf("walk %d over %s shows %q after %q", w.opened, w.name, k, w.last)
	}
	w.begun, w.last = true, k
	for len(w.rows) > 0 && w.rows[0] != k && (w.rows[0] < k) != w.reverse {
		r.passed(w, p, w.rows[0])
		w.rows = w.rows[1:]
	}
	if len(w.rows) > 0 && w.rows[0] == k {
		w.rows = w.rows[1:]
	}
	if old, ok := w.then[k]; p.touched[k] < w.opened && (!ok || old != v) {
		r.Fatalf("walk %d over %s shows %q = %.30q, it was %.30q %v", w.opened, w.name, k, v, old, ok)
	}
}

// passed is told of a row that was there when the walk began and was not shown.
func (r *random) passed(w *walk, p *modelPart, k string) {
	if p.touched[k] < w.opened {
		r.Fatalf("walk %d over %s does not show %q, which was not written since", w.opened, w.name, k)
	}
}
