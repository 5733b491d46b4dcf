package task

import (
	"bytes"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/store"
)

// warmGroup is how many records ahead are looked at. In key order the rows of many lie together on disk; but what is fetched
// must still be in memory when its record comes.
const warmGroup = 8192

// A warm is a store whose rows are looked up under the keys of an input's records.
type warm struct {
	db     store.DB
	prefix []byte
}

// warms finds the stores that steps behind a source look up by the key of the record it read: keys that a step has changed
// are not known before user code ran.
func (t *Task) warms(source *graph.Node) []warm {
	var found []warm
	seen := map[*graph.Node]bool{}
	var walk func(n *graph.Node)
	walk = func(n *graph.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if n.ByKey {
			for _, d := range n.Stores {
				found = t.addWarm(found, d)
			}
		}
		if n.NewKey {
			return
		}
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(source)
	return found
}

func (t *Task) addWarm(found []warm, d *decl.Store) []warm {
	if d.Kind != decl.KeyValue || d.InMemory {
		return found
	}
	for i := range t.stores {
		s := &t.stores[i]
		if s.decl != d {
			continue
		}
		for _, w := range found {
			if bytes.Equal(w.prefix, s.prefix) && w.db == s.db {
				return found
			}
		}
		return append(found, warm{s.db, s.prefix})
	}
	return found
}

// warmUp has the rows at hand that the next records of an input will ask for.
func (t *Task) warmUp(in *input) {
	recs := in.recs[in.head:min(len(in.recs), in.head+warmGroup)]
	in.warmed = len(recs)
	if len(recs) < 2 {
		return
	}
	w := &t.warming
	for _, to := range in.warms {
		w.buf, w.keys = w.buf[:0], w.keys[:0]
		if n := w.size(recs, len(to.prefix)); cap(w.buf) < n {
			w.buf = make([]byte, 0, n) // keys point into it: it must not move
		}
		for i := range recs {
			if recs[i].Key == nil {
				continue
			}
			from := len(w.buf)
			w.buf = append(append(w.buf, to.prefix...), recs[i].Key...)
			w.keys = append(w.keys, w.buf[from:len(w.buf):len(w.buf)])
		}
		_ = to.db.Warm(w.keys) // the look-up of the record returns it too
	}
}

// warming is scratch memory of warmUp.
type warming struct {
	buf  []byte
	keys [][]byte
}

func (w *warming) size(recs []record.In, prefix int) (n int) {
	for i := range recs {
		n += prefix + len(recs[i].Key)
	}
	return n
}
