package metamorphic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A part is a partition of a topic.
type part struct {
	topic string
	n     int32
}

// A watch reads what is committed to the topics of an app, and knows when the app has nothing left to do.
type watch struct {
	adm      *kadm.Client
	reader   *kgo.Client
	topics   []string        // all but changelogs
	consumed map[string]bool // by tasks
	next     map[part]int64  // where the reader is
	last     map[part]int64  // the offset of the last record, which is no marker
	sinks    map[string][]*kgo.Record
	changed  <-chan struct{} // something may have moved
}

// watchAll begins to read the topics there are.
func watchAll(ctx context.Context, c *Case, brokers []string, adm *kadm.Client, changed <-chan struct{}) (*watch, error) {
	w := &watch{
		adm: adm, consumed: map[string]bool{}, next: map[part]int64{}, last: map[part]int64{},
		sinks: map[string][]*kgo.Record{}, changed: changed,
	}
	for _, s := range c.Sinks {
		w.sinks[s.Topic] = nil
	}
	found, err := adm.ListTopics(ctx)
	if err != nil {
		return nil, err
	}
	from := map[string]map[int32]kgo.Offset{}
	for name, topic := range found {
		if strings.HasSuffix(name, "-changelog") {
			continue
		}
		w.topics = append(w.topics, name)
		_, sink := w.sinks[name]
		w.consumed[name] = !sink
		from[name] = map[int32]kgo.Offset{}
		for n := range topic.Partitions {
			from[name][n] = kgo.NewOffset().At(0)
		}
	}
	w.reader, err = kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumePartitions(from), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NoResetOffset()))
	return w, err
}

// rest waits until the app has nothing left to do: no transaction is open, and all that it reads is committed. ended tells why
// an app has ended.
func (w *watch) rest(ctx context.Context, ended func() error) error {
	ctx, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond) // a commit is told when the app knows of it, which the brokers do before
	defer tick.Stop()
	for {
		why, err := w.unrest(ctx)
		switch {
		case err == nil && why == "":
			return nil
		case ended() != nil:
			return ended()
		case ctx.Err() != nil:
			return fmt.Errorf("the app does not come to rest: %s (%v)", why, err)
		case err != nil:
			return err
		}
		select {
		case <-w.changed:
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// unrest says what is still going on, "" if nothing is. What a task consumes and what it sends are committed at once: when
// ends are the same before and behind a look at the commits, there is nothing between them.
func (w *watch) unrest(ctx context.Context) (string, error) {
	before, err := w.ends(ctx)
	if err != nil {
		return "", err
	}
	committed, err := w.adm.FetchOffsets(ctx, app)
	if err != nil {
		return "", err
	}
	ends, err := w.ends(ctx)
	if err != nil {
		return "", err
	}
	if !maps.Equal(before, ends) {
		return "records are written", nil
	}
	if err := w.read(ctx, ends); err != nil {
		return "", err
	}
	for p, end := range ends {
		if w.next[p] < end {
			return fmt.Sprintf("%s/%d has an open transaction", p.topic, p.n), nil
		}
		last, ok := w.last[p]
		if !ok || !w.consumed[p.topic] {
			continue
		}
		if at, ok := committed.Lookup(p.topic, p.n); !ok || at.At <= last {
			return fmt.Sprintf("%s/%d is not committed", p.topic, p.n), nil
		}
	}
	return "", nil
}

func (w *watch) ends(ctx context.Context) (map[part]int64, error) {
	listed, err := w.adm.ListEndOffsets(ctx, w.topics...)
	if err == nil {
		err = listed.Error()
	}
	ends := map[part]int64{}
	listed.Each(func(o kadm.ListedOffset) { ends[part{o.Topic, o.Partition}] = o.Offset })
	return ends, err
}

// read reads up to the ends, as far as an open transaction allows within a moment.
func (w *watch) read(ctx context.Context, ends map[part]int64) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	for w.behind(ends) && ctx.Err() == nil {
		fetches := w.reader.PollFetches(ctx)
		for _, e := range fetches.Errors() {
			if !errors.Is(e.Err, context.DeadlineExceeded) && !errors.Is(e.Err, context.Canceled) {
				return fmt.Errorf("read %s/%d: %w", e.Topic, e.Partition, e.Err)
			}
		}
		fetches.EachRecord(func(r *kgo.Record) {
			p := part{r.Topic, r.Partition}
			w.next[p] = r.Offset + 1
			if r.Attrs.IsControl() {
				return
			}
			w.last[p] = r.Offset
			if _, sink := w.sinks[r.Topic]; sink {
				w.sinks[r.Topic] = append(w.sinks[r.Topic], r)
			}
		})
	}
	return nil
}

func (w *watch) behind(ends map[part]int64) bool {
	for p, end := range ends {
		if w.next[p] < end {
			return true
		}
	}
	return false
}
