package ktable

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/internal/decl"
	"github.com/millrace-streams/millrace/internal/dsl"
	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
	"github.com/millrace-streams/millrace/internal/rows"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

// A cut says how a stream is cut into windows, when a record is too late for one, and when results are sent. Times are
// milliseconds.
type cut struct {
	kind     cutKind
	time     window.TimeWindows
	size     int64 // of time windows; time difference of sliding windows; gap of sessions
	advance  int64 // of time windows, 0 for a single one
	grace    int64
	retained time.Duration // how long rows must be kept at least
	close    *closing      // results are sent when windows close; nil: with each update, or once per commit
	err      error         // what is wrong with it
}

type cutKind uint8

const (
	timed    cutKind = iota // tumbling, hopping and unlimited windows
	sliding                 // both ends are included
	sessions                // both ends are included
)

var errNeverCloses = errors.New("an unlimited window never closes: leave EmitOnClose out")

// cutBy returns the cut of a rule.
func cutBy(w window.Windows, close *closing) cut {
	if w == nil {
		return cut{err: errors.New("the windows are nil: pass window.Tumbling, Hopping, Sliding or Unlimited")}
	}
	c := cut{retained: w.Retention(), close: close, err: w.Err()}
	switch w := w.(type) {
	case window.TimeWindows:
		size, advance, grace := w.Bounds()
		c.time, c.size, c.advance, c.grace = w, size.Milliseconds(), advance.Milliseconds(), grace.Milliseconds()
		if close != nil && advance == 0 && c.err == nil {
			c.err = errNeverCloses
		}
	case window.SlidingWindows:
		diff, grace := w.Bounds()
		c.kind, c.size, c.grace = sliding, diff.Milliseconds(), grace.Milliseconds()
	}
	if close != nil {
		c.err = errors.Join(c.err, close.err)
	}
	return c
}

// cutBySession returns the cut of a rule for sessions.
func cutBySession(w window.SessionWindows, close *closing) cut {
	gap, grace := w.Bounds()
	c := cut{kind: sessions, size: gap.Milliseconds(), grace: grace.Milliseconds(), retained: w.Retention(), close: close, err: w.Err()}
	if close != nil {
		c.err = errors.Join(c.err, close.err)
	}
	return c
}

// after is how long after the end of a window its records still count.
func (c cut) after() int64 {
	if c.kind == sessions {
		return c.size + c.grace
	}
	return c.grace
}

// observed is the name of the clock of a step that folds: number i of those that fold into a store. Those that send results
// when windows close have one together.
func (c cut) observed(name string, i int) string {
	if i == 0 || c.close != nil {
		return name + "+"
	}
	return fmt.Sprintf("%s+%d", name, i)
}

// declare declares the store of a windowed table, in which h's keys and values are kept.
func (c cut) declare[K, A any](h dsl.Handle[K, A], call, name string, opts []store.Option, pending bool, remedy string) *decl.Store {
	missing := dsl.MissSerdes(h, call, pending, remedy)
	least := max(c.retained, time.Millisecond)
	var d *decl.Store
	if c.kind == sessions {
		d = store.NewSession(name, h.Key(), h.Value(), least, opts...).Decl()
	} else {
		d = store.NewWindow(name, h.Key(), h.Value(), time.Millisecond, least, opts...).Decl()
		d.Size = time.Duration(c.size) * time.Millisecond
		d.Advance = time.Duration(c.advance) * time.Millisecond
	}
	d.At = graph.Caller()
	d.OnClose, d.ByTime = c.close != nil, c.close != nil && d.Advance == 0
	d.NoCache = d.NoCache || d.OnClose && c.kind == sessions
	d.Lingers = !d.NoCache // as where Kafka Streams has a cache before the store
	if missing {
		d.Err = nil // it was reported with the verb's own remedy
	}
	if c.err != nil {
		h.Builder(call).Report(d.At, call, c.err)
	} else if d.Retention < least {
		d.Err = nil
		h.Builder(call).Report(d.At, call, fmt.Errorf("Retention(%v) is less than the %v that these windows are open, with their grace: windows would go before they close", d.Retention, least))
	}
	return d
}

// key is the serde of the keys of the windowed table.
func (c cut) key[K any](key serde.Serde[K]) serde.Serde[window.Key[K]] {
	switch {
	case key == nil:
		return nil
	case c.kind == sessions:
		return window.SessionKeySerde(key)
	}
	return window.KeySerde(key, time.Duration(c.size)*time.Millisecond)
}

// step completes the description of a step that folds windows of a store, or that sends what was folded.
func (c cut) step(s dsl.Step, d *decl.Store) dsl.Step {
	s.Stores = []*decl.Store{d}
	s.Close = &graph.Close{Grace: time.Duration(c.after()) * time.Millisecond}
	if c.close != nil {
		s.Clocks = append(s.Clocks, sentClock(d))
	}
	return s
}

// An output is where the folds of one task put the rows of a windowed table. The steps of a Cogrouped share one.
type output[K, A any] struct {
	keeper   *dsl.Keeper[window.Key[K], A]
	windows  *rows.Window[K, A]  // of time, sliding and unlimited windows
	sessions *rows.Session[K, A] // of sessions
	closer   *closer[K, A]       // sends results when windows close; nil: the keeper forwards them
}

// open makes what the folds of a task share.
func (c cut) open[K, A any](env graph.Env, n *graph.Node, d *decl.Store, next record.ChangeFn[window.Key[K], A]) *output[K, A] {
	o := &output[K, A]{}
	var table rows.Table[window.Key[K], A]
	if c.kind == sessions {
		o.sessions = rows.OpenSession[K, A](env, n, d)
		table = o.sessions.Table()
	} else {
		o.windows = rows.OpenWindow[K, A](env, n, d)
		table = o.windows.Table()
	}
	switch {
	case c.close != nil:
		o.keeper = dsl.Writing(env, n, table)
		o.closer = newCloser(env, n, d, c, o, next)
	case c.kind == sessions:
		o.keeper = dsl.Keeping(env, n, d, table, next).At(func(k window.Key[K]) int64 { return k.End().UnixMilli() })
	default:
		o.keeper = dsl.Keeping(env, n, d, table, next)
	}
	return o
}

// fold makes the function that folds the records of one stream into windows. Records that come too late for one go to
// late, unless it is nil. observed is the name of the step's clock.
func (c cut) fold[K, V, A any](f *folder[K, V, A], o *output[K, A], observed string, late record.Fn[K, V]) record.Fn[K, V] {
	w := windowed[K, V, A]{folder: f, cut: c, output: o, observed: f.env.Clock(observed), late: late, reread: o.keeper.NeedsOld() && f.mutable}
	f.env.AtIdle(f.n, func() {
		closed := w.observed.Raise(f.env.StreamTime()) - c.after()
		if hand := *f.env.Meta(); o.closer != nil {
			o.closer.close(f.env.Meta(), &hand, closed)
		}
	})
	switch c.kind {
	case sliding:
		return (&slidingFold[K, V, A]{windowed: w}).open()
	case sessions:
		return (&sessionFold[K, V, A]{windowed: w}).open()
	}
	return (&timeFold[K, V, A]{windowed: w}).record
}

// windowed is what the folds of all kinds of windows have in common.
type windowed[K, V, A any] struct {
	*folder[K, V, A]
	cut
	*output[K, A]
	observed *graph.Clock // event time of the step: of records with a key, late ones included
	late     record.Fn[K, V]
	reread   bool // old values are wanted, and may be changed in place

	// Of the record in hand.
	saved   record.Meta
	refused bool
}

// begin takes up a record and returns the time before which windows are closed.
func (w *windowed[K, V, A]) take(m *record.Meta) (closed int64) {
	w.saved, w.refused = *m, false
	return w.observed.Raise(m.Time) - w.after()
}

// again has Meta be that of the record in hand, after what was forwarded has changed it.
func (w *windowed[K, V, A]) again(m *record.Meta) { *m = w.saved }

// refuse counts that a window of the record in hand is closed.
func (w *windowed[K, V, A]) refuse() {
	w.env.Drop(w.n, dsl.Late)
	w.refused = true
}

// put writes the row of a window, which is not a session.
func (w *windowed[K, V, A]) put(m *record.Meta, k K, start int64, c record.Change[A], time int64) {
	if w.closer != nil {
		w.closer.wrote(start + w.size)
	}
	w.keeper.Update(m, window.Key[K]{Key: k, Span: w.windows.Span(start)}, c, time)
}

// done ends the record in hand: it goes to the side, once, if it came too late for a window.
func (w *windowed[K, V, A]) done(m *record.Meta, k K, v V) {
	if w.refused && w.late != nil {
		w.again(m)
		w.late(m, k, v)
	}
}
