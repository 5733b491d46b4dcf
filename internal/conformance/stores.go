package conformance

import (
	"iter"
	"time"

	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/topology"
)

const millisecond = time.Millisecond

// A declared store: one made for processors, or that of a table.
type declared[S any] struct {
	name string
	spec store.Spec
	// What processors read and write: one of these, of a store made for them.
	values   *store.KeyValueSpec[S, S]
	windows  *store.WindowSpec[S, S]
	sessions *store.SessionSpec[S, S]
	versions *store.VersionedSpec[S, S]

	timed bool // shows the time of a row
	find  func(t *topology.Task) func(key *string) *string
}

// keyValue returns the declaration of a key-value store made for processors.
func (d declared[S]) keyValue(n *Node) store.KeyValueSpec[S, S] {
	if d.values == nil {
		unknown("%s: store %q is not a key-value store for processors", n, d.name)
	}
	return *d.values
}

// declareds are the stores of a processor.
type declareds[S any] []declared[S]

func (ds declareds[S]) specs() (specs []store.Spec) {
	for _, d := range ds {
		specs = append(specs, d.spec)
	}
	return specs
}

func (ds declareds[S]) first(n *Node) declared[S] {
	if len(ds) == 0 {
		unknown("%s: no store", n)
	}
	return ds[0]
}

// stores returns the stores that an operation names.
func (p *program[S, N]) stores(n *Node) (ds declareds[S]) {
	for _, name := range n.list("stores") {
		d, ok := p.known[name]
		if !ok {
			unknown("%s: no store %q", n, name)
		}
		ds = append(ds, d)
	}
	return ds
}

// declare makes a store for processors.
func (p *program[S, N]) declare(n *Node) element {
	n.flag("caching", false) // what a cache holds back within a commit has no reader
	opts := []store.Option{store.NoCache()}
	if !n.flag("logging", true) {
		opts = append(opts, store.NoChangelog())
	}
	d := declared[S]{name: n.ID}
	text := p.text
	switch kind := n.text("kind"); kind {
	case "keyValue", "inMemory", "timestamped", "lru":
		switch kind {
		case "inMemory":
			opts = append(opts, store.InMemory())
		case "lru":
			opts = append(opts, store.LRU(int(n.number("max", 2))), store.InMemory())
		}
		d.timed = kind == "timestamped"
		spec := store.NewKeyValue(n.ID, text.serde, text.serde, opts...)
		d.spec, d.values = spec, &spec
		d.find = finder(spec, text, text, d.timed)
		p.dumps[n.ID] = func(dr *reading) Store { return keyValueRows(dr.Store(spec), text, text, d.timed) }
	default:
		d = p.declareWindows(n, kind, opts)
	}
	p.known[n.ID] = d
	return ending{}
}

// finder returns what looks up a row as text, with its time if it shows one.
func finder[K, V any](spec store.KeyValueSpec[K, V], k kind[K], v kind[V], timed bool) func(t *topology.Task) func(key *string) *string {
	if k.of == nil {
		return nil
	}
	return func(t *topology.Task) func(key *string) *string {
		rows := t.KeyValue(spec)
		return func(key *string) *string {
			if key == nil {
				return nil
			}
			row, ok := rows.GetRow(k.of(key))
			if !ok {
				return nil
			}
			s := v.text(row.Value)
			if timed {
				return stamped(*s, row.Time)
			}
			return s
		}
	}
}

// texts is a key-value store over text.
type textStore[S any] struct {
	store.KeyValue[S, S]
	text kind[S]
}

func (p *program[S, N]) rows(t *topology.Task, spec store.KeyValueSpec[S, S]) textStore[S] {
	return textStore[S]{t.KeyValue(spec), p.text}
}

// get returns the value of a key, nil for none.
func (s textStore[S]) get(key *string) *string {
	if v, ok := s.Get(s.text.of(key)); ok {
		return s.text.text(v)
	}
	return nil
}

// put writes a value; null deletes.
func (s textStore[S]) put(key, value *string) {
	if value == nil {
		s.Delete(s.text.of(key))
	} else {
		s.Put(s.text.of(key), s.text.of(value))
	}
}

// list spells rows.
func (s textStore[S]) list(rows iter.Seq2[S, S]) string {
	var out []byte
	for k, v := range rows {
		out = append(out, *s.text.text(k)+"="+*s.text.text(v)+";"...)
	}
	return string(out)
}
