package millrace

import (
	"slices"
	"time"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/task"
	"github.com/millrace-streams/millrace/topology"
)

// onAssigned takes the whole of an assignment over. Tasks whose partitions are all here are opened; commits go on.
func (p *process) onAssigned(all []task.TP) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping {
		return
	}
	for _, tp := range all {
		p.owned[tp] = true
	}
	p.assigned, p.held = true, false
	p.openOwned()
	for _, w := range p.workers {
		w.mail.put(mailRelease{})
	}
	p.updateState()
}

// openOwned opens every task whose partitions are all owned. p.mu is held.
func (p *process) openOwned() {
	var ids []topology.TaskID
	tasks := p.topics.tasks()
	for id, tps := range tasks {
		// Cooperative hand-over may give partitions one by one: a task begins when all are here.
		if p.slots[id] == nil && !slices.ContainsFunc(tps, func(tp task.TP) bool { return !p.owned[tp] }) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, compareTasks)
	for _, id := range ids {
		s := &slot{id: id, sub: p.sub(id), worker: p.leastLoaded(id)}
		for _, tp := range tasks[id] {
			s.inputs = append(s.inputs, &input{tp: tp, slot: s, offset: -1})
		}
		p.slots[id] = s
		p.startOpening(s)
	}
}

func compareTasks(a, b topology.TaskID) int {
	if a.Subtopology != b.Subtopology {
		return a.Subtopology - b.Subtopology
	}
	return int(a.Partition - b.Partition)
}

func (p *process) sub(id topology.TaskID) *graph.Sub {
	i := slices.IndexFunc(p.plan.Subs, func(s *graph.Sub) bool { return s.ID == id.Subtopology })
	return p.plan.Subs[i]
}

// leastLoaded returns the worker with the fewest tasks of a subtopology, then the fewest of all.
func (p *process) leastLoaded(id topology.TaskID) *worker {
	same, all := make([]int, len(p.workers)), make([]int, len(p.workers))
	for _, s := range p.slots {
		all[s.worker.id]++
		if s.id.Subtopology == id.Subtopology {
			same[s.worker.id]++
		}
	}
	best := 0
	for i := range p.workers {
		if same[i] < same[best] || same[i] == same[best] && all[i] < all[best] {
			best = i
		}
	}
	return p.workers[best]
}

// onRevoked ends a generation: every worker commits, gives up the tasks of the revoked partitions, and holds further commits
// until the next assignment. It returns within the budget in any case; a commit that is later than that is refused by its
// generation.
func (p *process) onRevoked(gone []task.TP) {
	p.mu.Lock()
	if p.stopping {
		p.mu.Unlock()
		return
	}
	p.held = true
	byWorker := map[*worker][]topology.TaskID{}
	var opening []chan struct{}
	for _, tp := range gone {
		delete(p.owned, tp)
		for id, s := range p.slots {
			if slices.ContainsFunc(s.inputs, func(in *input) bool { return in.tp == tp }) && !slices.Contains(byWorker[s.worker], id) {
				byWorker[s.worker] = append(byWorker[s.worker], id)
				s.gone = true
				s.cancel()
				opening = append(opening, s.opened)
			}
		}
	}
	p.mu.Unlock()
	deadline := time.NewTimer(revokeBudget)
	defer deadline.Stop()
	for _, opened := range opening {
		select {
		case <-opened:
		case <-deadline.C:
			return
		}
	}
	var replies []chan struct{}
	for _, w := range p.workers {
		reply := make(chan struct{})
		w.mail.put(mailHold{byWorker[w], reply})
		replies = append(replies, reply)
	}
	for i, reply := range replies {
		select {
		case <-reply:
		case <-p.workers[i].done:
		case <-deadline.C:
			p.log.Warn("millrace: workers did not give up their tasks in time; what they have not committed is done again elsewhere")
			return
		}
	}
}

// onLost gives up everything: the membership is gone, and other processes own the tasks.
func (p *process) onLost() {
	p.mu.Lock()
	if p.stopping {
		p.mu.Unlock()
		return
	}
	clear(p.owned)
	var opening []chan struct{}
	for _, s := range p.slots {
		s.gone = true
		s.cancel()
		opening = append(opening, s.opened)
	}
	p.mu.Unlock()
	for _, opened := range opening {
		<-opened
	}
	var replies []chan struct{}
	for _, w := range p.workers {
		reply := make(chan struct{})
		w.mail.put(mailLost{reply})
		replies = append(replies, reply)
	}
	for i, reply := range replies {
		select {
		case <-reply:
		case <-p.workers[i].done:
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.assigned = false
	p.updateState()
}

// opened tells that a worker runs a slot.
func (p *process) opened(s *slot) {
	if p.cfg.Events.Assigned != nil {
		p.cfg.Events.Assigned([]topology.TaskID{s.id})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.updateState()
}

// forget removes a slot that its worker has closed.
func (p *process) forget(s *slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slots[s.id] == s {
		delete(p.slots, s.id)
	}
	if p.assigned && !p.held && !p.stopping && p.ctx.Err() == nil {
		p.openOwned() // given back before it was closed
	}
	p.updateState()
}

// updateState sets the app's state from what the slots are doing. p.mu is held.
func (p *process) updateState() {
	if p.stopping {
		return
	}
	to := Running
	if !p.assigned || p.held {
		to = Rebalancing
	}
	for _, s := range p.slots {
		s.view.mu.Lock()
		if s.view.status != "running" {
			to = Rebalancing
		}
		s.view.mu.Unlock()
	}
	p.app.state.set(to)
}
