package millrace

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace-streams/millrace/internal/task"
)

// trimEvery is how often repartition topics are cut.
const trimEvery = 30 * time.Second

// A trimmer deletes the records of repartition topics that are committed as processed: those topics have no retention.
type trimmer struct {
	p           *process
	repartition map[string]bool // by full name

	mu   sync.Mutex
	upTo map[task.TP]int64
}

func newTrimmer(p *process) *trimmer {
	t := &trimmer{p: p, repartition: map[string]bool{}, upTo: map[task.TP]int64{}}
	for _, n := range p.plan.Nodes {
		for _, topic := range n.Topics {
			if topic.Repartition {
				t.repartition[topic.Full(p.cfg.ApplicationID)] = true
			}
		}
	}
	return t
}

// committed notes a slot's committed positions.
func (t *trimmer) committed(s *slot) {
	if len(t.repartition) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, in := range s.inputs {
		if t.repartition[in.tp.Topic] {
			t.upTo[in.tp] = in.offset
		}
	}
}

// run trims until ctx ends.
func (t *trimmer) run(ctx context.Context) {
	if len(t.repartition) == 0 {
		return
	}
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			t.trim(ctx)
		}
	}
}

func (t *trimmer) trim(ctx context.Context) {
	t.mu.Lock()
	upTo := maps.Clone(t.upTo)
	t.mu.Unlock()
	offsets := kadm.Offsets{}
	for tp, o := range upTo {
		offsets.Add(kadm.Offset{Topic: tp.Topic, Partition: tp.Partition, At: o})
	}
	if len(offsets) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	resp, err := t.p.adm.DeleteRecords(ctx, offsets)
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		for topic := range offsets {
			if denied := t.p.denied(err, topic, "Delete"); denied != nil {
				err = denied
			}
		}
		t.p.log.Warn("millrace: repartition topics cannot be trimmed, they grow", "error", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for tp, o := range upTo {
		if t.upTo[tp] == o {
			delete(t.upTo, tp)
		}
	}
}
