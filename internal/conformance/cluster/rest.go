package cluster

import (
	"context"
	"fmt"
	"maps"
	"time"
)

// How long nothing must have moved; a global table commits nothing, so that only time tells that it has read.
const (
	quiet       = 260 * time.Millisecond
	quietGlobal = 700 * time.Millisecond
	restTimeout = 60 * time.Second
)

// rest reads on until the app has come to rest: no transaction is open, everything consumed is committed, and nothing has
// moved for a while. failed tells why the app has ended.
func (t *tail) rest(ctx context.Context, consumed map[string]bool, still time.Duration, failed func() error) (m marks, err error) {
	ctx, cancel := context.WithTimeout(ctx, restTimeout)
	defer cancel()
	why := "nothing was seen"
	var last marks
	var since time.Time
	for {
		if err := t.poll(ctx); err != nil {
			return m, err
		}
		if err := failed(); err != nil {
			return m, err
		}
		if ctx.Err() != nil {
			return m, fmt.Errorf("cluster: %s does not come to rest: %s", t.app, why)
		}
		if m, err = t.marks(ctx); err != nil {
			return m, err
		}
		now := time.Now()
		switch why = t.unrest(m, consumed); {
		case why != "":
			since = time.Time{}
		case since.IsZero() || !m.equal(last):
			since, last = now, m
		case now.Sub(since) >= still:
			return m, nil
		}
	}
}

// unrest says what is still going on, "" if nothing is.
func (t *tail) unrest(m marks, consumed map[string]bool) string {
	for _, p := range t.parts {
		switch high := m.high[p]; {
		case m.stable[p] != high:
			return fmt.Sprintf("%s/%d has an open transaction", p.topic, p.n)
		case t.next[p] != high:
			return fmt.Sprintf("%s/%d is read up to %d of %d", p.topic, p.n, t.next[p], high)
		}
		if records := t.records[p]; consumed[p.topic] && len(records) > 0 {
			if o, ok := m.committed[p]; !ok || o.At <= records[len(records)-1].Offset {
				return fmt.Sprintf("%s/%d is not committed", p.topic, p.n)
			}
		}
	}
	return ""
}

func (m marks) equal(o marks) bool {
	return maps.Equal(m.high, o.high) && maps.Equal(m.committed, o.committed)
}
